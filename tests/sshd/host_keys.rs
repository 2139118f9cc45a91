//! Host certificates, policies, files that cannot be read, and another server in a host's place: what is
//! believed, and that nobody else hears who we are.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::bed::{Bed, NEAR};
use super::command::{argv, feed, must};
use super::hopper::{Ended, Hopper};
use super::keys::Key;
use super::load::{MIB, script};
use super::network;
use super::sshd;
use super::topology::{Topology, id};
use super::trust::{REQUEST, TALKATIVE};
use super::until::{SOON, until};

/// A certificate for the key of host 2, made with these words; its path.
fn certify(bed: &Bed, authority: &Key, words: &[&str]) -> PathBuf {
    let key = bed.host_key(2);
    let public = key.path().with_extension("pub");
    must(argv(&["ssh-keygen", "-q", "-h", "-I", "bed", "-s"]).arg(authority.path()).args(words).arg(public));
    key.path().with_file_name("key-cert.pub")
}

/// Two hosts; the second shows a certificate of this kind of authority, made with these words.
fn certified(authority: &str, words: &[&str]) -> Option<(Bed, Key)> {
    let bed = Bed::line(2)?;
    bed.far_end(2);
    let authority = Key::make(bed.path("ca/key"), authority, "");
    let certificate = certify(&bed, &authority, words);
    bed.restart_sshd(2, &format!("{TALKATIVE}\nHostCertificate {}", certificate.display()));
    Some((bed, authority))
}

/// Host 1 is known as usual; what else is known is given.
fn know(bed: &Bed, more: &str) {
    let known = bed.host_key(1).known_as(&network::name(1)) + more;
    fs::write(bed.known_hosts(), known).expect("write known_hosts");
}

fn marked(marker: &str, key: &Key, name: &str) -> String {
    format!("{marker} {}", key.known_as(name))
}

fn believed(bed: &Bed, topology: &Topology) {
    let hopper = Hopper::on(bed);
    hopper.up(topology, &[]);
    assert!(bed.log(2).contains(REQUEST), "a login is logged by this word: {}", bed.log(2));
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}

/// `up` ends with this code and these words; host 2 never heard who we are.
fn refused(bed: &Bed, topology: &Topology, words: &[&str]) -> Ended {
    let hopper = Hopper::on(bed);
    let ended = hopper.try_up(topology, &["-d"]);
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    for words in words {
        assert!(ended.stderr.contains(words), "does not say {words}: {}", ended.stderr);
    }
    assert!(!bed.log(2).contains(REQUEST), "said who it is: {}", bed.log(2));
    hopper.assert_nothing_left();
    ended
}

const FOR_HOST_2: [&str; 4] = ["-n", "hop2.test", "-V", "-1h:+1h"];

#[test]
fn a_certificate_of_a_recorded_authority_is_believed() {
    let Some((bed, authority)) = certified("ed25519", &FOR_HOST_2) else { return };
    know(&bed, &marked("@cert-authority", &authority, "*.test,!hop1.test"));
    believed(&bed, &Topology::line(&bed));
}

#[test]
fn an_rsa_key_certified_by_an_ecdsa_authority_is_believed() {
    let Some(bed) = Bed::hosts(2) else { return };
    fs::remove_file(bed.host_key(2).path()).expect("remove the key");
    Key::make(bed.host_key(2).path().to_owned(), "rsa", "");
    let authority = Key::make(bed.path("ca/key"), "ecdsa", "");
    let certificate = certify(&bed, &authority, &FOR_HOST_2);
    bed.start_sshd(1, "");
    bed.start_sshd(2, &format!("{TALKATIVE}\nHostCertificate {}", certificate.display()));
    bed.far_end(2);
    know(&bed, &marked("@cert-authority", &authority, &network::name(2)));
    believed(&bed, &Topology::line(&bed));
}

#[test]
fn an_authority_named_in_the_topology_is_enough() {
    let Some((bed, authority)) = certified("rsa", &FOR_HOST_2) else { return };
    know(&bed, "");
    let named = |ca: Value| Topology::line(&bed).host(2, "host_key", json!({ "ca": ca }));
    believed(&bed, &named(json!(authority.public())));
    fs::copy(authority.path().with_extension("pub"), bed.path("home/.ssh/ca.pub")).expect("copy the key");
    believed(&bed, &named(json!("~/.ssh/ca.pub")));
}

