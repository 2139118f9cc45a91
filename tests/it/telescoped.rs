//! Telescoped tunnels in the lab, whose hosts play the clients that they are told to run.

use serde_json::{Value, json};

use super::client::{FarEnd, assert_refuses};
use super::home::Home;

/// A row of hosts that may all run clients, and an echo after the last.
fn line(hops: usize, plain: &str) -> Value {
    let names: Vec<_> = (1..hops).map(|hop| format!("h{hop}")).collect();
    let host = json!({ "user": "alice", "client": "exec", "bind": "any" });
    let mut hosts: serde_json::Map<_, _> = names.iter().map(|name| (name.clone(), host.clone())).collect();
    hosts.insert("far".to_owned(), json!({ "ssh": false }));
    json!({
        "hopper": 1, "name": "row", "policy": { "strategy": "telescoped" }, "hosts": hosts,
        "links": [format!("local -> {} -> far", names.join(" -> "))],
        "forwards": { "echo": { "listen": "auto", "to": "far:7000", "plain": plain } }
    })
}

/// Carries, tells of this many clients elsewhere, and leaves nothing.
fn reaches(hops: usize, plain: &str, clients: usize) {
    let home = Home::new();
    let file = home.file("row.json", line(hops, plain).to_string());
    let plan = home.run(&["plan", &file, "--json"]).with(0).json();
    let elsewhere = plan["tunnels"].as_array().expect("tunnels").iter().filter(|one| one["run"] == "exec");
    assert_eq!(elsewhere.count(), clients, "{hops} {plain}: {plan}");
    let entry = &plan["forwards"][0]["entry"];
    assert_eq!(entry.is_string(), plain == "ends", "{hops} {plain}: {entry}");
    home.up(&file, &[]);
    let listen = home.listen("row", "echo");
    for _ in 0..3 {
        FarEnd::Echo.visit(&listen);
    }
    assert_eq!(home.status("row")["state"], "up", "{}", home.status("row"));
    home.run(&["down"]).with(0);
    home.assert_nothing_left();
    assert_refuses(&listen);
}

#[test]
fn rows_that_end_in_a_session_of_local_carry() {
    for (hops, clients) in [(4, 1), (6, 2), (8, 3)] {
        reaches(hops, "last", clients);
    }
}

#[test]
fn rows_that_are_plain_at_both_ends_carry() {
    for (hops, clients) in [(3, 1), (5, 2), (7, 3)] {
        reaches(hops, "ends", clients);
    }
}

/// The echo of the second forward stands where the client wants to listen.
#[test]
fn a_port_that_is_taken_there_is_told_as_such() {
    let home = Home::new();
    let mut row = line(4, "last");
    row["forwards"]["taken"] = json!({ "listen": "auto", "to": "h1/localhost:2201" });
    let file = home.file("row.json", row.to_string());
    let said = home.run(&["up", &file, "--lab"]).with(7).stderr;
    for words in [
        "H0706",
        "the ssh of h1 cannot listen for what goes to h2",
        "Address already in use",
        "Nothing is left",
    ] {
        assert!(said.contains(words), "no {words:?} in\n{said}");
    }
    home.assert_nothing_left();
}

#[test]
fn an_agent_that_is_lent_is_warned_of_wherever_the_file_is_looked_at() {
    let home = Home::new();
    let mut value = line(4, "last");
    value["hosts"]["h1"]["forward_agent"] = true.into();
    value["hosts"]["h3"]["forward_agent"] = true.into();
    let file = home.file("row.json", value.to_string());
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let plan = words(&home.run(&["plan", &file]).with(0).stdout);
    let check = words(&home.run(&["check", &file]).with(0).stderr);
    for said in [plan, check] {
        assert!(said.contains("warning: h1 may use your ssh-agent while it runs T2"), "{said}");
        assert!(said.contains("warning: forward_agent of h3 has no effect"), "{said}");
    }
    let script = home.run(&["plan", &file, "--ssh"]).with(0).stdout;
    assert_eq!(script.matches(" -A ").count(), 1, "{script}");
}
