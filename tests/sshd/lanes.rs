//! Clients that are behind beside others that are not: nobody waits for anybody, nothing is lost, and memory has
//! an end.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::bed::{Bed, NEAR};
use super::command::{must, signal};
use super::hopper::Hopper;
use super::load::{Load, MIB};
use super::topology::Topology;
use super::until::{SOON, until};

/// Where another forward listens.
const OTHER: u16 = NEAR + 1;

/// The sessions of a tunnel.
pub fn lanes(hopper: &Hopper<'_>, tunnel: usize) -> u64 {
    let status = hopper.status().expect("status answers");
    status["tunnels"][tunnel].get("lanes").and_then(Value::as_u64).unwrap_or(1)
}

fn lost(hopper: &Hopper<'_>) -> u64 {
    let status = hopper.status().expect("status answers");
    let forwards = status["forwards"].as_array().expect("forwards");
    forwards.iter().filter_map(|forward| forward["lost"].as_u64()).sum()
}

/// The clients that are connected.
fn clients(hopper: &Hopper<'_>) -> u64 {
    let status = hopper.status().expect("status answers");
    let forwards = status["forwards"].as_array().expect("forwards");
    forwards.iter().filter_map(|forward| forward["clients"].as_u64()).sum()
}

/// A line of the process's status file, in MiB.
fn memory(pid: u32, key: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = text.lines().find(|line| line.starts_with(key)).expect("the kernel tells");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
}

#[test]
fn whoever_comes_beside_stalled_clients_gets_a_lane_on_either_forward() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed).forward("other", OTHER, 2), &[]);
    assert_eq!(bed.logins(2), 1);
    let stalled = bed.start_load(0, "127.0.0.1", NEAR, &[("hold", 64 * MIB, 3)]);
    stalled.wait_until_flowing();
    // The lane is there before anybody needs it.
    assert!(until(SOON, || lanes(&hopper, 1) == 2), "{:?}", hopper.status());
    for port in [NEAR, OTHER] {
        bed.load_whole(0, port, &[("get", 20 * MIB, 1), ("both", MIB, 2)]);
    }
    assert_eq!((bed.logins(1), lanes(&hopper, 0)), (1, 1), "the way there needs no lane");
    stalled.go();
    let ends: Vec<_> = stalled.finish().into_iter().map(|it| (it.end, it.received)).collect();
    assert_eq!(ends, vec![("ok".to_owned(), 64 * MIB); 3]);
    assert_eq!(lost(&hopper), 0);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn stalled_clients_of_a_session_that_tunnels_ride_hold_up_no_tunnel() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(1);
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed).forward("way", OTHER, 1), &[]);
    // More than all memory there is for them, were nobody held up.
    let stalled = bed.start_load(0, "127.0.0.1", OTHER, &[("hold", 128 * MIB, 3)]);
    stalled.wait_until_flowing();
    bed.load_whole(0, NEAR, &[("get", 20 * MIB, 1), ("both", MIB, 2)]);
    bed.load_whole(0, OTHER, &[("get", 20 * MIB, 1)]);
    assert!(bed.logins(1) > 1, "no lane: the clients hold up what rides the session");
    stalled.go();
    let ends: Vec<_> = stalled.finish().into_iter().map(|it| (it.end, it.received)).collect();
    assert_eq!(ends, vec![("ok".to_owned(), 128 * MIB); 3]);
    hopper.down();
    hopper.assert_nothing_left();
}

/// How many clients stall at once where memory is looked at.
const CROWD: u64 = 64;
/// The most that so many stalled downloads may add to what is resident, in MiB: for each the window of its channel,
/// which the server may fill at any time, and two more for what was set aside before all were seen to stall.
const GROWTH: u64 = CROWD * (4 + 2);

