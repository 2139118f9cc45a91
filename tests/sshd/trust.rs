//! Which host keys hopper believes: known_hosts in all its forms, and pinned fingerprints.

use std::fs;
use std::time::Duration;

use serde_json::json;

use super::bed::{Bed, NEAR};
use super::command::{argv, must};
use super::hopper::Hopper;
use super::keys::Key;
use super::load::MIB;
use super::network;
use super::topology::{Topology, id};

/// A bed of two hosts with this known_hosts, topology as given; `up` must work, or end with 5 and this code.
fn judged(known: impl Fn(&Bed) -> String, bend: impl Fn(&Bed, Topology) -> Topology, refused: Option<&str>) {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    bed.restart_sshd(2, TALKATIVE);
    fs::write(bed.known_hosts(), known(&bed)).expect("write known_hosts");
    judge(&bed, bend(&bed, Topology::line(&bed)), refused);
}

/// An sshd that logs every request to log in.
pub const TALKATIVE: &str = "LogLevel DEBUG2";

/// What a [`TALKATIVE`] sshd logs for each.
pub const REQUEST: &str = "userauth-request";

fn judge(bed: &Bed, topology: Topology, refused: Option<&str>) {
    let hopper = Hopper::on(bed);
    let ended = hopper.try_up(&topology, &["-d"]);
    let Some(code) = refused else {
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
        hopper.down();
        return hopper.assert_nothing_left();
    };
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    assert!(ended.stderr.contains(code), "does not say {code}: {}", ended.stderr);
    assert!(ended.stderr.contains("h2"), "does not name h2: {}", ended.stderr);
    assert_eq!(bed.logins(2), 0, "logged in to a host it should not believe");
    assert!(!bed.log(2).contains(REQUEST), "said who it is to a host it should not believe");
    hopper.assert_nothing_left();
}

fn as_is(_: &Bed, topology: Topology) -> Topology {
    topology
}

/// Host 1 is known as usual, host 2 by this line.
fn second(bed: &Bed, line: &str) -> String {
    bed.host_key(1).known_as(&network::name(1)) + line
}

#[test]
fn hashed_names_are_found() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    must(bed.on(0, "ssh-keygen").args(["-q", "-H", "-f"]).arg(bed.known_hosts()));
    fs::remove_file(bed.known_hosts().with_extension("old")).expect("ssh-keygen keeps the old file");
    let text = fs::read_to_string(bed.known_hosts()).expect("read known_hosts");
    assert!(text.starts_with("|1|") && !text.contains("hop1"), "not hashed: {text}");
    judge(&bed, Topology::line(&bed), None);
}

/// Host 2 listens on another port; its name in known_hosts is given.
fn on_another_port(known: &str, refused: Option<&str>) {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    bed.restart_sshd(2, &format!("Port 2222\n{TALKATIVE}"));
    bed.open(2, 2222);
    bed.shut(2, 22);
    fs::write(bed.known_hosts(), second(&bed, &bed.host_key(2).known_as(known))).expect("write known_hosts");
    judge(&bed, Topology::line(&bed).host(2, "port", json!(2222)), refused);
}

#[test]
fn a_name_with_its_port_in_brackets_is_found() {
    on_another_port("[hop2.test]:2222", None);
}

#[test]
fn another_port_in_brackets_is_another_host() {
    on_another_port("[hop2.test]:2223", Some("H0502"));
}

#[test]
fn a_host_may_be_known_under_its_id() {
    judged(|bed| second(bed, &bed.host_key(2).known_as(&id(2))), as_is, None);
}

#[test]
fn a_line_with_several_names_and_patterns_is_read() {
    judged(|bed| second(bed, &bed.host_key(2).known_as("other.test,hop?.test,!hop3.test")), as_is, None);
}

#[test]
fn a_revoked_key_is_refused_even_when_another_line_trusts_it() {
    let lines = |bed: &Bed| {
        let line = bed.host_key(2).known_as(&network::name(2));
        second(bed, &format!("{line}@revoked {line}"))
    };
    judged(lines, as_is, Some("H0503"));
}

#[test]
fn a_known_key_of_another_type_is_no_reason_to_trust() {
    let lines = |bed: &Bed| {
        let other = Key::make(bed.path("other/key"), "ecdsa", "");
        second(bed, &other.known_as(&network::name(2)))
    };
    judged(lines, as_is, Some("H0501"));
}

#[test]
fn a_pinned_fingerprint_is_enough() {
    let pin = |bed: &Bed, topology: Topology| {
        topology.host(2, "host_key", json!({ "fingerprint": bed.host_key(2).fingerprint() }))
    };
    judged(|bed| second(bed, ""), pin, None);
}

#[test]
fn a_pinned_fingerprint_outweighs_known_hosts() {
    let pin = |bed: &Bed, topology: Topology| {
        topology.host(2, "host_key", json!({ "fingerprint": bed.host_key(1).fingerprint() }))
    };
    judged(|bed| second(bed, &bed.host_key(2).known_as(&network::name(2))), pin, Some("H0504"));
}

#[test]
fn the_keys_of_two_hosts_are_not_mixed_up() {
    // Host 2 is known, but by the key of host 1: nested sessions must not blur who is who.
    let lines = |bed: &Bed| {
        bed.host_key(1).known_as(&network::name(1)) + &bed.host_key(1).known_as(&network::name(2))
    };
    judged(lines, as_is, Some("H0501"));
}

#[test]
fn a_file_of_host_keys_that_is_a_pipe_is_told_instead_of_waited_for() {
    let Some(bed) = Bed::line(2) else { return };
    must(argv(&["mkfifo", "-m", "600"]).arg(bed.path("home/.ssh/pipe")));
    let hopper = Hopper::on(&bed);
    let topology = Topology::line(&bed).host(2, "host_key", json!({ "file": "~/.ssh/pipe" }));
    let ended = hopper.start_up(&topology, &["--progress", "plain"]).ended_within(Duration::from_secs(8));
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    for words in ["no regular file", ".ssh/pipe", "h2"] {
        assert!(ended.stderr.contains(words), "does not say {words}: {}", ended.stderr);
    }
    assert_eq!(bed.logins(2), 0);
    hopper.assert_nothing_left();
}

#[test]
fn loopback_names_prove_nothing_over_a_port_carrier() {
    // With real ports the session connects to 127.0.0.1: what is known of that says nothing of host 2.
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let line = bed.host_key(2).known_as("127.0.0.1,localhost");
    fs::write(bed.known_hosts(), second(&bed, &line)).expect("write known_hosts");
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&Topology::line(&bed), &["-d", "--carrier", "port"]);
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    assert_eq!(bed.logins(2), 0);
    hopper.assert_nothing_left();
}
