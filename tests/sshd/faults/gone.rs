//! The terminal, the reader or the run itself is gone without warning: what stays is what was meant to.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::bed::{Bed, FAR, NEAR};
use super::super::command::{argv, signal};
use super::super::hopper::Hopper;
use super::super::load::MIB;
use super::super::until::{SOON, until};
use super::quick;

/// Runs `up` on a terminal that goes away once hopper is up.
fn on_a_terminal_that_closes(bed: &Bed, hopper: &Hopper<'_>, more: &str) {
    let file = quick(bed).write(bed);
    let program = "import os, pty, sys, time\n\
        pid, terminal = pty.fork()\n\
        if pid == 0: os.execv(sys.argv[1], sys.argv[1:])\n\
        seen = b''\n\
        while b'Up in' not in seen:\n\
        \x20   seen += os.read(terminal, 4096)\n\
        if '-d' in sys.argv:\n\
        \x20   while b'hopper down' not in seen: seen += os.read(terminal, 4096)\n\
        os.close(terminal)\n\
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)";
    let mut command = bed.on(0, "/usr/bin/python3");
    command.args(["-c", program, env!("CARGO_BIN_EXE_hopper"), "up"]).arg(file);
    let ended = hopper.start_command(command.args(["--progress", "plain", more])).ended();
    assert_eq!((ended.code, ended.stdout.trim()), (0, "0"), "{}", ended.stderr);
}

#[test]
fn a_run_whose_terminal_closes_goes_down_in_order() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    on_a_terminal_that_closes(&bed, &hopper, "-v");
    hopper.assert_nothing_left();
}

#[test]
fn a_run_in_the_background_outlives_its_terminal() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    on_a_terminal_that_closes(&bed, &hopper, "-d");
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_reader_that_went_away_is_no_reason_to_panic() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let hopper = Hopper::on(&bed);
    let file = quick(&bed).write(&bed);
    hopper.up(&quick(&bed), &[]);
    for words in ["status bed", "status --json", "logs bed", "plan FILE", "plan FILE --json", "--help"] {
        let words = words.replace("FILE", file.to_str().expect("a plain path"));
        let (reader, writer) = std::io::pipe().expect("make a pipe");
        drop(reader);
        let mut command = argv(&[env!("CARGO_BIN_EXE_hopper")]);
        command.args(words.split(' ')).stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
        let out = hopper.environment(&mut command).output().expect("start hopper");
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(!said.contains("panicked"), "{words}: {said}");
        assert_ne!(out.status.code(), Some(101), "{words}: {said}");
    }
    hopper.down();
    // A run that nobody reads any more stands all the same.
    let (reader, writer) = std::io::pipe().expect("make a pipe");
    let mut command = bed.on(0, env!("CARGO_BIN_EXE_hopper"));
    command.arg("up").arg(&file).args(["--progress", "plain"]).stdin(Stdio::null());
    command.stdout(writer.try_clone().expect("share the pipe")).stderr(writer);
    let mut run = hopper.environment(&mut command).spawn().expect("start hopper");
    drop((command, reader));
    let up = || hopper.status().is_some_and(|status| status["state"] == "up");
    assert!(until(SOON, up), "it did not survive: {:?}", run.try_wait());
    bed.kill_sessions(1);
    let back =
        || hopper.status().is_some_and(|it| it["state"] == "up" && it["tunnels"][0]["reconnects"] == 1);
    assert!(until(SOON, back), "{:?}", hopper.status());
    hopper.down();
    run.wait().expect("wait for hopper");
    hopper.assert_nothing_left();
}

/// Killed outright under load, with listeners on other hosts: the kernel says goodbye for it.
#[test]
fn after_kill_9_nothing_is_left_on_any_host_and_the_next_run_is_up_within_a_second() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(0);
    bed.far_end(3);
    let topology = quick(&bed).top(
        "forwards",
        json!({
            "data": { "listen": NEAR, "to": format!("h3/127.0.0.1:{FAR}") },
            "back": { "listen": "h2/7101", "to": format!("local:{FAR}") },
        }),
    );
    let hopper = Hopper::on(&bed);
    let run = hopper.hold(&topology, &["--progress", "plain"]);
    let old: Vec<_> = (1..=3).flat_map(|host| bed.sessions(host)).collect();
    let load = bed.start_load(0, "127.0.0.1", NEAR, &[("get", 64 * 1024 * MIB, 2)]);
    load.wait_until_flowing();
    assert!(signal("KILL", hopper.pid()));
    assert_eq!(run.ended().code, 128 + 9);
    assert!(load.finish().iter().all(|outcome| outcome.end == "reset"), "a cut stream looks whole");
    let quiet = || (1..=3).all(|host| bed.sessions(host).is_empty());
    assert!(until(SOON, quiet), "sessions stay");
    let listens = bed.listeners(2);
    assert!(listens.iter().all(|at| !at.ends_with(":7101")), "still listens there: {listens:?}");
    assert!(old.iter().all(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists()));
    assert_eq!(hopper.run(&["status", "bed"]).code, 3);
    let begun = Instant::now();
    hopper.up(&topology, &[]);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(if cfg!(debug_assertions) { 5 } else { 1 }), "up after {took:?}");
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    bed.load_whole(2, 7101, &[("both", MIB, 2)]);
    hopper.down();
    let listens = bed.listeners(2);
    assert!(listens.iter().all(|at| !at.ends_with(":7101")), "still listens there: {listens:?}");
    hopper.assert_nothing_left();
}
