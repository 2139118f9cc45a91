//! A run that slept, or is asked: not up before everything has answered. And far ends that are asked every so often.

use std::time::Duration;

use serde_json::json;

use super::super::bed::{Bed, FAR, NEAR};
use super::super::command::signal;
use super::super::load::MIB;
use super::super::until::until;
use super::{Standing, quick};

/// Longer than the silence that is noticed, and than what a busy machine takes.
const NAP: Duration = Duration::from_secs(8);

#[test]
fn a_run_that_stood_still_keeps_what_answers() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let standing = Standing::on(&bed, &quick(&bed));
    let pid = standing.hopper.pid();
    assert!(signal("STOP", pid));
    until(NAP, || false);
    assert!(signal("CONT", pid));
    standing.wait_for("verified", || standing.said("All answered after") == 1);
    assert_eq!(standing.said("asking everything whether it is still there"), 1);
    assert_eq!([1, 2].map(|host| bed.logins(host)), [1, 1], "{}", standing.run.stderr());
    assert_eq!(standing.status()["state"], "up");
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    standing.down();
}

/// What status says the moment it can be asked again is no older than the silence that would have been noticed.
#[test]
fn a_run_that_stood_still_calls_nothing_up_that_it_did_not_hear_of_since() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let standing = Standing::on(&bed, &quick(&bed));
    assert_eq!(standing.status()["state"], "up");
    let pid = standing.hopper.pid();
    let old = bed.sessions(2);
    assert!(signal("STOP", pid));
    bed.shut(2, 22);
    until(NAP, || false);
    assert!(signal("CONT", pid));
    standing.wait_for("lost", || {
        let status = standing.status();
        assert_ne!(status["state"], "up", "{status}");
        standing.lost(2) > 0
    });
    bed.heal(2, 22);
    standing.wait_until_restored(1);
    for pid in old {
        signal("KILL", pid);
    }
    standing.down();
}

#[test]
fn a_run_that_stood_still_rebuilds_what_is_gone() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let standing = Standing::on(&bed, &quick(&bed));
    let pid = standing.hopper.pid();
    assert!(signal("STOP", pid));
    bed.kill_sessions(2);
    until(NAP, || false);
    assert!(signal("CONT", pid));
    standing.wait_until_lost(&bed, 2);
    standing.wait_until_restored(1);
    assert_eq!([1, 2].map(|host| bed.logins(host)), [1, 2]);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    standing.down();
}

#[test]
fn a_signal_has_everything_asked_and_what_is_away_tried_at_once() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let policy = json!({ "reconnect": { "first": "5m", "max": "5m" } });
    let standing = Standing::on(&bed, &quick(&bed).top("policy", policy));
    let pid = standing.hopper.pid();
    assert!(signal("USR1", pid));
    standing.wait_for("verified", || standing.said("All answered after") == 1);
    bed.stop_sshd(2);
    standing.wait_for("told", || standing.said("T2 h2: still away") == 1);
    standing.wait_for("waits", || standing.status()["tunnels"][1]["state"] == "pending");
    bed.start_sshd(2, "");
    assert!(signal("USR1", pid));
    standing.wait_until_restored(1);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    standing.down();
}

#[test]
fn a_far_end_that_goes_away_is_noticed_where_the_file_says_to_ask() {
    let Some(bed) = Bed::line(2) else { return };
    let far = bed.far_end_that_can_end(2);
    let policy = json!({ "probe": { "every": "1s", "timeout": "2s" }, "reconnect": { "max": "1s" } });
    let standing = Standing::on(&bed, &quick(&bed).top("policy", policy));
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    assert!(signal("KILL", far));
    standing.wait_for("noticed", || standing.said("data: still away") > 0);
    let status = standing.status();
    assert_eq!((&status["state"], &status["forwards"][0]["code"]), (&"degraded".into(), &"H0703".into()));
    assert!(standing.run.stderr().contains(&FAR.to_string()), "{}", standing.run.stderr());
    bed.far_end(2);
    standing.wait_until_restored(1);
    assert_eq!([1, 2].map(|host| bed.logins(host)), [1, 1], "no session was touched");
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    standing.down();
}
