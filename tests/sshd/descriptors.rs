//! No descriptor is left on this machine: who comes to a listener on a server waits there.

use std::fs;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;

use super::bed::{Bed, FAR, NEAR};
use super::hopper::Hopper;
use super::load::MIB;
use super::topology::Topology;
use super::until::{SOON, until};

/// Lets the process have so many descriptors.
fn allow(pid: u32, descriptors: u64) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id");
    let limit = Rlimit { current: Some(descriptors), maximum: Some(4096) };
    prlimit(Some(pid), Resource::Nofile, limit).expect("set the limit");
}

#[test]
fn a_client_at_a_server_waits_for_a_descriptor_here() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(0);
    let hopper = Hopper::on(&bed);
    let listen = format!("h1/127.0.0.1:{NEAR}");
    let forwards = json!({ "back": { "listen": listen, "to": format!("local:{FAR}") } });
    hopper.up(&Topology::line(&bed).top("forwards", forwards), &[]);
    let pid = hopper.pid();
    // What is open stays open; the next one is refused.
    allow(pid, 3);
    let load = bed.start_load(1, "127.0.0.1", NEAR, &[("get", MIB, 4)]);
    let came = || fs::read_to_string(bed.path("state/hopper/bed/run.log")).unwrap_or_default();
    assert!(until(SOON, || came().contains("no descriptor is left")), "{}", came());
    allow(pid, 4096);
    let ends: Vec<_> = load.finish().into_iter().map(|outcome| outcome.end).collect();
    assert_eq!(ends, ["ok"; 4]);
    hopper.down();
    hopper.assert_nothing_left();
}
