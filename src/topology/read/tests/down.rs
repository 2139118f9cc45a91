//! What the file says of things that break: how they are tried again, and what their clients get meanwhile.

use std::time::Duration;

use super::{good, says, with_forwards};
use crate::topology::OnDown;

#[test]
fn how_what_broke_is_tried_again_is_read_and_bounded() {
    let policy = |reconnect: &str| format!(r#"{{"hopper": 1, "policy": {{"reconnect": {reconnect}}}}}"#);
    let terms =
        good(&policy(r#"{"max": "5m", "factor": 1.5, "jitter": 0, "give_up": "1h"}"#)).policy.reconnect;
    assert_eq!((terms.first.as_secs(), terms.max.as_secs()), (1, 300));
    assert_eq!((terms.factor.as_f64(), terms.jitter.as_f64()), (1.5, 0.0));
    assert_eq!(terms.give_up.map(|limit| limit.as_secs()), Some(3600));
    assert_eq!(good(&policy(r#"{"give_up": null}"#)).policy.reconnect.give_up, None);
    for (wrong, place) in [
        (r#"{"factor": 0.5}"#, "0.5"),
        (r#"{"factor": 11}"#, "11"),
        (r#"{"jitter": 1.1}"#, "1.1"),
        (r#"{"jitter": -0.1}"#, "-0.1"),
    ] {
        says(&policy(wrong), "H0121", place, "is a number from", "");
    }
    says(&policy(r#"{"first": "0s"}"#), "H0118", "0s", "no duration", "1ms or more");
    says(&policy(r#"{"first": "2m"}"#), "H0121", "{", "longer before the first try", "\"max\"");
    says(&policy(r#"{"tries": 3}"#), "H0105", "\"tries\"", "tries", "");
}

#[test]
fn clients_wait_or_are_refused_while_it_is_down() {
    let of = |forward: &str| good(&with_forwards(&format!(r#"{{"f": {forward}}}"#))).forwards[0].on_down;
    let hold = |seconds| OnDown::Hold(Duration::from_secs(seconds));
    assert_eq!(of(r#""1 -> db:1""#), hold(10));
    assert_eq!(of(r#"{"listen": 1, "to": "db:1", "hold": "1m"}"#), hold(60));
    assert_eq!(of(r#"{"listen": 1, "to": "db:1", "on_down": "hold"}"#), hold(10));
    assert_eq!(of(r#"{"listen": 1, "to": "db:1", "on_down": "refuse"}"#), OnDown::Refuse);
    let both = r#"{"f": {"listen": 1, "to": "db:1", "on_down": "refuse", "hold": "1m"}}"#;
    says(&with_forwards(both), "H0120", "\"hold\"", "both refuses", "leave \"hold\" out");
    let there = r#"{"f": {"listen": "gate/1", "to": "db:1", "hold": "1m"}}"#;
    says(&with_forwards(there), "H0120", "\"hold\"", "nobody can wait", "gone with the session");
}

#[test]
fn how_often_far_ends_are_asked_is_read_and_bounded() {
    let policy = |probe: &str| format!(r#"{{"hopper": 1, "policy": {{"probe": {probe}}}}}"#);
    let probe = good(&policy(r#"{"every": "30s", "timeout": "2s"}"#)).policy.probe;
    assert_eq!((probe.every, probe.timeout), (Some(Duration::from_secs(30)), Some(Duration::from_secs(2))));
    assert_eq!(good(r#"{"hopper": 1}"#).policy.probe.every, None);
    says(&policy(r#"{"every": "1ms"}"#), "H0118", "1ms", "no duration", "1s or more");
    says(&policy(r#"{"timeout": "2s"}"#), "H0108", "{", "not how often to ask", "\"every\"");
}

#[test]
fn how_long_connections_may_go_on_at_the_end_is_read() {
    let drain = |text: &str| good(&format!(r#"{{"hopper": 1, "policy": {text}}}"#)).policy.drain;
    assert_eq!((drain("{}"), drain(r#"{"drain": "5s"}"#)), (Duration::ZERO, Duration::from_secs(5)));
}

#[test]
fn when_a_forward_takes_another_route_and_comes_back_is_read() {
    let policy = |failover: &str| format!(r#"{{"hopper": 1, "policy": {{"failover": {failover}}}}}"#);
    let told = |failover: &str| {
        let told = good(&policy(failover)).policy.failover;
        told.map(|it| (it.after.as_secs(), it.back.map(|back| back.as_secs())))
    };
    assert_eq!(good(r#"{"hopper": 1}"#).policy.failover, None);
    assert_eq!(told("false"), None);
    for asked in ["true", "{}", r#"{"back": false}"#] {
        assert_eq!(told(asked), Some((30, None)), "{asked}");
    }
    assert_eq!(told(r#"{"after": "5s", "back": true}"#), Some((5, Some(60))));
    assert_eq!(told(r#"{"back": "10m"}"#), Some((30, Some(600))));
    says(&policy(r#"{"after": "100ms"}"#), "H0118", "100ms", "no duration", "1s or more");
    says(&policy(r#"{"back": 5}"#), "H0118", "5", "no unit", "");
    says(&policy(r#"{"when": "5s"}"#), "H0105", "\"when\"", "when", "");
    says(&policy("\"yes\""), "H0107", "\"yes\"", "failover", "");
}
