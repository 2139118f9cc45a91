//! Servers that stand still without hanging up: noticed in time, and the right hop is blamed.

use std::time::Duration;

use serde_json::json;

use super::bed::{Bed, NEAR};
use super::command::{must, signal};
use super::hopper::{Ended, Hopper};
use super::load::MIB;
use super::topology::{Topology, id};
use super::until::{SOON, until};

/// Processes that were stopped, until dropped.
struct Frozen(Vec<u32>);

impl Frozen {
    fn all(pids: Vec<u32>) -> Frozen {
        assert!(!pids.is_empty(), "nobody is there");
        let frozen = Frozen(pids);
        assert!(frozen.0.iter().all(|pid| signal("STOP", *pid)));
        frozen
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            signal("CONT", *pid);
        }
    }
}

/// Insists that the run ended because the session to this host was lost.
fn assert_lost(ended: &Ended, host: usize) {
    assert_ne!(ended.code, 0, "{}", ended.stderr);
    let blamed = format!("the session to {} was lost", id(host));
    let plain = ended.stderr.replace('"', "");
    assert!(plain.contains(&blamed), "does not say that {blamed}: {}", ended.stderr);
}

/// A chain of two whose second host stands still, with ten clients that do this.
fn an_inner_hop_freezes(upload: Option<&'static str>) {
    const CLIENTS: usize = 10;
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    let topology = Topology::line(&bed).hosts("keepalive", json!({ "interval": "1s", "max": 3 }));
    let run = hopper.hold(&topology, &["--progress", "plain"]);
    let job = upload.map(|upload| (upload, 64 * 1024 * MIB, CLIENTS));
    let load = job.map(|job| bed.start_load(0, "127.0.0.1", NEAR, &[job]));
    if load.is_some() {
        let each = if upload == Some("later") { 1000 } else { 4 * MIB };
        let running = || {
            let status = hopper.status().expect("status answers");
            let data = &status["forwards"][0];
            data["clients"] == CLIENTS && data["bytes_up"].as_u64() >= Some(CLIENTS as u64 * each)
        };
        assert!(until(SOON, running), "the uploads do not run: {:?}", hopper.status());
    }
    let frozen = Frozen::all(bed.sessions(2));
    if let Some(load) = &load {
        load.go();
    }
    let named = until(Duration::from_secs(20), || run.stderr().contains("T2 h2: lost"));
    assert!(named, "does not name the hop: {}", run.stderr());
    hopper.down();
    drop(frozen);
    for outcome in load.map(|load| load.finish()).unwrap_or_default() {
        assert_eq!(outcome.end, "reset", "an upload that was cut looks whole");
    }
    hopper.assert_nothing_left();
}

#[test]
fn an_inner_hop_that_freezes_under_uploads_is_noticed() {
    an_inner_hop_freezes(Some("put"));
}

#[test]
fn an_inner_hop_that_freezes_before_uploads_that_fill_the_way_to_it_is_noticed() {
    // Their windows are wide open, and together wider than the channel to it: a write blocks for ever.
    an_inner_hop_freezes(Some("later"));
}

#[test]
fn an_inner_hop_that_freezes_while_idle_is_noticed() {
    an_inner_hop_freezes(None);
}

/// The session to `victim` dies while host 3 is being waited for.
fn a_lower_hop_dies_while_hop_3_opens(victim: usize) {
    let Some(bed) = Bed::line(3) else { return };
    let hopper = Hopper::on(&bed);
    let frozen = Frozen::all(bed.pids(3));
    let run = hopper.start_up(&Topology::line(&bed), &["--progress", "plain"]);
    let waits = || {
        let list = must(bed.on(3, "ss").args(["-Htn", "state", "established", "sport = :22"]));
        bed.logins(2) == 1 && !list.trim().is_empty()
    };
    assert!(until(SOON, waits), "never came to host 3: {}", run.stderr());
    bed.kill_sessions(victim);
    let ended = run.ended_within(Duration::from_secs(8));
    assert_lost(&ended, victim);
    assert!(!ended.stderr.contains("did not answer"), "blames the wrong hop: {}", ended.stderr);
    drop(frozen);
    hopper.assert_nothing_left();
}

#[test]
fn hop_1_that_dies_while_hop_3_opens_is_blamed() {
    a_lower_hop_dies_while_hop_3_opens(1);
}

#[test]
fn hop_2_that_dies_while_hop_3_opens_is_blamed() {
    a_lower_hop_dies_while_hop_3_opens(2);
}
