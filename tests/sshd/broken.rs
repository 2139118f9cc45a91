//! A session dies under load: a cut stream is never taken for a whole one, and the right hop is blamed.

use super::bed::{Bed, NEAR};
use super::hopper::Hopper;
use super::load::MIB;
use super::topology::Topology;
use super::until::{SOON, until};

/// More than could pass before the session is killed.
const ENDLESS: u64 = 64 * 1024 * MIB;

fn a_cut_is_a_reset(carrier: &str, job: &'static str) {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    let hopper = Hopper::on(&bed);
    let run = hopper.hold(&Topology::line(&bed), &["--carrier", carrier, "--progress", "plain"]);
    let load = bed.start_load(0, "127.0.0.1", NEAR, &[(job, ENDLESS, 2)]);
    load.wait_until_flow(2);
    bed.kill_sessions(2);
    for outcome in load.finish() {
        assert_eq!(outcome.end, "reset", "after {} bytes", outcome.received);
    }
    let restored = until(SOON, || run.stderr().contains("Up again"));
    assert!(restored && run.stderr().contains("T2 h2: lost"), "does not name the hop: {}", run.stderr());
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_download_cut_at_hop_2_is_reset_and_hop_2_is_named() {
    a_cut_is_a_reset("channel", "get");
}

#[test]
fn a_download_cut_at_hop_2_is_reset_over_real_ports_too() {
    a_cut_is_a_reset("port", "get");
}

#[test]
fn streams_cut_in_both_directions_are_reset() {
    a_cut_is_a_reset("channel", "both");
}

#[test]
fn an_idle_chain_notices_a_killed_session() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    let run = hopper.hold(&Topology::line(&bed), &["--progress", "plain"]);
    bed.kill_sessions(1);
    let named = until(SOON, || run.stderr().contains("T1 h1: lost"));
    assert!(named, "does not name the hop: {}", run.stderr());
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_stalled_client_holds_up_nobody_else() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    // These connect, ask for data, and never read any of it.
    let stalled = bed.start_load(0, "127.0.0.1", NEAR, &[("stall", 64 * MIB, 3)]);
    stalled.wait_until_flowing();
    bed.load_whole(0, NEAR, &[("both", 8 * MIB, 4)]);
    assert_eq!(hopper.status().expect("status answers")["state"], "up");
    stalled.abandon();
    hopper.down();
    hopper.assert_nothing_left();
}
