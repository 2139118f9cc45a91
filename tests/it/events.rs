//! `--progress json`: every line is an event, and they come in the order in which things happen.

use serde_json::Value;

use super::files::{free_copy, topologies};
use super::home::Home;
use super::running::Ended;

fn events(ended: &Ended) -> Vec<Value> {
    let read = |line: &str| -> Value {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in the line {line:?}"))
    };
    let events: Vec<_> = ended.stderr.lines().map(read).collect();
    for event in &events {
        assert_eq!(event["schema"], "hopper.event/1", "{event}");
        assert!(event["ts"].is_string() && event["event"].is_string(), "{event}");
    }
    events
}

/// Where the first event stands that has these fields.
#[track_caller]
fn place(events: &[Value], fields: &[(&str, &str)]) -> usize {
    let fits = |event: &Value| fields.iter().all(|(key, value)| event[key] == *value);
    events.iter().position(fits).unwrap_or_else(|| panic!("no event with {fields:?} in {events:#?}"))
}

fn told_in_order(file: &str) {
    let home = Home::new();
    let copy = free_copy(&home, file);
    let plan = home.run(&["plan", &copy, "--json"]).with(0).json();
    let mut run = home.start(&["up", &copy, "--lab", "--progress", "json"]);
    run.wait_for("\"event\":\"up\"");
    home.run(&["down"]).with(0);
    let ended = run.ended().with(0);
    assert_eq!(ended.stdout, "");
    let events = events(&ended);

    let up = place(&events, &[("event", "up")]);
    let closing = place(&events, &[("event", "closing")]);
    assert!(up < closing && place(&events, &[("event", "down")]) == events.len() - 1, "{events:#?}");
    for tunnel in plan["tunnels"].as_array().expect("tunnels") {
        let id = tunnel["id"].as_str().expect("an id");
        if tunnel["standby"] == true {
            let of_it = |event: &Value| event["tunnel"] == id;
            assert!(!events.iter().any(of_it), "{id} stands by, and was opened: {events:#?}");
            continue;
        }
        // A client elsewhere tells only when it is logged in.
        let stages: &[_] = match tunnel["run"].as_str() {
            Some("exec") => &["connect", "login", "forward"],
            _ => &["connect", "banner", "keys", "login", "forward"],
        };
        let at = |stage: &&str| place(&events, &[("event", "stage"), ("tunnel", id), ("stage", stage)]);
        let stages: Vec<_> = stages.iter().map(at).collect();
        let ready = place(&events, &[("event", "tunnel-up"), ("tunnel", id)]);
        assert!(stages.is_sorted() && stages.last() < Some(&ready) && ready < up, "{id}: {events:#?}");
        assert_eq!(events[ready]["host"], tunnel["server"], "{id}");
        for below in ["through", "control"].iter().filter_map(|needed| tunnel[needed].as_str()) {
            let carrier = place(&events, &[("event", "tunnel-up"), ("tunnel", below)]);
            assert!(carrier < stages[0], "{id} began before {below} was up: {events:#?}");
            let gone = place(&events, &[("event", "tunnel-closed"), ("tunnel", id)]);
            let below_gone = place(&events, &[("event", "tunnel-closed"), ("tunnel", below)]);
            assert!(closing < gone && gone < below_gone, "{below} was closed before {id}: {events:#?}");
        }
    }
    for forward in plan["forwards"].as_array().expect("forwards") {
        let id = forward["id"].as_str().expect("an id");
        // Another host is asked to listen only once the far end has answered.
        let words: &[_] = match forward["listener"].is_null() {
            true => &["forward-listening", "forward-checking", "forward-up"],
            false => &["forward-checking", "forward-up"],
        };
        let places: Vec<_> =
            words.iter().map(|word| place(&events, &[("event", word), ("forward", id)])).collect();
        assert!(places.is_sorted() && places.last() < Some(&up), "{id}: {events:#?}");
        assert!(closing < place(&events, &[("event", "forward-closed"), ("forward", id)]), "{events:#?}");
    }
    home.assert_nothing_left();
}

#[test]
fn every_example_tells_its_events_in_order() {
    topologies("topologies").iter().for_each(|file| told_in_order(file));
}

#[test]
fn a_long_line_tells_its_events_in_order() {
    told_in_order("tests/topologies/eight-hops.json");
}

#[test]
fn shared_tunnels_tell_their_events_once_and_in_order() {
    told_in_order("tests/topologies/shared-prefix.json");
}

#[test]
fn a_failure_is_an_event_too() {
    let home = Home::new();
    let text = r#"{ "hopper": 1, "name": "fails",
      "hosts": { "gate": "alice@gate", "screen": { "ssh": false } }, "links": ["local -> gate -> screen"],
      "forwards": { "vnc": "auto -> screen:5900",
                    "wrong": { "listen": "auto", "to": "screen:5900", "check": { "banner": "SSH-" } } } }"#;
    let file = home.file("fails.json", text);
    let ended = home.run(&["up", &file, "--lab", "--progress", "json", "--json"]).with(7);
    let told = events(&ended);
    let failed = &told[place(&told, &[("event", "failed")])]["error"];
    assert_eq!(failed, &ended.json(), "the event and the error on stdout are the same");
    assert_eq!(failed["schema"], "hopper.error/1");
    home.assert_nothing_left();
}

#[test]
fn progress_none_says_nothing_while_all_is_well() {
    let home = Home::new();
    let copy = free_copy(&home, "topologies/smallest.json");
    let run = home.start(&["up", &copy, "--lab", "--progress", "none"]);
    let up = super::until::until(|| home.run(&["status", "smallest"]).code == 0);
    assert!(up, "{}", run.stderr());
    home.run(&["down"]).with(0);
    let ended = run.ended().with(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
}
