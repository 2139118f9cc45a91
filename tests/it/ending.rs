//! Every way to end a run in the foreground: signals, early, late and twice; `down`; its time is over.

use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::client::{assert_refuses, connect, echo};
use super::detached::small;
use super::home::Home;
use super::running::Running;
use super::until::until;

/// The far end of "mute" never greets, so the run waits for it until somebody loses patience.
const STUCK: &str = r#"{ "hopper": 1, "name": "stuck",
  "hosts": { "gate": { "user": "alice", "timeout": { "forward": "1h" } }, "far": { "ssh": false } },
  "links": ["local -> gate -> far"],
  "forwards": { "echo": "auto -> far:7000",
                "mute": { "listen": "auto", "to": "far:7000", "check": { "banner": "SSH-" } } } }"#;

/// A run in the foreground that is still building.
fn building(home: &Home, more: &[&str]) -> Running {
    let file = home.file("stuck.json", STUCK);
    let mut run = home.start(&[&["up", &file, "--lab", "--progress", "json"], more].concat());
    run.wait_for("\"event\":\"forward-checking\",\"forward\":\"mute\"");
    run.wait_for("\"event\":\"forward-up\",\"forward\":\"echo\"");
    run
}

/// A run in the foreground that is up.
fn up(home: &Home) -> (Running, String) {
    let mut run = home.start(&["up", &home.file("held.json", small("held")), "--lab"]);
    run.wait_for("Up in ");
    let listen = home.listen("held", "echo");
    (run, listen)
}

fn ended_while_building(signal: Signal, more: &[&str], code: i32) {
    let home = Home::new();
    let run = building(&home, more);
    run.signal(signal);
    run.ended().with(code);
    home.assert_nothing_left();
}

#[test]
fn sigint_while_building_exits_130() {
    ended_while_building(Signal::INT, &[], 130);
}

#[test]
fn sigterm_while_building_exits_143() {
    ended_while_building(Signal::TERM, &[], 143);
}

/// Runs on a terminal of its own, which is closed once the run is that far.
fn ended_by_its_terminal(words: &str, far: impl Fn(&Home) -> bool) {
    let home = Home::new();
    home.file("stuck.json", STUCK);
    home.file("held.json", small("held"));
    let line =
        format!("exec {} up {}/files/{words} --lab", env!("CARGO_BIN_EXE_hopper"), home.path("").display());
    let mut command = Command::new("script");
    home.environment(&mut command).env("SHELL", "/bin/sh").args(["-qc", &line, "/dev/null"]);
    let run = home.start_command(command.stdin(Stdio::null()));
    assert!(until(|| far(&home)), "never got that far:\n{}", run.stderr());
    run.signal(Signal::KILL);
    assert!(until(|| home.processes().is_empty()), "it outlives its terminal");
    home.assert_nothing_left();
}

#[test]
fn a_run_goes_down_with_the_terminal_that_it_is_on() {
    let state =
        |home: &Home, name, state: &str| home.socket(name).exists() && home.status(name)["state"] == state;
    ended_by_its_terminal("stuck.json", |home| state(home, "stuck", "connecting"));
    ended_by_its_terminal("held.json", |home| state(home, "held", "up"));
}

#[test]
fn a_signal_to_the_parent_of_a_run_that_goes_to_the_background_ends_both() {
    ended_while_building(Signal::INT, &["-d"], 130);
    ended_while_building(Signal::TERM, &["-d"], 143);
}

#[test]
fn two_sigints_while_building_exit_130_too() {
    let home = Home::new();
    let mut run = building(&home, &[]);
    run.signal(Signal::INT);
    if !run.is_over() {
        run.signal(Signal::INT);
    }
    run.ended().with(130);
    home.assert_nothing_left();
}

fn ended_when_up(signal: Signal) {
    let home = Home::new();
    let (run, listen) = up(&home);
    assert_eq!(echo(&listen, b"carries"), b"carries");
    run.signal(signal);
    let said = run.ended().with(0).stderr;
    assert!(said.ends_with("Down. Nothing is left running.\n"), "{said}");
    home.assert_nothing_left();
    assert_refuses(&listen);
}

#[test]
fn sigint_when_up_exits_0() {
    ended_when_up(Signal::INT);
}

#[test]
fn sigterm_when_up_exits_0() {
    ended_when_up(Signal::TERM);
}

#[test]
fn two_sigints_under_an_open_client_leave_nothing_either() {
    let home = Home::new();
    let (mut run, listen) = up(&home);
    let client = connect(&listen);
    run.signal(Signal::INT);
    if !run.is_over() {
        run.signal(Signal::INT);
    }
    run.ended().with(0);
    home.assert_nothing_left();
    drop(client);
    assert_refuses(&listen);
}

#[test]
fn down_ends_a_run_in_the_foreground() {
    let home = Home::new();
    let (run, listen) = up(&home);
    home.run(&["down", "held"]).with(0);
    run.ended().with(0);
    home.assert_nothing_left();
    assert_refuses(&listen);
}

#[test]
fn down_ends_a_run_that_is_still_building() {
    let home = Home::new();
    let run = building(&home, &[]);
    assert_eq!(home.run(&["status", "stuck", "--json"]).with(8).json()["state"], "connecting");
    home.run(&["down", "stuck"]).with(0);
    let ended = run.ended();
    assert_ne!(ended.code, 0, "it never was up: {}", ended.stderr);
    home.assert_nothing_left();
}

#[test]
fn a_run_that_is_not_up_in_time_exits_124_and_leaves_nothing() {
    let home = Home::new();
    let file = home.file("stuck.json", STUCK);
    for more in [[].as_slice(), &["-d"]] {
        let said = home.run(&[&["up", &file, "--lab", "--timeout", "300ms"], more].concat()).with(124).stderr;
        assert!(said.contains("H0608") && said.contains("stuck"), "{said}");
        home.assert_nothing_left();
    }
    let error = home.run(&["up", &file, "--lab", "--timeout", "300ms", "--json"]).with(124).json();
    assert_eq!((&error["code"], &error["exit"]), (&"H0608".into(), &124.into()), "{error}");
}

#[test]
fn a_run_that_is_up_in_time_outlives_the_time() {
    let home = Home::new();
    let file = home.file("held.json", small("held"));
    home.up(&file, &["--timeout", "60s"]);
    assert_eq!(echo(&home.listen("held", "echo"), b"carries"), b"carries");
    home.run(&["down", "held"]).with(0);
    home.assert_nothing_left();
}
