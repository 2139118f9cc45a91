//! The policy: settings that belong to no single host, link or forward.

use super::Reader;
use super::duration::{DEADLINE, OR_OFF, PROBE};
use super::tree::{Entry, Json, Node};
use super::value::{Keys, assign};
use crate::topology::{Failover, Policy, Probe, Problem, Reconnect, Strategy, code};

/// The value of `policy`.
pub(super) fn policy(reader: &mut Reader, node: &Node) -> Policy {
    const KEYS: Keys = Keys {
        owner: "the policy",
        known: &["strategy", "parallel", "reconnect", "probe", "drain", "failover"],
        later: &[],
    };
    let mut policy = Policy::default();
    let Some(entries) = reader.map(node, "\"policy\"") else { return policy };
    for entry in reader.known(entries, &KEYS) {
        match entry.key.as_ref() {
            "strategy" => {
                let strategies = [Strategy::Nested, Strategy::Telescoped].map(|it| (it.as_str(), it));
                let strategy = reader.choice(&entry.node, "the strategy", &strategies, &[]);
                assign(&mut policy.strategy, strategy);
            }
            "parallel" => assign(&mut policy.parallel, reader.number(entry, 1..=64).map(|n| n as usize)),
            "drain" => assign(&mut policy.drain, reader.duration(entry, OR_OFF)),
            "probe" => probe(reader, &entry.node, &mut policy.probe),
            "failover" => policy.failover = failover(reader, entry),
            "reconnect" => reconnect(reader, &entry.node, &mut policy.reconnect),
            _ => {}
        }
    }
    policy
}

/// Whether and when forwards take their next best route.
fn failover(reader: &mut Reader, entry: &Entry) -> Option<Failover> {
    const KEYS: Keys = Keys { owner: "\"failover\"", known: &["after", "back"], later: &[] };
    if let Json::Flag(wanted) = entry.node.json {
        return wanted.then(Failover::default);
    }
    let entries = reader.map(&entry.node, "\"failover\"")?;
    let mut failover = Failover::default();
    for entry in reader.known(entries, &KEYS) {
        match (entry.key.as_ref(), &entry.node.json) {
            ("after", _) => assign(&mut failover.after, reader.duration(entry, PROBE)),
            ("back", Json::Flag(back)) => failover.back = back.then_some(Failover::BACK),
            ("back", _) => failover.back = reader.duration(entry, PROBE),
            _ => {}
        }
    }
    Some(failover)
}

/// How often far ends are asked again.
fn probe(reader: &mut Reader, node: &Node, probe: &mut Probe) {
    const KEYS: Keys = Keys { owner: "\"probe\"", known: &["every", "timeout"], later: &[] };
    let Some(entries) = reader.map(node, "\"probe\"") else { return };
    for entry in reader.known(entries, &KEYS) {
        match entry.key.as_ref() {
            "every" => probe.every = reader.duration(entry, PROBE),
            "timeout" => probe.timeout = reader.duration(entry, DEADLINE),
            _ => {}
        }
    }
    if probe.timeout.is_some() && probe.every.is_none() {
        let message = "\"probe\" says how long an answer may take, and not how often to ask";
        reader.report(
            Problem::new(code::MISSING_KEY, node.place(), "no \"every\"", message)
                .help("write \"every\": \"30s\", or leave \"probe\" out"),
        );
    }
}

/// How what broke is tried again.
fn reconnect(reader: &mut Reader, node: &Node, terms: &mut Reconnect) {
    const KEYS: Keys =
        Keys { owner: "\"reconnect\"", known: &["first", "max", "factor", "jitter", "give_up"], later: &[] };
    let Some(entries) = reader.map(node, "\"reconnect\"") else { return };
    for entry in reader.known(entries, &KEYS) {
        match entry.key.as_ref() {
            "first" => assign(&mut terms.first, reader.duration(entry, DEADLINE)),
            "max" => assign(&mut terms.max, reader.duration(entry, DEADLINE)),
            "factor" => assign(&mut terms.factor, reader.ratio(entry, 1.0..=10.0)),
            "jitter" => assign(&mut terms.jitter, reader.ratio(entry, 0.0..=1.0)),
            "give_up" if matches!(entry.node.json, Json::Null) => terms.give_up = None,
            "give_up" => terms.give_up = reader.duration(entry, DEADLINE).or(terms.give_up),
            _ => {}
        }
    }
    if terms.max < terms.first {
        let message = "\"reconnect\" waits longer before the first try than it ever may";
        reader.report(
            Problem::new(code::VALUE, node.place(), "\"first\" is longer than \"max\"", message)
                .help("make \"max\" at least as long as \"first\""),
        );
    }
}
