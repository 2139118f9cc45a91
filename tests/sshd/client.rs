//! Clients that take their time: a pause is no death, and one that reads nothing keeps nobody else out.

use std::time::{Duration, Instant};

use super::bed::{Bed, FAR, NEAR};
use super::command::must;
use super::hopper::Hopper;
use super::load::MIB;
use super::topology::Topology;
use super::until::until;

/// How many bytes the data server on this host has got rid of, over all its streams.
fn served(bed: &Bed, host: usize) -> u64 {
    let list = must(bed.on(host, "ss").args(["-Htni", "state", "established", &format!("sport = :{FAR}")]));
    let counts = list.split_whitespace().filter_map(|word| word.strip_prefix("bytes_acked:"));
    counts.map(|count| count.parse::<u64>().unwrap_or_else(|e| panic!("{e} in {list}"))).sum()
}

/// Waits until the far end can send nothing more: whatever is between has no room left.
fn wait_until_paused(bed: &Bed, host: usize) {
    let (mut last, mut since) = (0, Instant::now());
    let paused = until(Duration::from_secs(30), || {
        let now = served(bed, host);
        if now != last {
            (last, since) = (now, Instant::now());
        }
        now > 16 * MIB && since.elapsed() > Duration::from_secs(2)
    });
    assert!(paused, "the far end is not held up: it has sent {last} bytes");
}

#[test]
fn a_client_that_pauses_for_half_a_minute_keeps_its_stream() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    let begun = Instant::now();
    let load = bed.start_load(0, "127.0.0.1", NEAR, &[("pause", 64 * MIB, 1)]);
    load.wait_until_flowing();
    wait_until_paused(&bed, 2);
    assert!(!load.resumed(), "the far end was held up too late: the test proves nothing");
    assert!(until(Duration::from_secs(35), || load.resumed()), "the client does not read on");
    assert!(begun.elapsed() > Duration::from_secs(29), "a pause that short proves nothing");
    let outcomes = load.finish();
    let ends: Vec<_> = outcomes.iter().map(|outcome| (outcome.end.as_str(), outcome.received)).collect();
    assert_eq!(ends, [("ok", 64 * MIB)]);
    assert_eq!(hopper.status().expect("status answers")["state"], "up");
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_client_that_stalled_first_does_not_keep_the_next_one_out() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    let stalled = bed.start_load(0, "127.0.0.1", NEAR, &[("stall", 64 * MIB, 1)]);
    stalled.wait_until_flowing();
    wait_until_paused(&bed, 2);
    bed.load_whole(0, NEAR, &[("get", 8 * MIB, 1)]);
    let status = hopper.status().expect("status answers");
    assert_eq!((&status["state"], &status["forwards"][0]["clients"]), (&"up".into(), &1.into()), "{status}");
    stalled.abandon();
    hopper.down();
    hopper.assert_nothing_left();
}
