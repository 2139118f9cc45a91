//! How lanes log in: without a person, to a host that shows the same key; where that cannot be, there is none.

use std::fs;
use std::time::Duration;

use serde_json::json;

use super::agents::{agent_that_asks, agent_with, askpass, wanted};
use super::bed::{Bed, NEAR};
use super::certificates::{certificate, signed};
use super::hopper::Hopper;
use super::host_keys::imposter;
use super::lanes::lanes;
use super::load::MIB;
use super::network;
use super::security_key;
use super::topology::Topology;
use super::trust::{REQUEST, TALKATIVE};
use super::typed::{CANARY, PASSWORDS, on_terminal, that_asks, with_password};
use super::until::{SOON, until};

/// Up from a terminal where somebody types, then clients that stall, and others beside them.
fn beside_stalled(bed: &Bed, topology: &Topology, answers: &[(&str, &str)]) -> (u64, usize) {
    let hopper = Hopper::on(bed);
    let file = topology.write(bed);
    let up = on_terminal(&hopper, answers, &["up", "-d", file.to_str().expect("a plain path")]);
    assert_eq!(up.code, 0, "{}", up.stdout);
    beside_stalled_of(&hopper)
}

/// The same where nobody types.
fn beside_stalled_unasked(hopper: &Hopper<'_>, topology: &Topology) -> (u64, usize) {
    hopper.up(topology, &[]);
    beside_stalled_of(hopper)
}

/// Of a run that is up. How many lanes its last tunnel got, and how often its host was visited.
fn beside_stalled_of(hopper: &Hopper<'_>) -> (u64, usize) {
    let bed = hopper.bed();
    let stalled = bed.start_load(0, "127.0.0.1", NEAR, &[("hold", 64 * MIB, 2)]);
    stalled.wait_until_flowing();
    bed.load_whole(0, NEAR, &[("get", 4 * MIB, 1)]);
    if bed.visits(bed.last()) > 1 {
        // It is being logged in to.
        until(SOON, || lanes(hopper, bed.last() - 1) > 1);
    }
    let had = (lanes(hopper, bed.last() - 1), bed.visits(bed.last()));
    stalled.go();
    assert!(stalled.finish().iter().all(|outcome| outcome.end == "ok"));
    hopper.down();
    hopper.assert_nothing_left();
    had
}

#[test]
fn no_lane_is_opened_where_that_would_take_a_person() {
    let Some((bed, code)) = that_asks("AuthenticationMethods keyboard-interactive", false, true) else {
        return;
    };
    let topology = Topology::line(&bed).host(2, "auth", json!(["keyboard-interactive"]));
    let answers = [("one-time password", code.as_str())];
    assert_eq!(beside_stalled(&bed, &topology, &answers), (1, 1));
}

#[test]
fn a_password_that_was_typed_once_opens_a_lane_too() {
    let Some(bed) = Bed::hosts(1) else { return };
    bed.set_password(1, CANARY);
    bed.start_sshd(1, PASSWORDS);
    bed.far_end(1);
    let topology = Topology::line(&bed).hosts("auth", json!(["password"]));
    assert_eq!(beside_stalled(&bed, &topology, &[("the password of root: ", CANARY)]), (2, 2));
}

#[test]
fn no_lane_is_opened_where_an_agent_asked_a_person() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let key = wanted(&bed);
    let slow = askpass(&bed, "slow", "sleep 2; exit 0");
    let hopper = Hopper::on(&bed).with_agent(agent_that_asks(&bed, "asks", &key, &slow));
    assert_eq!(beside_stalled_unasked(&hopper, &Topology::line(&bed)), (1, 1));
}

#[test]
fn a_person_who_confirms_at_once_is_not_waited_for_by_a_lane() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let key = wanted(&bed);
    let asked = bed.path("asked");
    // Confirmed at once, and then nobody is there.
    let script = format!("echo asked >> '{0}'; [ $(wc -l < '{0}') = 1 ] || exec sleep 20", asked.display());
    let quick = askpass(&bed, "quick", &script);
    let hopper = Hopper::on(&bed).with_agent(agent_that_asks(&bed, "asks", &key, &quick));
    hopper.up(&Topology::line(&bed), &[]);
    let stalled = bed.start_load(0, "127.0.0.1", NEAR, &[("stall", 64 * MIB, 2)]);
    stalled.wait_until_flowing();
    let given_up = || bed.log(1).contains("Disconnected from authenticating user root");
    assert!(until(Duration::from_secs(10), given_up), "it waits for a person: {}", bed.log(1));
    for _ in 0..3 {
        bed.load_whole(0, NEAR, &[("get", 4 * MIB, 1)]);
    }
    assert_eq!((lanes(&hopper, 0), bed.visits(1)), (1, 2));
    assert_eq!(fs::read_to_string(&asked).expect("it was asked").lines().count(), 2, "it is asked again");
    stalled.abandon();
    hopper.down();
}