#[test]
fn a_certificate_that_has_expired_is_refused() {
    let words = ["-n", "hop2.test", "-V", "20200101:20200201"];
    let Some((bed, authority)) = certified("ed25519", &words) else { return };
    know(&bed, &marked("@cert-authority", &authority, &network::name(2)));
    refused(&bed, &Topology::line(&bed), &["H0507", "h2", "expired", "good until", "2020-0"]);
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let Some((bed, authority)) = certified("ed25519", &["-n", "hop1.test,other.test"]) else { return };
    know(&bed, &marked("@cert-authority", &authority, &network::name(2)));
    refused(&bed, &Topology::line(&bed), &["H0507", "h2", "it is for hop1.test"]);
}

#[test]
fn a_certificate_of_a_foreign_authority_is_refused() {
    let Some((bed, _)) = certified("ed25519", &FOR_HOST_2) else { return };
    let known = Key::make(bed.path("known-ca/key"), "ed25519", "");
    know(&bed, &marked("@cert-authority", &known, &network::name(2)));
    refused(&bed, &Topology::line(&bed), &["H0507", "h2", "its authority is none"]);
}

#[test]
fn a_certificate_of_a_revoked_authority_is_refused() {
    let Some((bed, authority)) = certified("ed25519", &FOR_HOST_2) else { return };
    let both = marked("@cert-authority", &authority, "*") + &marked("@revoked", &authority, "*");
    know(&bed, &both);
    refused(&bed, &Topology::line(&bed), &["H0503", "h2"]);
}

#[test]
fn a_plain_key_where_an_authority_is_named_is_refused_by_every_policy() {
    let Some(bed) = Bed::line(2) else { return };
    bed.restart_sshd(2, TALKATIVE);
    let authority = Key::make(bed.path("ca/key"), "ed25519", "");
    know(&bed, &marked("@cert-authority", &authority, &network::name(2)));
    for policy in ["strict", "ask", "accept-new"] {
        let topology = Topology::line(&bed).host(2, "host_key", json!({ "policy": policy }));
        refused(&bed, &topology, &["H0509", "h2", "known_hosts:2"]);
    }
}

#[test]
fn a_changed_key_is_refused_by_every_policy_and_both_are_shown() {
    let Some(bed) = Bed::line(2) else { return };
    bed.restart_sshd(2, TALKATIVE);
    let before = Key::make(bed.path("before/key"), "ed25519", "");
    know(&bed, &before.known_as(&network::name(2)));
    let (was, is) = (before.fingerprint(), bed.host_key(2).fingerprint());
    for policy in ["strict", "ask", "accept-new"] {
        let topology = Topology::line(&bed).host(2, "host_key", json!({ "policy": policy }));
        refused(&bed, &topology, &["H0501", "h2", &was, &is, "known_hosts:2"]);
    }
}

#[test]
fn known_hosts_that_cannot_be_read_is_no_unknown_host() {
    let Some(bed) = Bed::line(2) else { return };
    bed.restart_sshd(2, TALKATIVE);
    // Root reads everything, but a folder is no file.
    fs::create_dir(bed.path("home/.ssh/keys")).expect("make the folder");
    for policy in ["strict", "ask", "accept-new"] {
        let judged = json!({ "policy": policy, "file": "~/.ssh/keys" });
        let topology = Topology::line(&bed).host(2, "host_key", judged);
        refused(&bed, &topology, &["H0505", "h2", ".ssh/keys"]);
    }
    assert_eq!(fs::read_dir(bed.path("home/.ssh/keys")).expect("still a folder").count(), 0);
}

