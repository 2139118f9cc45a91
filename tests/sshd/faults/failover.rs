//! A second gate is taken when the first stays down, and left again when the file asks for that.
//!
//! Both gates are one host: one sshd that listens on two ports, each of which can be shut for itself.

use serde_json::{Value, json};

use super::super::bed::{Bed, FAR, NEAR};
use super::super::command::signal;
use super::super::hopper::Hopper;
use super::super::load::MIB;
use super::super::until::until;
use super::{PATIENCE, Standing, Topology, inode};

/// The port of the second gate.
const OTHER: u16 = 2222;

/// A host, and the same one by its other port.
fn twins(bed: &Bed, host: usize) {
    bed.restart_sshd(host, &format!("Port {OTHER}"));
    bed.open(host, OTHER);
}

fn gate(host: usize, port: u16) -> Value {
    let name = super::super::network::name(host);
    json!({
        "address": name, "port": port, "user": "root", "host_key": { "alias": name },
        "keepalive": { "interval": "1s", "max": 2 },
        "timeout": { "connect": "2s", "banner": "2s", "login": "5s", "forward": "2s" },
    })
}

/// Host 1 is the edge, host 2 both gates, and what is wanted is on host 2.
fn two_gates(bed: &Bed, failover: &Value) -> Topology {
    twins(bed, 2);
    bed.far_end(2);
    Topology::line(bed)
        .top(
            "hosts",
            json!({
                "edge": gate(1, 22), "gate-1": gate(2, 22), "gate-2": gate(2, OTHER),
                "data": { "address": "127.0.0.1", "ssh": false },
            }),
        )
        .top(
            "links",
            json!(["local -> edge -> gate-1 -> data", "gate-2 -> data",
                   { "from": "edge", "to": "gate-2", "cost": 20 }]),
        )
        .top("forwards", json!({ "data": { "listen": NEAR, "to": format!("data:{FAR}"), "hold": "60s" } }))
        .top("policy", json!({ "reconnect": { "max": "1s" }, "failover": failover }))
}

const LEAVES: &str = "data: goes by way of gate-2 instead of gate-1: ";
const RETURNS: &str = "data: back on its first route, local → edge → gate-1 → data";

/// Up by the second gate: the first one is silent.
fn wait_until_moved(standing: &Standing<'_>) {
    standing.wait_for("moved", || standing.said(LEAVES) > 0);
    standing.wait_until_restored(1);
    let status = standing.status();
    assert_eq!(status["forwards"][0]["standby"]["by"], json!(["gate-2"]), "{status}");
    assert_eq!(status["forwards"][0]["standby"]["instead_of"], json!(["gate-1"]), "{status}");
    assert!(status["forwards"][0]["standby"]["code"].as_str().is_some_and(|code| code.starts_with("H06")));
    assert_eq!(status["forwards"][0]["via"], "T3", "{status}");
}

/// Sessions that nobody could tell their servers were over.
fn end(old: Vec<u32>) {
    for pid in old {
        signal("KILL", pid);
    }
}

fn tunnel<'s>(status: &'s Value, place: usize) -> &'s str {
    status["tunnels"][place]["state"].as_str().unwrap_or_default()
}

