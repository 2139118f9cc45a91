//! Every way a run can be ended: keys and signals, early, late and twice, and without warning.

use std::time::Duration;

use super::bed::{Bed, NEAR};
use super::command::signal;
use super::hopper::{Hopper, Running};
use super::load::MIB;
use super::topology::Topology;
use super::until::{SOON, until};

/// A chain whose third host never says a word, with the run waiting for it.
fn stuck_at_hop_3<'b>(bed: &'b Bed) -> (Hopper<'b>, Running) {
    bed.stop_sshd(3);
    bed.serve(3, "0.0.0.0", 22, true);
    let hopper = Hopper::on(bed);
    let run = hopper.start_up(&Topology::line(bed), &["--progress", "plain"]);
    assert!(until(SOON, || bed.logins(2) == 1), "never came to host 2: {}", run.stderr());
    (hopper, run)
}

fn ended_while_building(name: &str, exit: i32) {
    let Some(bed) = Bed::line(3) else { return };
    let (hopper, run) = stuck_at_hop_3(&bed);
    run.signal(name);
    let ended = run.ended_within(Duration::from_secs(5));
    assert_eq!(ended.code, exit, "{}", ended.stderr);
    hopper.assert_nothing_left();
}

#[test]
fn ctrl_c_while_building_exits_130_and_leaves_nothing() {
    ended_while_building("INT", 130);
}

#[test]
fn sigterm_while_building_exits_143_and_leaves_nothing() {
    ended_while_building("TERM", 143);
}

fn ended_when_up(name: &str) {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    let hopper = Hopper::on(&bed);
    let run = hopper.hold(&Topology::line(&bed), &["--progress", "plain"]);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    run.signal(name);
    let ended = run.ended_within(Duration::from_secs(5));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    hopper.assert_nothing_left();
}

#[test]
fn ctrl_c_when_up_exits_0_and_leaves_nothing() {
    ended_when_up("INT");
}

#[test]
fn sigterm_when_up_exits_0_and_leaves_nothing() {
    ended_when_up("TERM");
}

#[test]
fn down_ends_a_run_that_is_still_building() {
    let Some(bed) = Bed::line(3) else { return };
    let (hopper, run) = stuck_at_hop_3(&bed);
    hopper.down();
    let ended = run.ended_within(Duration::from_secs(5));
    assert_ne!(ended.code, 0, "it never was up: {}", ended.stderr);
    hopper.assert_nothing_left();
}

#[test]
fn down_ends_a_run_in_the_foreground_and_under_load() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    let run = hopper.hold(&Topology::line(&bed), &["--progress", "plain"]);
    let load = bed.start_load(0, "127.0.0.1", NEAR, &[("get", 64 * 1024 * MIB, 2)]);
    load.wait_until_flowing();
    hopper.down();
    assert_eq!(run.ended_within(Duration::from_secs(5)).code, 0);
    hopper.assert_nothing_left();
    for outcome in load.finish() {
        assert_eq!(outcome.end, "reset", "a stream that down cut short looks whole");
    }
}

#[test]
fn a_second_ctrl_c_does_not_wait_for_hosts_that_hang() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    let mut run = hopper.hold(&Topology::line(&bed), &["--progress", "plain"]);
    let frozen: Vec<_> = (1..=2).flat_map(|host| bed.sessions(host)).collect();
    assert!(!frozen.is_empty() && frozen.iter().all(|pid| signal("STOP", *pid)));
    run.signal("INT");
    // It may be polite for a moment, or be over already.
    until(Duration::from_millis(300), || run.is_over());
    if !run.is_over() {
        run.signal("INT");
    }
    run.ended_within(Duration::from_secs(3));
    for pid in frozen {
        signal("CONT", pid);
    }
    hopper.assert_nothing_left();
}

#[test]
fn a_single_ctrl_c_ends_even_when_hosts_hang() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    let run = hopper.hold(&Topology::line(&bed), &["--progress", "plain"]);
    let frozen: Vec<_> = (1..=2).flat_map(|host| bed.sessions(host)).collect();
    assert!(frozen.iter().all(|pid| signal("STOP", *pid)));
    run.signal("INT");
    run.ended_within(Duration::from_secs(15));
    for pid in frozen {
        signal("CONT", pid);
    }
    hopper.assert_nothing_left();
}

/// A detached run, killed outright.
fn killed<'b>(bed: &'b Bed) -> Hopper<'b> {
    bed.far_end(2);
    let hopper = Hopper::on(bed);
    hopper.up(&Topology::line(bed), &[]);
    assert!(signal("KILL", hopper.pid()));
    assert!(until(SOON, || hopper.processes().is_empty()), "it does not die");
    hopper
}

#[test]
fn after_kill_9_down_cleans_up_and_says_so() {
    let Some(bed) = Bed::line(2) else { return };
    let hopper = killed(&bed);
    let said = hopper.down().stderr;
    let words = ["stale", "left over", "left behind", "killed", "died", "crashed", "was gone"];
    assert!(words.iter().any(|word| said.contains(word)), "does not say what it found: {said}");
    hopper.assert_nothing_left();
    hopper.up(&Topology::line(&bed), &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn after_kill_9_the_next_up_just_works() {
    let Some(bed) = Bed::line(2) else { return };
    let hopper = killed(&bed);
    assert_eq!(hopper.run(&["status", "bed"]).code, 3, "status of a run that was killed");
    hopper.up(&Topology::line(&bed), &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn down_all_ends_every_run() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    assert_eq!(hopper.processes(), [hopper.pid()], "one process holds the run");
    assert_eq!(hopper.run(&["down", "--all"]).code, 0);
    hopper.assert_nothing_left();
}
