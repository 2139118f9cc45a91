//! The machine that hopper runs on runs short: of disk, of descriptors, of memory. Or its clock is set.

use std::ffi::OsStr;
use std::fs;
use std::time::Duration;

use serde_json::json;

use super::super::bed::{Bed, NEAR};
use super::super::command::{argv, may, must};
use super::super::hopper::{Hopper, Running};
use super::super::load::MIB;
use super::super::until::{SOON, until};
use super::quick;

/// `up` in the foreground below another program, waiting until it is up.
fn held_by(hopper: &Hopper<'_>, below: &[&str], topology: &super::Topology) -> Running {
    let file = topology.write(hopper.bed());
    let mut command = hopper.bed().on(0, below[0]);
    command.args(&below[1..]).arg(env!("CARGO_BIN_EXE_hopper"));
    command.args(["up", file.to_str().expect("a plain path"), "--progress", "plain"]);
    let mut run = hopper.start_command(&mut command);
    let up = until(SOON, || run.is_over() || run.stderr().contains("Up in"));
    assert!(up && !run.is_over(), "up ended or hangs: {}", run.stderr());
    run
}

/// Clock ticks this process has used so far.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it lives");
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    [11, 12].iter().map(|at| fields[*at].parse::<u64>().expect("a number")).sum()
}

/// A folder of the bed on a disk of its own that has so much room, until dropped.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn at(bed: &Bed, folder: &str, size: &str) -> SmallDisk {
        let path = bed.path(folder);
        let options = format!("size={size},mode=0700");
        must(argv(&["mount", "-t", "tmpfs", "-o", &options, "hopper-test"]).arg(&path));
        SmallDisk(path)
    }

    fn fill(&self) {
        let filler = format!("of={}", self.0.join("filler.log").display());
        may(&mut argv(&["dd", "if=/dev/zero", &filler, "bs=4k"]));
        let written = fs::write(self.0.join("more.log"), [0; 8192]);
        assert!(written.is_err(), "the disk is not full");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        may(argv(&["umount", "-l"]).arg(&self.0));
    }
}

#[test]
fn a_run_whose_disk_is_full_carries_on_and_is_rebuilt() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let disk = SmallDisk::at(&bed, "state", "64k");
    let hopper = Hopper::on(&bed);
    hopper.up(&quick(&bed), &["-v"]);
    disk.fill();
    bed.load_whole(0, NEAR, &[("both", MIB, 4)]);
    bed.kill_sessions(2);
    let back =
        || hopper.status().is_some_and(|it| it["tunnels"][1]["reconnects"] == 1 && it["state"] == "up");
    assert!(until(SOON, back), "{:?}", hopper.status());
    bed.load_whole(0, NEAR, &[("both", MIB, 4)]);
    hopper.down();
    hopper.assert_nothing_left();
}

/// The record of whom to trust is replaced whole or not at all.
#[test]
fn known_hosts_on_a_full_disk_is_not_cut_short() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let before: String =
        (0..40).map(|number| bed.host_key(1).known_as(&format!("other{number}.test"))).collect();
    let disk = SmallDisk::at(&bed, "home/.ssh", "64k");
    fs::write(bed.known_hosts(), &before).expect("write known_hosts");
    let key = super::super::keys::Key::make(bed.path("elsewhere/key"), "ed25519", "");
    bed.authorize(1, &key.public());
    disk.fill();
    let hopper = Hopper::on(&bed);
    let topology = quick(&bed)
        .hosts("host_key", json!({ "policy": "accept-new" }))
        .hosts("identities", json!([key.path()]));
    let ended = hopper.try_up(&topology, &["-d"]);
    assert_eq!(fs::read_to_string(bed.known_hosts()).expect("read known_hosts"), before, "{}", ended.stderr);
    assert!(ended.stderr.contains("known_hosts"), "does not name the file: {}", ended.stderr);
    assert_ne!(ended.code, 0, "a key that could not be recorded was believed: {}", ended.stderr);
    hopper.assert_nothing_left();
}