#[test]
fn accept_new_records_a_new_key_once_and_believes_it_then() {
    let Some(bed) = Bed::line(2) else { return };
    bed.restart_sshd(2, TALKATIVE);
    bed.far_end(2);
    know(&bed, "");
    let hopper = Hopper::on(&bed);
    let topology = Topology::line(&bed).hosts("host_key", json!({ "policy": "accept-new" }));
    let ended = hopper.try_up(&topology, &["-d", "--progress", "plain"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let told = format!("T2 h2: a new host key was recorded: ssh-ed25519 {}", bed.host_key(2).fingerprint());
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("was recorded").count(), 1, "{}", ended.stderr);
    hopper.down();
    let recorded = fs::read_to_string(bed.known_hosts()).expect("read known_hosts");
    let both = bed.host_key(1).known_as(&network::name(1)) + &bed.host_key(2).known_as(&network::name(2));
    assert_eq!(recorded, both);
    believed(&bed, &Topology::line(&bed));
}

/// `up -d` on a terminal where someone answers the question about host 2.
fn answered(hopper: &Hopper, answer: &str) -> Ended {
    let bed = hopper.bed();
    let file = Topology::line(bed).host(2, "host_key", json!({ "policy": "ask" })).write(bed);
    let [python, terminal] = script("terminal.py");
    let mut command = bed.on(0, python);
    command.arg(terminal).args(["you expect:", answer, "0", env!("CARGO_BIN_EXE_hopper"), "up", "-d"]);
    hopper.start_command(command.arg(file)).ended()
}

#[test]
fn ask_takes_the_fingerprint_that_is_typed_and_records_the_key() {
    let Some(bed) = Bed::line(2) else { return };
    bed.restart_sshd(2, TALKATIVE);
    bed.far_end(2);
    know(&bed, "");
    let hopper = Hopper::on(&bed);
    for no in ["no", &bed.host_key(1).fingerprint()] {
        let ended = answered(&hopper, no);
        assert_eq!(ended.code, 5, "{}", ended.stdout);
        assert!(ended.stdout.contains(&bed.host_key(2).fingerprint()), "{}", ended.stdout);
        assert!(!bed.log(2).contains(REQUEST), "said who it is");
        hopper.assert_nothing_left();
    }
    let ended = answered(&hopper, &bed.host_key(2).fingerprint());
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    let recorded = fs::read_to_string(bed.known_hosts()).expect("read known_hosts");
    assert!(recorded.ends_with(&bed.host_key(2).known_as(&network::name(2))), "{recorded}");
}

#[test]
fn ask_without_a_terminal_is_a_refusal_that_says_what_it_takes() {
    let Some(bed) = Bed::line(2) else { return };
    bed.restart_sshd(2, TALKATIVE);
    know(&bed, "");
    let topology = Topology::line(&bed).host(2, "host_key", json!({ "policy": "ask" }));
    let hand = bed.host_key(2).fingerprint();
    refused(&bed, &topology, &["H0502", "h2", &hand, "terminal", "hopper trust", "hop2.test"]);
}

/// From now on whoever dials this host meets another server there, with another key, that lets in the same people. Its
/// key, and its log.
pub fn imposter(bed: &Bed, host: usize) -> (Key, PathBuf) {
    let imposter = Key::make(bed.path("imposter/key"), "ed25519", "");
    let (config, log) = (bed.path("imposter/config"), bed.path("imposter.log"));
    let allowed = bed.path(&format!("host{host}/authorized_keys"));
    let text = format!(
        "Port 2222\nListenAddress 0.0.0.0\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\nStrictModes no\n\
         UsePAM no\nPermitRootLogin prohibit-password\n{TALKATIVE}\n",
        imposter.path().display(),
        allowed.display()
    );
    fs::write(&config, text).expect("write the configuration");
    let mut sshd = bed.on(host, sshd::program());
    bed.background(host, "imposter-start", sshd.arg("-D").arg("-f").arg(config).arg("-E").arg(&log));
    bed.wait_for_port(host, 2222);
    bed.open(host, 2222);
    let redirect = "table ip turn {
        chain pre {
            type nat hook prerouting priority -100
            tcp dport 22 redirect to :2222
        }
    }";
    feed(bed.on(host, "nft").args(["-f", "-"]), redirect);
    (imposter, log)
}

#[test]
fn another_server_in_the_place_of_a_host_hears_nothing() {
    let Some(bed) = Bed::line(2) else { return };
    let (imposter, log) = imposter(&bed, 2);
    let heard = || fs::read_to_string(&log).unwrap_or_default();
    for policy in ["strict", "ask", "accept-new"] {
        let topology = Topology::line(&bed).host(2, "host_key", json!({ "policy": policy }));
        let words = ["H0501", &id(2), &imposter.fingerprint(), &bed.host_key(2).fingerprint()];
        refused(&bed, &topology, &words);
    }
    assert!(until(SOON, || heard().matches("Connection from").count() >= 3), "not led there: {}", heard());
    assert!(!heard().contains(REQUEST), "said who it is: {}", heard());
    assert_eq!(bed.visits(2), 0, "the right server was asked");
}