#[test]
fn a_gate_that_stays_silent_is_gone_round_and_who_connects_meanwhile_is_served() {
    let Some(bed) = Bed::line(2) else { return };
    let standing = Standing::on(&bed, &two_gates(&bed, &json!({ "after": "2s" })));
    assert_eq!([0, 1, 2].map(|t| tunnel(&standing.status(), t).to_owned()), ["up", "up", "standby"]);
    let listener = inode(&bed, NEAR);
    let old = bed.sessions(2);
    bed.shut(2, 22);
    standing.wait_for("lost", || standing.said("T2 gate-1: lost, rebuilding it") > 0);
    let waiting = bed.start_load(0, "127.0.0.1", NEAR, &[("both", MIB, 4)]);
    wait_until_moved(&standing);
    assert!(waiting.finish().iter().all(|outcome| outcome.end == "ok"), "clients that waited");
    assert_eq!(inode(&bed, NEAR), listener, "the listener was never closed");
    assert_eq!((bed.logins(1), bed.logins(2)), (1, 2), "the edge is shared, each gate was logged in to once");
    let status = standing.status();
    assert_eq!([0, 1, 2].map(|t| tunnel(&status, t)), ["up", "standby", "up"], "{status}");
    let ended = standing.hopper.run(&["status", "bed"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(ended.stdout.contains("2/2 tunnels"), "{}", ended.stdout);
    assert!(ended.stdout.contains("by way of gate-2 instead of gate-1, because H06"), "{}", ended.stdout);
    let ended = standing.hopper.run(&["explain", "data"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(
        ended.stdout.contains("edge → gate-2") && !ended.stdout.contains("edge → gate-1"),
        "{}",
        ended.stdout
    );
    // Nobody asked for the way back.
    bed.heal(2, 22);
    bed.load_whole(0, NEAR, &[("both", 16 * MIB, 4)]);
    let status = standing.status();
    assert_eq!(
        ([0, 1, 2].map(|t| tunnel(&status, t)), bed.logins(2)),
        (["up", "standby", "up"], 2),
        "{status}"
    );
    end(old);
    standing.down();
}

#[test]
fn it_goes_back_when_asked_and_cuts_nobody_for_that() {
    let Some(bed) = Bed::line(2) else { return };
    let standing = Standing::on(&bed, &two_gates(&bed, &json!({ "after": "2s", "back": "1s" })));
    let listener = inode(&bed, NEAR);
    let old = bed.sessions(2);
    bed.shut(2, 22);
    wait_until_moved(&standing);
    let load = bed.start_load(0, "127.0.0.1", NEAR, &[("both", 256 * MIB, 1)]);
    load.wait_until_flowing();
    bed.heal(2, 22);
    standing.wait_for("whole", || tunnel(&standing.status(), 1) == "up");
    assert_eq!(standing.said(RETURNS), 0, "somebody is connected");
    assert!(load.finish().iter().all(|outcome| outcome.end == "ok"), "a stream was cut for the way back");
    standing.wait_for("back", || standing.said(RETURNS) == 1);
    assert!(until(PATIENCE, || tunnel(&standing.status(), 2) == "standby"), "{}", standing.status());
    let status = standing.status();
    assert_eq!((&status["state"], &status["forwards"][0]["via"]), (&"up".into(), &"T2".into()), "{status}");
    assert_eq!(status["forwards"][0].get("standby"), None, "{status}");
    assert_eq!(inode(&bed, NEAR), listener, "the listener was never closed");
    assert_eq!(bed.logins(1), 1, "the edge is shared");
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    end(old);
    standing.down();
}

#[test]
fn a_start_with_a_dead_gate_takes_the_other_at_once() {
    let Some(bed) = Bed::line(2) else { return };
    let topology = two_gates(&bed, &json!({ "after": "1h" }));
    bed.shut(2, 22);
    let standing = Standing::on(&bed, &topology);
    assert_eq!(standing.said(LEAVES), 1, "{}", standing.run.stderr());
    assert_eq!(standing.status()["forwards"][0]["standby"]["code"], "H0602", "{}", standing.status());
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    standing.down();
}

#[test]
fn a_start_with_two_dead_gates_fails_for_the_first_and_leaves_nothing() {
    let Some(bed) = Bed::line(2) else { return };
    let topology = two_gates(&bed, &json!(true));
    bed.shut(2, 22);
    bed.shut(2, OTHER);
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&topology, &["--progress", "plain"]);
    assert_eq!(ended.code, 6, "{}", ended.stderr);
    assert!(ended.stderr.contains("error[H0602]: gate-1: "), "{}", ended.stderr);
    hopper.assert_nothing_left();
}

#[test]
fn a_gate_with_another_key_is_told_of_and_never_tried_again() {
    let Some(bed) = Bed::line(2) else { return };
    let mut hosts = json!({
        "edge": gate(1, 22), "gate-1": gate(2, 22), "gate-2": gate(2, OTHER),
        "data": { "address": "127.0.0.1", "ssh": false },
    });
    hosts["gate-1"]["host_key"] = json!({ "fingerprint": bed.host_key(1).fingerprint() });
    let topology = two_gates(&bed, &json!({ "after": "2s", "back": "1s" })).top("hosts", hosts);
    let standing = Standing::on(&bed, &topology);
    assert_eq!(standing.said(LEAVES), 1, "{}", standing.run.stderr());
    let status = standing.status();
    assert!(status["forwards"][0]["standby"]["code"].as_str().is_some_and(|code| code.starts_with("H05")));
    assert_eq!([0, 1, 2].map(|t| tunnel(&status, t)), ["up", "failed", "up"], "{status}");
    bed.load_whole(0, NEAR, &[("both", 16 * MIB, 4)]);
    assert_eq!((bed.logins(2), bed.visits(2)), (1, 2), "tried once, and nothing sent");
    standing.down();
}

#[test]
fn a_listener_on_another_host_is_asked_for_again_by_the_other_way() {
    let Some(bed) = Bed::line(2) else { return };
    twins(&bed, 1);
    bed.far_end(0);
    let topology = Topology::line(&bed)
        .top("hosts", json!({ "gate-1": gate(1, 22), "gate-2": gate(1, OTHER), "inner": gate(2, 22) }))
        .top(
            "links",
            json!(["local -> gate-1 -> inner", { "from": "local", "to": "gate-2", "cost": 20 }, "gate-2 -> inner"]),
        )
        .top("forwards", json!({ "back": { "listen": "inner/auto", "to": format!("local:{FAR}") } }))
        .top("policy", json!({ "reconnect": { "max": "1s" }, "failover": { "after": "2s" } }));
    let standing = Standing::on(&bed, &topology);
    let listens = standing.status()["forwards"][0]["listen"].clone();
    let old = bed.sessions(1);
    bed.shut(1, 22);
    // It would keep the port for as long as it is not missed.
    end(bed.sessions(2));
    standing.wait_for("moved", || standing.said("back: goes by way of gate-2 instead of gate-1: ") > 0);
    standing.wait_until_restored(1);
    assert_eq!(standing.status()["forwards"][0]["listen"], listens, "another port");
    let port = listens.as_str().and_then(|at| at.rsplit(':').next()?.parse().ok()).expect("a port");
    bed.load_whole(2, port, &[("both", MIB, 2)]);
    end(old);
    standing.down();
}
