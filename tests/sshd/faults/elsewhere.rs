//! What other hosts keep for a run: listeners there are asked for again, and clients there are started again.

use serde_json::json;

use super::super::bed::{Bed, FAR};
use super::super::command::signal;
use super::super::hopper::Hopper;
use super::super::load::MIB;
use super::super::until::{SOON, until};
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
fn a_fresh_run_waits_for_a_listener_that_a_dead_session_still_has() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(0);
    // Long enough for a test; a server may take even longer.
    let patient =
        back_from_host_1(&bed, "h1/7101").hosts("keepalive", json!({ "interval": "10s", "max": 5 }));
    let earlier = Standing::on(&bed, &patient);
    let frozen = bed.sessions(1);
    assert!(!frozen.is_empty() && frozen.iter().all(|pid| signal("STOP", *pid)));
    earlier.run.signal("KILL");
    earlier.run.ended();
    let hopper = Hopper::on(&bed);
    let run = hopper.start_up(&patient, &["--progress", "plain"]);
    let taken =
        "back: h1/127.0.0.1:7101 is taken, maybe still by an earlier session; asks again for 1 min 1 s";
    assert!(until(SOON, || run.stderr().contains(taken)), "{}", run.stderr());
    frozen.iter().for_each(|pid| assert!(signal("KILL", *pid), "{pid} is gone"));
    let up = || hopper.status().is_some_and(|status| status["state"] == "up");
    assert!(until(SOON, up), "{}", run.stderr());
    assert_eq!(run.stderr().matches("is taken").count(), 1, "{}", run.stderr());
    bed.load_whole(1, 7101, &[("both", MIB, 2)]);
    hopper.down();
    assert_eq!(run.ended().code, 0);
    hopper.assert_nothing_left();
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
