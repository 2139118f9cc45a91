//! Every topology of the project comes up in the lab, carries, and goes down without a trace.

use std::net::TcpListener;

use serde_json::Value;

use super::client::{FarEnd, assert_refuses};
use super::files::{free_copy, stem, topologies};
use super::home::Home;
use super::until::until;

/// Whether this machine can listen where the file wants to.
fn can_listen(listen: &str) -> bool {
    if listen.starts_with("[::1]") && TcpListener::bind("[::1]:0").is_err() {
        eprintln!("{listen} skipped: this machine has no IPv6");
        return false;
    }
    true
}

fn forwards(status: &Value) -> &[Value] {
    status["forwards"].as_array().expect("a list of forwards")
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("no text for {key} in {value}"))
}

fn comes_up_carries_and_goes_down(file: &str, carrier: &str) {
    let home = Home::new();
    let plan = home.run(&["plan", file, "--json"]).with(0).json();
    if plan["tunnels"].as_array().expect("a list").iter().any(|one| one["run"] == "hopper") {
        let said = home.run(&["up", file, "--lab"]).with(2).stderr;
        assert!(said.contains("H0309") && said.contains("run hopper on a"), "{said}");
        return home.assert_nothing_left();
    }
    if !forwards(&plan).iter().all(|forward| can_listen(text(forward, "listen"))) {
        return;
    }
    let name = text(&plan, "topology");
    let copy = free_copy(&home, file);
    home.up(&copy, &["--carrier", carrier]);

    let status = home.status(name);
    assert_eq!(status["state"], "up", "{status}");
    let ids = |value: &Value, list: &str| -> Vec<String> {
        value[list].as_array().expect("a list").iter().map(|one| text(one, "id").to_owned()).collect()
    };
    for list in ["tunnels", "forwards"] {
        assert_eq!(ids(&status, list), ids(&plan, list), "{file}: {status}");
    }
    let mut listeners = Vec::new();
    // Nobody sits at the hosts of the lab.
    let here = |forward: &&Value| !text(forward, "listen").contains('/');
    for forward in forwards(&status).iter().filter(here) {
        let listen = text(forward, "listen").to_owned();
        FarEnd::of(text(forward, "to"), forward["protocol"].as_str()).visit(&listen);
        listeners.push(listen);
    }
    let counted = until(|| {
        let status = home.status(name);
        let seen = |forward: &Value, key: &str| forward[key].as_u64() > Some(0);
        forwards(&status)
            .iter()
            .filter(here)
            .all(|one| seen(one, "bytes_up") && seen(one, "bytes_down") && seen(one, "connections"))
    });
    assert!(counted, "{file}: the counters stand still: {}", home.status(name));
    assert!(home.run(&["status", name]).with(0).stdout.contains(name));

    let down = home.run(&["down", name]).with(0);
    assert!(down.stderr.ends_with("is down. Nothing is left running.\n"), "{}", down.stderr);
    home.assert_nothing_left();
    listeners.iter().for_each(|listen| assert_refuses(listen));
    home.run(&["status", name]).with(3);
}

fn all_of(folder: &str, carrier: &str) {
    for file in topologies(folder) {
        eprintln!("{file} over {carrier}s");
        comes_up_carries_and_goes_down(&file, carrier);
    }
}

#[test]
fn every_example_runs_over_channels() {
    all_of("topologies", "channel");
}

#[test]
fn every_example_runs_over_ports() {
    all_of("topologies", "port");
}

#[test]
fn every_test_topology_runs_over_channels() {
    all_of("tests/topologies", "channel");
}

#[test]
fn every_test_topology_runs_over_ports() {
    all_of("tests/topologies", "port");
}

#[test]
fn the_address_of_the_screen_is_shown_as_something_to_open() {
    let home = Home::new();
    let file = "topologies/vnc-through-three-firewalls.json";
    let copy = free_copy(&home, file);
    let up = home.run(&["up", &copy, "--lab", "-d"]).with(0);
    let listen = home.listen(stem(file), "vnc");
    assert!(up.stderr.contains(&format!("Open vnc://{listen}")), "{}", up.stderr);
    assert!(up.stderr.contains("answered \"RFB 003.008\""), "{}", up.stderr);
    assert!(up.stderr.contains("Stop it with: hopper down vnc-through-three-firewalls"), "{}", up.stderr);
    home.run(&["down"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn the_lab_answers_a_loop_and_an_echo() {
    let home = Home::new();
    let file = home.file(
        "round.json",
        r#"{ "hopper": 1, "name": "round", "links": ["local -> gate -> inner -> web"],
             "hosts": { "gate": {}, "inner": {}, "web": { "ssh": false } },
             "forwards": { "page": { "listen": "auto", "to": "web:80", "check": "echo" },
                           "mail": { "listen": "auto", "to": "web:25", "check": "loop" } },
             "policy": { "probe": { "every": "1s" } } }"#,
    );
    home.up(&file, &[]);
    let status = home.status("round");
    assert_eq!(status["state"], "up", "{status}");
    // Asked again, it answers again.
    let proved = |status: &serde_json::Value| status["forwards"].clone();
    let (first, now) = (proved(&status), || proved(&home.status("round")));
    let again = |at: usize| now()[at]["proved_at"] != first[at]["proved_at"];
    assert!(until(|| again(0) && again(1)), "{}", now());
    assert_eq!(home.status("round")["state"], "up");
    let plan = home.run(&["plan", &file]).with(0).stdout;
    assert!(
        plan.contains("check: echo") && plan.contains("check: loop, without dialling the target"),
        "{plan}"
    );
    home.run(&["down"]).with(0);
    home.assert_nothing_left();
}
