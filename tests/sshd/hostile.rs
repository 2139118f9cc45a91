//! Servers that attack, as the first and as the second hop: hopper ends with an error in time, blames the
//! right host, stays small, shows nothing that a terminal would act on, and leaves nothing.

use std::fs;
use std::time::Duration;

use hopper::topology::is_unsafe;
use serde_json::{Value, json};

use super::bed::{Bed, FAR, NEAR};
use super::command::must;
use super::hopper::{Ended, Hopper};
use super::hostile_server::{Attack, Hostile};
use super::keys::Key;
use super::load::MIB;
use super::sshd;
use super::topology::{Topology, id};
use super::until::{SOON, until};

/// The deadlines of an impatient topology one after the other, and what a busy machine needs on top.
pub const IN_TIME: Duration = Duration::from_secs(2 + 2 + 5 + 2 + 15);

/// Far below what any of the servers would fill, in KiB; a run that meets nobody holds 15 MiB.
pub const SMALL: u64 = 48 << 10;

/// How a run met the attack.
struct Met {
    code: &'static str,
    exit: i32,
    says: &'static str,
}

impl Met {
    /// What the far end would have to answer, where the attack is met as late as that.
    fn check(&self) -> Value {
        if self.code == "H0704" { json!({ "http": "/" }) } else { json!("tcp") }
    }
}

/// With the attacker as the first host, then behind a real sshd.
fn meets(attack: Attack, expected: Met) {
    meets_with(attack, expected, |topology, _| topology);
}

/// The same with a topology that is bent to what the attack takes; the number is that of the attacker.
fn meets_with(attack: Attack, expected: Met, bend: impl Fn(Topology, usize) -> Topology) {
    for host in [1, 2] {
        let Some(bed) = Bed::hosts(host) else { return };
        for below in 1..host {
            bed.start_sshd(below, "");
        }
        let server = Hostile::start(&bed, host, attack);
        let hopper = Hopper::on(&bed);
        let (to, check) = (format!("{}/127.0.0.1:{FAR}", id(host)), expected.check());
        let forwards = json!({ "data": { "listen": NEAR, "to": to, "check": check } });
        let topology = bend(Topology::line(&bed).impatient().top("forwards", forwards), host);
        let (ended, log, most) = run(&hopper, &topology);
        let told = format!("{attack:?} at hop {host}: {}", ended.stderr);
        let unfolded = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(ended.code, expected.exit, "{told}");
        assert!(ended.stderr.contains(&format!("error[{}]", expected.code)), "{told}");
        let blamed = format!("(hop {host} of {host})");
        assert!(unfolded.contains(&blamed), "does not say {blamed}: {told}");
        assert!(ended.stderr.contains(&id(host)), "{told}");
        assert!(unfolded.contains(expected.says), "does not say {:?}: {told}", expected.says);
        assert!(ended.stderr.contains("Nothing is left running"), "{told}");
        assert!(most < SMALL, "{most} KiB: {told}");
        for (what, text) in [("stdout", &ended.stdout), ("stderr", &ended.stderr), ("the log", &log)] {
            let bad = text.chars().find(|c| is_unsafe(*c) && *c != '\n');
            assert!(bad.is_none(), "{what} holds {bad:?}: {told}");
        }
        assert!(log.len() < 1 << 20, "a log of {} bytes: {told}", log.len());
        assert_eq!(server.visits(), 1, "tried again: {told}");
        for below in 1..host {
            assert_eq!(bed.logins(below), 1, "the way to the attacker: {told}");
        }
        hopper.assert_nothing_left();
    }
}

/// `up` to its end: how it ended, its log, and the most memory it had, in KiB.
fn run(hopper: &Hopper, topology: &Topology) -> (Ended, String, u64) {
    let file = hopper.bed().path("asked-for.txt");
    let words = ["-v", "--log-file", file.to_str().expect("a plain path"), "--progress", "plain"];
    let mut running = hopper.start_up(topology, &words);
    let mut most = 0;
    let over = until(IN_TIME, || {
        most = most_memory(running.pid()).unwrap_or(most);
        running.is_over()
    });
    assert!(over, "it is not over in time: {}", running.stderr());
    assert!(most > 0, "its memory was never seen");
    let log = fs::read(&file).expect("it keeps a log");
    (running.ended(), String::from_utf8(log).expect("the log is text"), most)
}

/// The most memory a process has had so far, in KiB; nothing when it is gone.
pub fn most_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

macro_rules! attacks {
    ($($name:ident: $attack:ident ends in $code:literal, $exit:literal, $says:literal;)*) => {$(
        #[test]
        fn $name() {
            meets(Attack::$attack, Met { code: $code, exit: $exit, says: $says });
        }
    )*};
}

