//! Hosts that fall silent without hanging up: the lowest silent hop is blamed, whoever misses it first.

use super::super::bed::{Bed, NEAR};
use super::super::command::signal;
use super::super::load::MIB;
use super::super::until::until;
use super::{PATIENCE, Standing, quick};

fn a_hole_before(hop: usize, upload: bool) {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    let standing = Standing::on(&bed, &quick(&bed));
    let load = upload.then(|| bed.start_load(0, "127.0.0.1", NEAR, &[("put", 64 * 1024 * MIB, 1)]));
    if load.is_some() {
        let flows = || standing.status()["forwards"][0]["bytes_up"].as_u64() > Some(8 * MIB);
        assert!(until(PATIENCE, flows), "{}", standing.status());
    }
    let old = bed.sessions(hop);
    bed.shut(hop, 22);
    standing.wait_until_lost(&bed, hop);
    standing.wait_for("tried", || standing.said(&format!("T{hop} h{hop}: still away")) > 0);
    assert_eq!(standing.status()["state"], "degraded");
    bed.heal(hop, 22);
    standing.wait_until_restored(1);
    for outcome in load.map(|load| load.finish()).unwrap_or_default() {
        assert_eq!(outcome.end, "reset", "an upload that was cut looks whole");
    }
    for host in 1..hop {
        assert_eq!((bed.logins(host), bed.visits(host)), (1, 1), "host {host} was never touched");
    }
    bed.load_whole(0, NEAR, &[("both", MIB, 4)]);
    // Nobody could tell the server that these were over.
    for pid in old {
        signal("KILL", pid);
    }
    standing.down();
}

#[test]
fn a_hole_before_hop_1_is_blamed_on_hop_1_and_heals() {
    a_hole_before(1, false);
}

#[test]
fn a_hole_before_hop_2_is_blamed_on_hop_2_and_heals() {
    a_hole_before(2, false);
}

#[test]
fn a_hole_before_hop_3_is_blamed_on_hop_3_and_heals() {
    a_hole_before(3, false);
}

#[test]
fn a_hole_under_an_upload_is_blamed_on_its_hop_and_heals() {
    a_hole_before(2, true);
}

#[test]
fn a_hole_before_hop_1_under_an_upload_is_blamed_on_hop_1_and_heals() {
    a_hole_before(1, true);
}

#[test]
fn a_hole_before_hop_3_under_an_upload_is_blamed_on_hop_3_and_heals() {
    a_hole_before(3, true);
}

#[test]
fn a_session_that_stands_still_is_replaced_while_it_still_does() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    let standing = Standing::on(&bed, &quick(&bed));
    let frozen = bed.sessions(2);
    assert!(!frozen.is_empty() && frozen.iter().all(|pid| signal("STOP", *pid)));
    standing.wait_until_lost(&bed, 2);
    standing.wait_until_restored(1);
    assert_eq!([1, 2, 3].map(|host| bed.logins(host)), [1, 2, 2]);
    bed.load_whole(0, NEAR, &[("both", MIB, 4)]);
    frozen.iter().for_each(|pid| assert!(signal("CONT", *pid), "{pid} is gone"));
    standing.down();
}
