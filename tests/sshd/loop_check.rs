//! The checks `loop` and `echo` before real servers: a target that is not there is never missed by the one, and
//! nothing is left listening.

use std::time::Duration;

use serde_json::{Value, json};

use super::bed::{Bed, FAR, NEAR};
use super::command::signal;
use super::faults::{Standing, quick};
use super::hopper::Hopper;
use super::load::MIB;
use super::topology::Topology;
use super::until::until;

/// A forward to the last host that is checked so.
fn checked(bed: &Bed, check: &str) -> Topology {
    let to = format!("h{}/127.0.0.1:{FAR}", bed.last());
    Topology::line(bed)
        .impatient()
        .top("forwards", json!({ "data": { "listen": NEAR, "to": to, "check": check } }))
}

#[test]
fn a_loop_goes_round_while_nobody_is_at_the_target_and_leaves_nothing_listening() {
    let Some(bed) = Bed::line(2) else { return };
    let before = bed.listeners(2);
    let hopper = Hopper::on(&bed);
    hopper.up(&checked(&bed, "loop"), &[]);
    assert!(until(Duration::from_secs(10), || bed.listeners(2) == before), "{:?}", bed.listeners(2));
    bed.far_end(2);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_host_that_may_not_listen_is_named_with_the_way_round() {
    let Some(bed) = Bed::line(2) else { return };
    let hopper = Hopper::on(&bed);
    for (rule, words) in [
        ("AllowTcpForwarding local", "does not listen on its loopback: the server refused to listen"),
        ("PermitOpen none", "may not connect to its own listener"),
    ] {
        bed.restart_sshd(2, rule);
        let ended = hopper.try_up(&checked(&bed, "loop"), &[]);
        assert_eq!(ended.code, 7, "{}", ended.stderr);
        for words in
            ["H0709", "h2 does not lead the loop of forward \"data\" back", "(hop 2 of 2)", words, "--grants"]
        {
            assert!(ended.stderr.contains(words), "{rule}: {words}: {}", ended.stderr);
        }
    }
    hopper.assert_nothing_left();
}

#[test]
fn an_account_that_is_granted_no_more_than_it_needs_loops() {
    let Some(bed) = Bed::line(1) else { return };
    let hopper = Hopper::on(&bed);
    let topology = checked(&bed, "loop");
    let file = topology.write(&bed);
    let grants = hopper.run(&["plan", file.to_str().expect("a plain path"), "--grants", "--json"]);
    let grants: Value = serde_json::from_str(&grants.stdout).expect("JSON");
    let options = grants["hosts"][0]["keys"][0]["options"].as_str().expect("options");
    bed.authorize(1, &format!("{options} {}", bed.key().public()));
    hopper.up(&topology, &[]);
    hopper.down();
}

#[test]
fn a_hole_between_hops_is_noticed_by_the_loop_alone() {
    let Some(bed) = Bed::line(2) else { return };
    // No keepalive: nobody else would notice.
    let policy =
        json!({ "probe": { "every": "1h", "first": "1s", "timeout": "2s" }, "reconnect": { "max": "1s" } });
    let forwards =
        json!({ "data": { "listen": NEAR, "to": format!("h2/127.0.0.1:{FAR}"), "check": "loop" } });
    let topology = quick(&bed).hosts("keepalive", json!({ "interval": "0s" })).top("policy", policy);
    let standing = Standing::on(&bed, &topology.top("forwards", forwards));
    let old = bed.sessions(2);
    bed.shut(2, 22);
    standing.wait_until_lost(&bed, 2);
    bed.heal(2, 22);
    standing.wait_until_restored(1);
    // Nobody could tell the server that this one was over.
    for pid in old {
        signal("KILL", pid);
    }
    standing.down();
}
