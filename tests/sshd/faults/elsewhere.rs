//! What other hosts keep for a run: listeners there are asked for again, and clients there are started again.

use serde_json::json;

use super::super::bed::{Bed, FAR};
use super::super::command::signal;
use super::super::load::MIB;
use super::{Standing, quick};

fn back_from_host_1(bed: &Bed, listen: &str) -> super::Topology {
    quick(bed).top("forwards", json!({ "back": { "listen": listen, "to": format!("local:{FAR}") } }))
}

#[test]
fn a_listener_on_another_host_is_asked_for_again() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(0);
    let standing = Standing::on(&bed, &back_from_host_1(&bed, "h1/auto"));
    let listens = standing.status()["forwards"][0]["listen"].clone();
    bed.kill_sessions(1);
    standing.wait_until_restored(1);
    assert_eq!(standing.status()["forwards"][0]["listen"], listens, "another port");
    let port = listens.as_str().and_then(|at| at.rsplit(':').next()?.parse().ok()).expect("a port");
    bed.load_whole(1, port, &[("both", MIB, 2)]);
    standing.down();
}

#[test]
fn a_listener_that_a_dead_session_still_has_is_waited_for() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(0);
    let standing = Standing::on(&bed, &back_from_host_1(&bed, "h1/7101"));
    let frozen = bed.sessions(1);
    assert!(!frozen.is_empty() && frozen.iter().all(|pid| signal("STOP", *pid)));
    standing.wait_until_lost(&bed, 1);
    standing.wait_for("refused", || standing.said("back: still away") > 0);
    assert_eq!(standing.status()["forwards"][0]["code"], "H0707", "{}", standing.status());
    frozen.iter().for_each(|pid| assert!(signal("KILL", *pid), "{pid} is gone"));
    standing.wait_until_restored(1);
    bed.load_whole(1, 7101, &[("both", MIB, 2)]);
    standing.down();
}
