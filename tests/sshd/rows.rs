//! The table of the source document: how many tunnels make how many hops.

use serde_json::{Value, json};

use super::bed::{Bed, FAR, NEAR};
use super::hopper::Hopper;
use super::load::MIB;
use super::telescope::{assert_no_client_within, line, topology};
use super::topology::{Topology, id};
use super::until::SOON;

fn plan(hopper: &Hopper<'_>, topology: &Topology, bed: &Bed) -> Value {
    let file = topology.write(bed);
    let ended = hopper.run(&["plan", file.to_str().expect("a plain path"), "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).expect("JSON")
}

/// Carries data over this many hops, with this many tunnels, and leaves nothing.
fn reaches(bed: &Bed, hops: usize, tunnels: usize, plain: bool) {
    let hopper = Hopper::on(bed);
    let topology = topology(bed, hops, plain);
    let plan = plan(&hopper, &topology, bed);
    let summary = &plan["summary"];
    let riding =
        summary["tunnels"].as_u64().zip(summary["control"].as_u64()).map(|(all, control)| all - control);
    assert_eq!((riding, &summary["hops"]), (Some(tunnels as u64), &hops.into()), "{plain}: {plan}");
    hopper.up(&topology, &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 4)]);
    hopper.down();
    hopper.assert_nothing_left();
    assert_no_client_within(bed, SOON);
}

#[test]
fn a_row_of_hosts_is_reached_with_as_few_tunnels_as_the_source_document_says() {
    // The last host is the target, so every row has a bed of its own.
    for (hops, tunnels) in [(1, 0), (3, 1), (5, 2), (7, 3)] {
        let Some(bed) = line(hops) else { return };
        reaches(&bed, hops, tunnels, true);
    }
}

#[test]
fn a_protected_first_hop_takes_half_a_tunnel_more() {
    for (hops, tunnels) in [(2, 1), (4, 2), (6, 3)] {
        let Some(bed) = line(hops) else { return };
        reaches(&bed, hops, tunnels, false);
    }
}

/// Nested tunnels need a session for every hop but the last.
#[test]
fn nested_tunnels_reach_one_hop_more_than_they_are() {
    let hops = 7;
    let Some(bed) = line(hops) else { return };
    for host in 1..hops {
        bed.serve(host, "0.0.0.0", FAR, false);
        bed.open(host, FAR);
    }
    for (hops, tunnels) in [(1, 0), (3, 2), (5, 4), (7, 6)] {
        let hopper = Hopper::on(&bed);
        let to = format!("{}:{FAR}", id(hops));
        let topology = Topology::line(&bed).top("forwards", json!({ "data": { "listen": NEAR, "to": to } }));
        let plan = plan(&hopper, &topology, &bed);
        let summary = &plan["summary"];
        assert_eq!((&summary["tunnels"], &summary["hops"]), (&tunnels.into(), &hops.into()), "{plan}");
        hopper.up(&topology, &[]);
        bed.load_whole(0, NEAR, &[("both", MIB, 4)]);
        hopper.down();
        hopper.assert_nothing_left();
    }
}
