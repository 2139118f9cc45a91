//! What `plan --ssh` prints, run as it is: OpenSSH alone must build the same, and believe the same keys.

use std::fs;

use serde_json::json;

use super::bed::{Bed, NEAR};
use super::command::signal;
use super::hopper::{Ended, Hopper};
use super::load::MIB;
use super::network;
use super::topology::Topology;
use super::until::{SOON, until};

/// Three hosts: the first known as usual, the second on another port, the third under an alias.
fn bed() -> Option<Bed> {
    let bed = Bed::line(3)?;
    bed.far_end(3);
    bed.restart_sshd(2, "Port 2222");
    bed.open(2, 2222);
    bed.shut(2, 22);
    know(&bed, 2);
    Some(bed)
}

/// Writes known_hosts, with the key of host `second` for host 2.
fn know(bed: &Bed, second: usize) {
    let lines = bed.host_key(1).known_as(&network::name(1))
        + &bed.host_key(second).known_as("[hop2.test]:2222")
        + &bed.host_key(3).known_as("Branch");
    fs::write(bed.known_hosts(), lines).expect("write known_hosts");
}

/// Gives the commands to a shell on host 0. Files are named, since ssh does not believe `HOME`.
fn run_by_hand(bed: &Bed) -> Ended {
    let known = bed.known_hosts();
    let topology = Topology::line(bed)
        .hosts("identities", json!([bed.key().path()]))
        .hosts("identities_only", json!(true))
        .hosts("host_key", json!({ "file": known }))
        .host(2, "port", json!(2222))
        .host(3, "host_key", json!({ "file": known, "alias": "Branch" }));
    let hopper = Hopper::on(bed);
    let file = topology.write(bed);
    let planned = hopper.run(&["plan", file.to_str().expect("a plain path"), "--ssh"]);
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    let script = bed.path("by-hand.log");
    fs::write(&script, planned.stdout).expect("write the script");
    hopper.start_command(bed.on(0, "sh").arg(script)).ended()
}

/// The processes on host 0 that have this word in their command line.
fn with_word(bed: &Bed, word: &str) -> Vec<u32> {
    let has = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|part| part == word.as_bytes())
    };
    bed.pids(0).into_iter().filter(has).collect()
}

#[test]
fn the_commands_build_the_chain_and_end_with_the_outermost() {
    let Some(bed) = bed() else { return };
    let before = bed.listeners(0);
    let ended = run_by_hand(&bed);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    bed.load_whole(0, NEAR, &[("both", MIB, 4), ("half", MIB, 2)]);
    for host in 1..=3 {
        assert_eq!(bed.logins(host), 1, "logins at host {host}");
    }
    let outermost = with_word(&bed, "root@hop1.test");
    assert_eq!(outermost.len(), 1, "{outermost:?}");
    signal("TERM", outermost[0]);
    assert!(until(SOON, || bed.listeners(0) == before), "still listens: {:?}", bed.listeners(0));
    for host in 1..=3 {
        assert!(until(SOON, || bed.sessions(host).is_empty()), "host {host} still serves a session");
    }
}

#[test]
fn the_commands_believe_no_other_key_and_stop_there() {
    let Some(bed) = bed() else { return };
    know(&bed, 1);
    let ended = run_by_hand(&bed);
    assert_eq!(ended.code, 255, "{}", ended.stderr);
    assert!(ended.stderr.contains("[hop2.test]:2222"), "{}", ended.stderr);
    assert_eq!((bed.logins(1), bed.logins(2), bed.visits(3)), (1, 0, 0));
}