/// How long a process has worked, in the system's ticks.
fn ticks(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let after_name = text.rsplit(')').next().expect("a name");
    after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

/// So many downloads that are held up, once nothing more comes in: then the process has nothing to do.
fn stalled_crowd(bed: &Bed, pid: u32) -> Load {
    let stalled = bed.start_load(0, "127.0.0.1", NEAR, &[("hold", 24 * MIB, CROWD as usize)]);
    stalled.wait_until_flow(CROWD as usize);
    let (mut last, mut still) = (0, 0);
    let held = until(Duration::from_secs(60), || {
        let now = ticks(pid);
        still = if now == last { still + 1 } else { 0 };
        last = now;
        still > 100
    });
    assert!(held, "it works on");
    stalled
}

#[test]
fn sixty_four_stalled_downloads_stay_within_memory_and_arrive_whole() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    // What kernels take in for a stream that reads nothing is nothing of what is being looked at, and left alone they
    // take several MiB more for one than for another.
    let small = "for queue in rmem wmem; do echo 4096 65536 131072 > /proc/sys/net/ipv4/tcp_$queue; done";
    must(bed.on(0, "sh").args(["-ec", small]));
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    let pid = hopper.pid();
    let before = memory(pid, "VmRSS");
    let stalled = stalled_crowd(&bed, pid);
    bed.load_whole(0, NEAR, &[("get", 4 * MIB, 1)]);
    let lanes = lanes(&hopper, 1);
    stalled.go();
    let ends: Vec<_> = stalled.finish().into_iter().map(|it| (it.end, it.received)).collect();
    assert_eq!(ends, vec![("ok".to_owned(), 24 * MIB); CROWD as usize]);
    let growth = memory(pid, "VmHWM") - before;
    eprintln!(
        "{CROWD} stalled: {growth} MiB more than {before}, {lanes} lanes; {} after",
        memory(pid, "VmRSS")
    );
    assert!(growth <= GROWTH, "{growth} MiB");
    // Once they are gone their memory is free for the next: so many more, who leave without a word, find room in it.
    let again = stalled_crowd(&bed, pid);
    again.abandon();
    assert!(until(SOON, || clients(&hopper) == 0), "{:?}", hopper.status());
    let growth = memory(pid, "VmHWM") - before;
    eprintln!("and once more: {growth} MiB more; {} after", memory(pid, "VmRSS"));
    assert!(growth <= GROWTH, "{growth} MiB");
    assert_eq!(lost(&hopper), 0);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_host_that_lets_in_nobody_more_gets_no_lane_and_is_asked_once() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    bed.authorize(2, "");
    let stalled = bed.start_load(0, "127.0.0.1", NEAR, &[("stall", 64 * MIB, 2)]);
    stalled.wait_until_flowing();
    assert!(until(SOON, || bed.visits(2) == 2), "no lane is tried");
    for _ in 0..3 {
        bed.load_whole(0, NEAR, &[("get", 4 * MIB, 1)]);
    }
    assert_eq!((bed.visits(2), bed.logins(2), lanes(&hopper, 1)), (2, 1, 1));
    let status = hopper.status().expect("status answers");
    assert_eq!(
        (&status["state"], &status["tunnels"][1]["reconnects"]),
        (&json!("up"), &json!(0)),
        "{status}"
    );
    stalled.abandon();
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_lane_that_dies_costs_its_streams_and_nothing_else() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    let own = bed.sessions(2);
    let stalled = bed.start_load(0, "127.0.0.1", NEAR, &[("hold", 64 * MIB, 1)]);
    stalled.wait_until_flowing();
    assert!(until(SOON, || lanes(&hopper, 1) == 2), "{:?}", hopper.status());
    let beside = bed.start_load(0, "127.0.0.1", NEAR, &[("get", 64 * 1024 * MIB, 2)]);
    beside.wait_until_flowing();
    for pid in bed.sessions(2).into_iter().filter(|pid| !own.contains(pid)) {
        signal("KILL", pid);
    }
    let ends: Vec<_> = beside.finish().into_iter().map(|outcome| outcome.end).collect();
    assert_eq!(ends, ["reset"; 2]);
    bed.load_whole(0, NEAR, &[("get", 4 * MIB, 1)]);
    stalled.go();
    assert!(stalled.finish().iter().all(|outcome| outcome.end == "ok"));
    let status = hopper.status().expect("status answers");
    assert_eq!(
        (&status["state"], &status["tunnels"][1]["reconnects"]),
        (&json!("up"), &json!(0)),
        "{status}"
    );
    assert_eq!(lost(&hopper), 2);
    hopper.down();
    hopper.assert_nothing_left();
}
