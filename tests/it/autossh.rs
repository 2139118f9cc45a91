//! What people bring along from autossh: its variables, and the keys of the policy that say the same.

use rustix::process::Signal;
use serde_json::Value;

use super::home::Home;
use super::running::{Ended, Running};

const SCREEN: &str = r#"{ "hopper": 1, "name": "screen", "hosts": { "gate": "u@gate" }, "links": ["local -> gate"],
    "forwards": { "vnc": "auto -> gate/127.0.0.1:5900" }, "policy": { "probe": { "every": "1h" } } }"#;

/// `hopper` with these variables.
fn start(home: &Home, words: &[&str], variables: &[(&str, &str)]) -> Running {
    home.start_command(home.command(words).envs(variables.iter().copied()))
}

fn run(home: &Home, words: &[&str], variables: &[(&str, &str)]) -> Ended {
    start(home, words, variables).ended()
}

#[test]
fn the_variables_are_told_in_one_line_and_the_file_stands_above_them() {
    let home = Home::new();
    let file = home.file("screen.json", SCREEN);
    let variables = [
        ("AUTOSSH_MAXLIFETIME", "1"),
        ("AUTOSSH_POLL", "60"),
        ("AUTOSSH_GATETIME", "0"),
        ("AUTOSSH_PORT", "20000"),
    ];
    let ended = run(&home, &["up", &file, "--lab"], &variables).with(0);
    let line = "From the environment: reconnect.gate 0s (AUTOSSH_GATETIME), lifetime 1s (AUTOSSH_MAXLIFETIME); \
                the file stands above AUTOSSH_POLL; not used: AUTOSSH_PORT\n";
    assert!(ended.stderr.contains(line), "{}", ended.stderr);
    for words in ["Up in ", "The lifetime of this run is over, after 1", "Nothing is left running"] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    let quiet = run(&home, &["up", &file, "--lab", "--progress", "json"], &[("AUTOSSH_MAXLIFETIME", "1")]);
    let kinds = quiet.with(0).stderr;
    let kinds: Vec<Value> =
        kinds.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert!(kinds.iter().any(|line| line["event"] == "expired"), "{kinds:?}");
}

#[test]
fn a_value_that_autossh_would_refuse_is_refused_by_up_and_by_nobody_else() {
    let home = Home::new();
    let file = home.file("screen.json", SCREEN);
    let wrong = [("AUTOSSH_GATETIME", "30s"), ("AUTOSSH_POLL", "\u{1b}[2J")];
    let ended = run(&home, &["up", &file, "--lab"], &wrong).with(2);
    for words in ["H0315", "AUTOSSH_GATETIME is \"30s\"", "AUTOSSH_POLL is \"\\u{1b}[2J\"", "reconnect.gate"]
    {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    run(&home, &["plan", &file], &wrong).with(0);
    run(&home, &["check", &file], &wrong).with(0);
}

#[test]
fn a_run_that_is_not_up_within_its_lifetime_is_a_timeout() {
    let home = Home::new();
    let (_nobody_answers, file) = away(&home, r#""lifetime": "1s", "reconnect": { "gate": "0s" }"#);
    let ended = home.run(&["up", &file, "--no-resolve"]).with(124);
    assert!(ended.stderr.contains("H0608") && ended.stderr.contains("lifetime of 1 s"), "{}", ended.stderr);
}

/// A host where nobody listens as long as the port is kept, and a file that goes there.
fn away(home: &Home, policy: &str) -> (std::os::fd::OwnedFd, String) {
    // Bound and not listening: who connects is refused, and nobody else gets the port.
    let kept = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None);
    let kept = kept.expect("make a socket");
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    rustix::net::bind(&kept, &any).expect("take a port");
    let at = rustix::net::getsockname(&kept).expect("ask for it");
    let at = std::net::SocketAddr::try_from(at).expect("an address");
    let text = format!(
        r#"{{ "hopper": 1, "name": "away", "hosts": {{ "gate": "u@127.0.0.1:{}" }}, "links": ["local -> gate"],
             "forwards": {{ "f": "auto -> gate/127.0.0.1:1" }}, "policy": {{ {policy} }} }}"#,
        at.port()
    );
    let file = home.file("away.json", text);
    (kept, file)
}

#[test]
fn a_gate_of_nothing_tries_again_what_another_ends_at_once() {
    let home = Home::new();
    let (_nobody_answers, file) = away(&home, r#""reconnect": { "first": "1ms", "max": "10ms" }"#);
    let ended = home.run(&["up", &file, "--no-resolve"]).with(6);
    assert!(ended.stderr.contains("H0602") || ended.stderr.contains("refused"), "{}", ended.stderr);
    let mut trying = start(&home, &["up", &file, "--no-resolve"], &[("AUTOSSH_GATETIME", "0")]);
    trying.wait_for("still away, next try in ");
    assert_eq!(home.status("away")["state"], "connecting");
    trying.signal(Signal::TERM);
    assert!(trying.ended().with(143).stderr.contains("Nothing is left running"));
    // As many starts as are allowed, and no more.
    let most = [("AUTOSSH_GATETIME", "0"), ("AUTOSSH_MAXSTART", "3")];
    let ended = run(&home, &["up", &file, "--no-resolve"], &most).with(6);
    assert!(ended.stderr.contains("it was opened max_starts times"), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("T1 gate: connecting").count(), 3, "{}", ended.stderr);
}
