//! What makes `up` fail: each with its own exit code, in time, naming the hop, leaving nothing.

use std::fs;

use serde_json::json;

use super::bed::{Bed, NEAR};
use super::hopper::{Ended, Hopper};
use super::keys::Key;
use super::network;
use super::topology::Topology;

/// `up` must fail with this code, name this host (when one is to blame) and leave nothing.
fn assert_refused(hopper: &Hopper, topology: &Topology, exit: i32, host: Option<&str>) -> Ended {
    let ended = hopper.try_up(topology, &["--progress", "plain"]);
    assert_eq!(ended.code, exit, "{}", ended.stderr);
    if let Some(host) = host {
        assert!(ended.stderr.contains(host), "does not name {host}: {}", ended.stderr);
    }
    hopper.assert_nothing_left();
    let detached = hopper.try_up(topology, &["-d"]);
    assert_eq!(detached.code, exit, "-d: {}", detached.stderr);
    hopper.assert_nothing_left();
    ended
}

#[test]
fn a_wrong_host_key_at_hop_3_ends_it_before_any_login_there() {
    let Some(bed) = Bed::line(3) else { return };
    bed.restart_sshd(3, "LogLevel DEBUG2");
    let stranger = Key::make(bed.path("stranger/key"), "ed25519", "");
    let trusted = fs::read_to_string(bed.known_hosts()).expect("read known_hosts");
    let mine = bed.host_key(3).known_as(&network::name(3));
    fs::write(bed.known_hosts(), trusted.replace(&mine, &stranger.known_as(&network::name(3))))
        .expect("write known_hosts");
    let ended = assert_refused(&Hopper::on(&bed), &Topology::line(&bed), 5, Some("h3"));
    for fingerprint in [stranger.fingerprint(), bed.host_key(3).fingerprint()] {
        assert!(ended.stderr.contains(&fingerprint), "does not show {fingerprint}: {}", ended.stderr);
    }
    assert!(!bed.log(3).contains("userauth-request"), "a login was tried at host 3");
    assert!(bed.log(3).contains("Connection from"), "host 3 was never asked: the test proves nothing");
}

#[test]
fn an_unknown_host_key_ends_it_before_any_login_there() {
    let Some(bed) = Bed::line(2) else { return };
    bed.restart_sshd(2, "LogLevel DEBUG2");
    fs::write(bed.known_hosts(), bed.host_key(1).known_as(&network::name(1))).expect("write known_hosts");
    let ended = assert_refused(&Hopper::on(&bed), &Topology::line(&bed), 5, Some("h2"));
    let presented = bed.host_key(2).fingerprint();
    assert!(ended.stderr.contains(&presented), "does not show {presented}: {}", ended.stderr);
    assert!(!bed.log(2).contains("userauth-request"), "a login was tried at host 2");
}

#[test]
fn a_key_refused_at_hop_2_is_final() {
    let Some(bed) = Bed::line(3) else { return };
    bed.authorize(2, "");
    let hopper = Hopper::on(&bed);
    assert_refused(&hopper, &Topology::line(&bed), 4, Some("h2"));
    assert_eq!(bed.visits(2), 2, "one connection for each of the two runs: not retried");
    assert_eq!(bed.visits(3), 0, "nobody went on to host 3");
}

#[test]
fn a_host_behind_hop_2_that_does_not_answer_is_told_in_time() {
    let Some(bed) = Bed::line(3) else { return };
    bed.shut(3, 22);
    assert_refused(&Hopper::on(&bed), &Topology::line(&bed).impatient(), 6, Some("h3"));
}

#[test]
fn a_first_hop_that_does_not_answer_is_told_in_time() {
    let Some(bed) = Bed::line(1) else { return };
    bed.shut(1, 22);
    assert_refused(&Hopper::on(&bed), &Topology::line(&bed).impatient(), 6, Some("h1"));
}

#[test]
fn a_host_without_an_ssh_server_is_told() {
    let Some(bed) = Bed::line(2) else { return };
    bed.stop_sshd(2);
    assert_refused(&Hopper::on(&bed), &Topology::line(&bed).impatient(), 6, Some("h2"));
}

#[test]
fn a_name_that_only_hop_1_fails_to_resolve_is_told() {
    let Some(bed) = Bed::line(2) else { return };
    let topology = Topology::line(&bed).impatient().host(2, "address", json!("nowhere.test"));
    assert_refused(&Hopper::on(&bed), &topology, 6, Some("h2"));
}

#[test]
fn a_server_at_hop_3_that_never_says_a_word_is_told_in_time() {
    let Some(bed) = Bed::line(3) else { return };
    bed.stop_sshd(3);
    bed.serve(3, "0.0.0.0", 22, true);
    assert_refused(&Hopper::on(&bed), &Topology::line(&bed).impatient(), 6, Some("h3"));
}

#[test]
fn a_target_that_refuses_is_told_and_everything_undone() {
    let Some(bed) = Bed::line(3) else { return };
    assert_refused(&Hopper::on(&bed), &Topology::line(&bed), 7, Some("h3"));
    assert_eq!(bed.logins(3), 2, "one login for each of the two runs");
}

#[test]
fn a_target_that_says_the_wrong_thing_is_no_proof() {
    let Some(bed) = Bed::line(1) else { return };
    let forwards =
        json!({ "data": { "listen": NEAR, "to": "h1/127.0.0.1:22", "check": { "banner": "RFB " } } });
    assert_refused(&Hopper::on(&bed), &Topology::line(&bed).top("forwards", forwards), 7, Some("data"));
}

#[test]
fn a_host_that_forbids_forwarding_is_told() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    bed.restart_sshd(2, "AllowTcpForwarding no");
    assert_refused(&Hopper::on(&bed), &Topology::line(&bed), 7, Some("h2"));
}

#[test]
fn a_port_that_is_taken_is_told_before_any_host_is_contacted() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    bed.serve(0, "127.0.0.1", NEAR, false);
    let ended = assert_refused(&Hopper::on(&bed), &Topology::line(&bed), 7, Some("data"));
    assert!(ended.stderr.contains(&NEAR.to_string()), "does not name the port: {}", ended.stderr);
    assert_eq!((bed.visits(1), bed.visits(2)), (0, 0), "a host was contacted");
}

#[test]
fn an_optional_forward_that_fails_leaves_the_others_up() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let forwards = json!({
        "data": { "listen": NEAR, "to": "h2/127.0.0.1:7000" },
        "extra": { "listen": NEAR + 1, "to": "h2/127.0.0.1:9", "required": false },
    });
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&Topology::line(&bed).top("forwards", forwards), &["-d"]);
    assert!([0, 8].contains(&ended.code), "exit {}: {}", ended.code, ended.stderr);
    assert_eq!(hopper.status().expect("status answers")["state"], "degraded");
    bed.load_whole(0, NEAR, &[("both", 65536, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}