attacks! {
    a_server_that_says_nothing: Silent ends in "H0603", 6, "took the connection and says nothing";
    a_server_that_says_a_byte_a_second: Drip ends in "H0603", 6, "stopped answering during the key exchange";
    lines_without_end_before_the_version: Lines ends in "H0605", 6, "does not speak SSH 2";
    a_line_without_end_before_the_version: Line ends in "H0605", 6, "does not speak SSH 2";
    random_bytes: Noise ends in "H0605", 6, "does not speak SSH 2";
    a_packet_of_four_gigabytes: GiantPacket ends in "H0605", 6, "Bad packet size";
    a_version_and_nothing_after_it: VersionOnly ends in "H0603", 6, "stopped answering during the key exchange";
    a_key_exchange_of_nonsense: Nonsense ends in "H0605", 6, "no session";
    a_server_that_hangs_in_the_login: HangInLogin ends in "H0607", 6, "stopped answering during login";
    questions_that_nobody_asked_for: Questions ends in "H0401", 4, "refused every way to log in";
    a_login_banner_of_escape_sequences: LoginBanner ends in "H0401", 4, "refused every way to log in";
    a_farewell_of_escape_sequences: Farewell ends in "H0606", 6, "owned";
    a_refusal_of_escape_sequences: Refusal ends in "H0703", 7, "owned";
    a_flood_of_channels: Openings ends in "H0703", 7, "no answer in time";
    a_flood_of_channels_from_a_server_that_does_not_listen: DeafOpenings ends in "H0606", 6, "stopped answering";
    a_flood_of_debug_messages: Chatter ends in "H0703", 7, "no answer in time";
    a_channel_of_packets_of_no_size: NoPacket ends in "H0606", 6, "was lost";
    a_channel_that_takes_nothing: NoWindow ends in "H0704", 7, "does not answer";
    a_far_end_that_never_stops_talking: Babble ends in "H0704", 7, "does not answer like a web server";
    a_server_that_would_let_messages_be_dropped: NotStrict ends in "H0605", 6, "CVE-2023-48795";
    a_server_of_ciphers_of_the_past: OldCiphers ends in "H0610", 6, "it offers aes128-cbc";
}

#[test]
fn a_hundred_questions_at_once() {
    let expected = Met { code: "H0401", exit: 4, says: "it asks too much: 100 questions" };
    let typed = json!(["keyboard-interactive"]);
    meets_with(Attack::Questions, expected, |topology, host| topology.host(host, "auth", typed.clone()));
}

/// What a client of the far end says first, and its server hears.
const MARK: &[u8] = b"\"seed\":";

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_hop_in_between_hears_nothing_of_what_passes() {
    // The last host hears everything: that is what shows that the next one would have heard it.
    for (last, hears) in [(1, true), (2, false)] {
        let Some(bed) = Bed::hosts(last) else { return };
        if last == 2 {
            bed.start_sshd(2, "");
        }
        bed.far_end(last);
        let server = Hostile::start(&bed, 1, Attack::Eavesdropping);
        let hopper = Hopper::on(&bed);
        hopper.up(&Topology::line(&bed), &[]);
        bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
        let heard = server.heard();
        assert!(heard.len() as u64 > 2 * MIB, "{} bytes are not what passed", heard.len());
        assert_eq!(holds(&heard, MARK), hears, "host 1 of {last}");
        hopper.down();
        hopper.assert_nothing_left();
    }
}

#[test]
fn a_hop_in_between_that_alters_what_passes_ends_the_session_it_carries() {
    let Some(bed) = Bed::hosts(2) else { return };
    bed.start_sshd(2, "");
    bed.far_end(2);
    let _server = Hostile::start(&bed, 1, Attack::Alteration);
    let hopper = Hopper::on(&bed);
    let running = hopper.hold(&Topology::line(&bed).impatient(), &["--progress", "plain"]);
    let outcome = bed.load(0, "127.0.0.1", NEAR, &[("get", 4 * MIB, 1)]).remove(0);
    assert_eq!(outcome.end, "reset", "{outcome:?}");
    let named = until(SOON, || running.stderr().contains("the session to h2 was lost"));
    assert!(named, "{}", running.stderr());
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_hop_that_answers_in_the_place_of_the_next_one_learns_nothing() {
    let Some(bed) = Bed::line(2) else { return };
    let stranger = Key::make(bed.path("stranger/key"), "ed25519", "");
    let log = bed.path("stranger.log");
    let mut sshd = bed.on(1, sshd::program());
    sshd.args(["-D", "-f", "/dev/null", "-p", "2222", "-o", "LogLevel=DEBUG2", "-o", "PidFile=none"]);
    sshd.args(["-o", "StrictModes=no", "-o", "UsePAM=no"]).arg("-h").arg(stranger.path());
    sshd.arg("-o").arg(format!("AuthorizedKeysFile={}", bed.path("host1/authorized_keys").display()));
    bed.background(1, "stranger", sshd.arg("-E").arg(&log));
    bed.wait_for_port(1, 2222);
    let rules = "add table ip turn; add chain ip turn out { type nat hook output priority -100; }; \
                 add rule ip turn out ip daddr 10.77.2.2 tcp dport 22 redirect to :2222";
    must(bed.on(1, "nft").arg(rules));
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&Topology::line(&bed), &["--progress", "plain"]);
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    assert!(ended.stderr.contains("error[H0501]"), "{}", ended.stderr);
    for fingerprint in [stranger.fingerprint(), bed.host_key(2).fingerprint()] {
        assert!(ended.stderr.contains(&fingerprint), "does not show {fingerprint}: {}", ended.stderr);
    }
    let heard = fs::read_to_string(log).expect("the stranger keeps a log");
    assert!(heard.contains("Connection from"), "never asked: the test proves nothing: {heard}");
    assert!(!heard.contains("userauth-request"), "a login was tried at the stranger");
    assert_eq!(bed.visits(2), 0, "the real host was reached");
}
