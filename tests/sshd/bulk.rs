//! Bulk in both directions at once, through nested tunnels: every window and buffer full, no deadlock.

use super::bed::{Bed, NEAR};
use super::hopper::Hopper;
use super::load::MIB;
use super::topology::Topology;

/// Many times every window and buffer of the whole chain together, per stream.
const EACH: u64 = 16 * MIB;

fn runs_to_the_end(hosts: usize, carrier: &str) {
    let Some(bed) = Bed::line(hosts) else { return };
    bed.far_end(hosts);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &["--carrier", carrier]);
    bed.load_whole(0, NEAR, &[("put", EACH, 1), ("get", EACH, 4)]);
    bed.load_whole(0, NEAR, &[("put", EACH, 4), ("get", EACH, 4)]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn bulk_both_ways_ends_over_2_tunnels_in_channels() {
    runs_to_the_end(2, "channel");
}

#[test]
fn bulk_both_ways_ends_over_3_tunnels_in_channels() {
    runs_to_the_end(3, "channel");
}

#[test]
fn bulk_both_ways_ends_over_4_tunnels_in_channels() {
    runs_to_the_end(4, "channel");
}

#[test]
fn bulk_both_ways_ends_over_2_tunnels_on_ports() {
    runs_to_the_end(2, "port");
}

#[test]
fn bulk_both_ways_ends_over_3_tunnels_on_ports() {
    runs_to_the_end(3, "port");
}

#[test]
fn bulk_both_ways_ends_over_4_tunnels_on_ports() {
    runs_to_the_end(4, "port");
}
