//! Servers that attack, as the first and as the second hop: hopper ends with an error in time, blames the
//! right host, stays small, shows nothing that a terminal would act on, and leaves nothing.

use std::fs;
use std::time::Duration;

use hopper::topology::is_unsafe;
use serde_json::{Value, json};

use super::bed::{Bed, FAR, NEAR};
use super::hopper::{Ended, Hopper};
use super::hostile_server::{Attack, Hostile};
use super::topology::{Topology, id};
use super::until::until;

/// The deadlines of an impatient topology one after the other, and what a busy machine needs on top.
const IN_TIME: Duration = Duration::from_secs(2 + 2 + 5 + 2 + 15);

/// Far below what any of the servers would fill, in KiB; a run that meets nobody holds 15 MiB.
const SMALL: u64 = 48 << 10;

/// How a run met the attack.
struct Met {
    code: &'static str,
    exit: i32,
}

impl Met {
    /// What the far end would have to answer, where the attack is met as late as that.
    fn check(&self) -> Value {
        if self.code == "H0704" { json!({ "http": "/" }) } else { json!("tcp") }
    }
}

/// With the attacker as the first host, then behind a real sshd.
fn meets(attack: Attack, expected: Met) {
    for host in [1, 2] {
        let Some(bed) = Bed::hosts(host) else { return };
        for below in 1..host {
            bed.start_sshd(below, "");
        }
        let server = Hostile::start(&bed, host, attack);
        let hopper = Hopper::on(&bed);
        let (to, check) = (format!("{}/127.0.0.1:{FAR}", id(host)), expected.check());
        let forwards = json!({ "data": { "listen": NEAR, "to": to, "check": check } });
        let topology = Topology::line(&bed).impatient().top("forwards", forwards);
        let (ended, log, most) = run(&hopper, &topology);
        let told = format!("{attack:?} at hop {host}: {}", ended.stderr);
        let unfolded = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(ended.code, expected.exit, "{told}");
        assert!(ended.stderr.contains(&format!("error[{}]", expected.code)), "{told}");
        let blamed = format!("(hop {host} of {host})");
        assert!(unfolded.contains(&blamed), "does not say {blamed}: {told}");
        assert!(ended.stderr.contains(&id(host)), "{told}");
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
    let status = format!("/proc/{}/status", running.pid());
    let mut most = 0;
    let over = until(IN_TIME, || {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(most);
        running.is_over()
    });
    assert!(over, "it is not over in time: {}", running.stderr());
    assert!(most > 0, "its memory was never seen");
    let log = fs::read(&file).expect("it keeps a log");
    (running.ended(), String::from_utf8(log).expect("the log is text"), most)
}

macro_rules! attacks {
    ($($name:ident: $attack:ident ends in $code:literal, $exit:literal;)*) => {$(
        #[test]
        fn $name() {
            meets(Attack::$attack, Met { code: $code, exit: $exit });
        }
    )*};
}

attacks! {
    a_server_that_says_nothing: Silent ends in "H0603", 6;
    a_server_that_says_a_byte_a_second: Drip ends in "H0603", 6;
    lines_without_end_before_the_version: Lines ends in "H0605", 6;
    a_line_without_end_before_the_version: Line ends in "H0605", 6;
    random_bytes: Noise ends in "H0605", 6;
    a_packet_of_four_gigabytes: GiantPacket ends in "H0605", 6;
    a_version_and_nothing_after_it: VersionOnly ends in "H0603", 6;
    a_key_exchange_of_nonsense: Nonsense ends in "H0605", 6;
    a_server_that_hangs_in_the_login: HangInLogin ends in "H0607", 6;
    a_login_banner_of_escape_sequences: LoginBanner ends in "H0401", 4;
    a_farewell_of_escape_sequences: Farewell ends in "H0606", 6;
    a_refusal_of_escape_sequences: Refusal ends in "H0703", 7;
    a_flood_of_channels: Openings ends in "H0703", 7;
    a_flood_of_channels_from_a_server_that_does_not_listen: DeafOpenings ends in "H0606", 6;
    a_flood_of_debug_messages: Chatter ends in "H0703", 7;
    a_channel_of_packets_of_no_size: NoPacket ends in "H0606", 6;
    a_channel_that_takes_nothing: NoWindow ends in "H0704", 7;
    a_channel_that_says_more_than_it_may: Overflow ends in "H0704", 7;
}