#[test]
fn a_run_without_descriptors_keeps_its_clients_and_does_not_spin() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    let run = held_by(&hopper, &["prlimit", "--nofile=40:40"], &quick(&bed));
    let pid = hopper.processes()[0];
    let crowd = bed.start_load(0, "127.0.0.1", NEAR, &[("later", MIB, 100)]);
    let full = || fs::read_dir(format!("/proc/{pid}/fd")).is_ok_and(|fds| fds.count() >= 39);
    assert!(until(SOON, full), "descriptors are left");
    let before = ticks(pid);
    until(Duration::from_secs(3), || false);
    // A hundredth of a second each, so this is a tenth of the time.
    assert!(ticks(pid) - before < 30, "it spins: {} ticks in 3 s", ticks(pid) - before);
    let told = run.stderr().lines().count();
    assert!(told < 30, "{told} lines: {}", run.stderr());
    // Those that got in are served, and the others then.
    crowd.go();
    assert!(crowd.finish().iter().all(|outcome| outcome.end == "ok"), "{}", run.stderr());
    assert_eq!([1, 2].map(|host| bed.logins(host)), [1, 1], "{}", run.stderr());
    run.signal("INT");
    assert_eq!(run.ended().code, 0);
    hopper.assert_nothing_left();
}

/// All streams of a run may hold 256 MiB. With half as much again for everything else it must not die.
#[test]
fn a_run_with_little_memory_sheds_streams_and_lives() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    let run = held_by(&hopper, &["prlimit", "--data=402653184"], &quick(&bed));
    let stalled = bed.start_load(0, "127.0.0.1", NEAR, &[("stall", 64 * MIB, 60)]);
    stalled.wait_until_flowing();
    bed.load_whole(0, NEAR, &[("get", 4 * MIB, 4)]);
    stalled.abandon();
    bed.load_whole(0, NEAR, &[("both", 4 * MIB, 4)]);
    // Lanes to the last host are no loss.
    assert_eq!(bed.logins(1), 1, "{}", run.stderr());
    assert!(!run.stderr().contains("lost"), "{}", run.stderr());
    run.signal("INT");
    assert_eq!(run.ended().code, 0);
    hopper.assert_nothing_left();
}

/// Where the library is that lies to a program about the time of day.
fn faketime() -> String {
    let found = must(&mut argv(&["sh", "-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1"]));
    found.lines().next().expect("faketime is installed").to_owned()
}

#[test]
fn a_wall_clock_that_is_set_disturbs_nothing() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let now = bed.path("clock");
    fs::write(&now, "+0").expect("set the clock");
    let hopper = Hopper::on(&bed)
        .with("FAKETIME_TIMESTAMP_FILE", now.as_os_str())
        .with("FAKETIME_NO_CACHE", OsStr::new("1"))
        .with("FAKETIME_DONT_FAKE_MONOTONIC", OsStr::new("1"))
        .with("LD_PRELOAD", OsStr::new(&faketime()));
    let run = hopper.hold(&quick(&bed), &["--progress", "json"]);
    for jump in ["+365d", "-365d", "+0"] {
        fs::write(&now, jump).expect("set the clock");
        // Some keepalives, and a look at the clocks.
        until(Duration::from_secs(3), || false);
        bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    }
    assert_eq!([1, 2].map(|host| bed.logins(host)), [1, 1], "{}", run.stderr());
    assert!(!run.stderr().contains("\"verifying\""), "took it for sleep: {}", run.stderr());
    fs::write(&now, "+365d").expect("set the clock");
    bed.kill_sessions(2);
    assert!(until(SOON, || run.stderr().contains("\"restored\"")), "{}", run.stderr());
    let year = |line: &str| line.split_once("\"ts\":\"").and_then(|(_, rest)| rest[..4].parse::<u32>().ok());
    let years: Vec<_> = run.stderr().lines().filter_map(year).collect();
    assert!(years.iter().max() > years.iter().min(), "the clock was never set: the test proves nothing");
    run.signal("INT");
    assert_eq!(run.ended().code, 0);
    hopper.assert_nothing_left();
}