#[test]
fn no_lane_is_opened_with_a_security_key() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    bed.authorize(1, &security_key::line());
    fs::remove_file(bed.key().path()).expect("remove the usual key");
    let socket = bed.path("touch.sock");
    security_key::agent(&socket);
    let hopper = Hopper::on(&bed).with_agent(socket);
    assert_eq!(beside_stalled_unasked(&hopper, &Topology::line(&bed)), (1, 1));
}

#[test]
fn no_lane_is_opened_with_a_password_that_a_command_gives() {
    let Some(bed) = with_password(1) else { return };
    let topology = Topology::line(&bed)
        .hosts("auth", json!(["password"]))
        .hosts("secret", json!({ "command": ["echo", CANARY] }));
    assert_eq!(beside_stalled_unasked(&Hopper::on(&bed), &topology), (1, 1));
}

#[test]
fn a_certificate_in_a_file_whose_key_is_in_the_agent_opens_a_lane() {
    let Some((bed, key)) = signed("ed25519", "root", &[]) else { return };
    let (beside, aside) = (certificate(&key), bed.path("aside-cert.pub"));
    fs::rename(&beside, &aside).expect("put the certificate aside");
    let bare = agent_with(&bed, "bare", &[&key]);
    fs::remove_file(key.path()).expect("remove the private half");
    fs::rename(&aside, &beside).expect("put the certificate back");
    let topology = Topology::line(&bed)
        .hosts("identities", json!(["~/.ssh/signed"]))
        .hosts("auth", json!(["certificate"]));
    let hopper = Hopper::on(&bed).with_agent(bare);
    hopper.up(&topology, &[]);
    let stalled = bed.start_load(0, "127.0.0.1", NEAR, &[("stall", 64 * MIB, 2)]);
    stalled.wait_until_flowing();
    assert!(until(SOON, || lanes(&hopper, 1) == 2), "{}", bed.log(2));
    stalled.abandon();
    hopper.down();
    hopper.assert_nothing_left();
}

/// Up, then the known key is revoked: whoever comes beside stalled clients gets no lane.
#[test]
fn a_key_that_is_revoked_while_the_run_is_up_opens_no_lane() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    bed.restart_sshd(1, TALKATIVE);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    let requests = || bed.log(1).matches(REQUEST).count();
    let before = requests();
    let line = bed.host_key(1).known_as(&network::name(1));
    fs::write(bed.known_hosts(), format!("{line}@revoked {line}")).expect("revoke it");
    let stalled = bed.start_load(0, "127.0.0.1", NEAR, &[("stall", 64 * MIB, 2)]);
    stalled.wait_until_flowing();
    assert!(until(SOON, || bed.visits(1) == 2), "no lane is tried");
    bed.load_whole(0, NEAR, &[("get", 4 * MIB, 1)]);
    assert_eq!((lanes(&hopper, 0), requests()), (1, before));
    stalled.abandon();
    hopper.down();
}

#[test]
fn another_server_in_the_place_of_the_host_gets_no_lane_whatever_is_recorded_of_it() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    let (other, log) = imposter(&bed, 1);
    let name = network::name(1);
    let both = bed.host_key(1).known_as(&name) + &other.known_as(&name);
    fs::write(bed.known_hosts(), both).expect("write known_hosts");
    let stalled = bed.start_load(0, "127.0.0.1", NEAR, &[("stall", 64 * MIB, 2)]);
    stalled.wait_until_flowing();
    let heard = || fs::read_to_string(&log).unwrap_or_default();
    assert!(until(SOON, || heard().contains("Connection closed by")), "not led there: {}", heard());
    bed.load_whole(0, NEAR, &[("get", 4 * MIB, 1)]);
    assert!(!heard().contains(REQUEST), "said who it is: {}", heard());
    assert_eq!((lanes(&hopper, 0), bed.visits(1)), (1, 1));
    stalled.abandon();
    hopper.down();
}
