//! What runs share: a bastion, an agent, ports. What befalls one run is no matter of another.

use std::fs;

use serde_json::json;

use super::super::bed::{Bed, FAR, NEAR};
use super::super::command::{may, must, signal};
use super::super::hopper::Hopper;
use super::super::keys::Key;
use super::super::load::MIB;
use super::super::topology::Topology;
use super::super::until::{SOON, until};
use super::{Standing, quick};

#[test]
fn two_runs_over_one_bastion_do_not_feel_each_others_losses() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(1);
    bed.far_end(2);
    let standing = Standing::on(&bed, &quick(&bed));
    let other = quick(&bed)
        .top("name", json!("other"))
        .top("forwards", json!({ "side": { "listen": NEAR + 1, "to": format!("h1/127.0.0.1:{FAR}") } }));
    let ended = standing.hopper.try_up(&other, &["-d"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let load = bed.start_load(0, "127.0.0.1", NEAR + 1, &[("both", 64 * MIB, 2)]);
    bed.kill_sessions(2);
    standing.wait_until_lost(&bed, 2);
    standing.wait_until_restored(1);
    assert!(load.finish().iter().all(|outcome| outcome.end == "ok"), "the other run's streams were cut");
    let status = standing.hopper.run(&["status", "other", "--json"]);
    assert_eq!(status.code, 0, "{}", status.stdout);
    assert_eq!((bed.logins(1), bed.logins(2)), (2, 2), "one each, and host 2 once more");
    // One is taken down, and the other stays.
    assert_eq!(standing.hopper.run(&["down", "other"]).code, 0);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    standing.down();
}

/// Nobody who connects may meet a stranger, however long it takes.
#[test]
fn nobody_else_can_take_the_port_of_a_run_that_is_being_rebuilt() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let standing = Standing::on(&bed, &quick(&bed));
    bed.stop_sshd(1);
    standing.wait_for("told", || standing.said("T1 h1: still away") > 0);
    let take = format!("import socket; socket.create_server(('127.0.0.1', {NEAR}), reuse_port=False)");
    assert_eq!(may(bed.on(0, "/usr/bin/python3").args(["-c", &take])), None, "somebody else listens there");
    let waiting = bed.start_load(0, "127.0.0.1", NEAR, &[("both", MIB, 2)]);
    bed.start_sshd(1, "");
    standing.wait_until_restored(1);
    assert!(waiting.finish().iter().all(|outcome| outcome.end == "ok"));
    standing.down();
}

#[test]
fn an_agent_that_is_gone_when_a_host_has_to_be_entered_again_is_named_and_tried_once() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let key = Key::make(bed.path("held/key"), "ed25519", "");
    bed.authorize(1, &key.public());
    bed.authorize(2, &key.public());
    let socket = bed.path("agent.sock");
    let agent = bed.background(0, "agent", bed.on(0, "ssh-agent").arg("-D").arg("-a").arg(&socket));
    assert!(until(SOON, || socket.exists()), "no agent");
    must(bed.on(0, "ssh-add").arg("-q").arg(key.path()).env("SSH_AUTH_SOCK", &socket));
    fs::remove_file(bed.path("home/.ssh/id_ed25519")).expect("leave it to the agent");
    let hopper = Hopper::on(&bed).with_agent(socket);
    let run = hopper.hold(&quick(&bed), &["--progress", "plain"]);
    assert!(signal("KILL", agent));
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    bed.kill_sessions(2);
    let ended = run.ended();
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("agent") && ended.stderr.contains("h2"), "{}", ended.stderr);
    assert_eq!((bed.logins(2), bed.visits(2)), (1, 2), "tried once");
    hopper.assert_nothing_left();
}

/// The file was changed while it ran; whatever becomes of that, the run obeys what it was started with.
#[test]
fn a_file_that_is_changed_meanwhile_changes_no_run() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let standing = Standing::on(&bed, &quick(&bed));
    Topology::line(&bed).host(1, "address", json!("nowhere.test")).write(&bed);
    assert_eq!(standing.status()["file"]["changed"], true, "{}", standing.status());
    bed.kill_sessions(1);
    standing.wait_until_restored(1);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    standing.down();
}
