//! The settings of a host's sessions: login, keepalive, deadlines. Each object is laid
//! over what was there, key by key.

use super::Reader;
use super::address;
use super::duration::{DEADLINE, OR_OFF};
use super::tree::{Json, Node};
use super::value::{Keys, assign};
use crate::topology::{AgentUse, AuthMethod, Keepalive, Problem, Timeouts, code};

/// Login methods in the order to try.
pub(super) fn auth(reader: &mut Reader, node: &Node) -> Option<Vec<AuthMethod>> {
    const LATER: &[&str] = &["gssapi"];
    let list = reader.list(node, "\"auth\"")?;
    if list.is_empty() {
        let message = "\"auth\" names no way to log in";
        reader.report(
            Problem::new(code::VALUE, node.place(), "empty", message)
                .help("write [\"agent\", \"key\"], or leave the key out"),
        );
        return None;
    }
    let mut methods: Vec<AuthMethod> = Vec::new();
    for element in list {
        match reader.choice(element, "a login method", &AuthMethod::WORDS, LATER) {
            Some(method) if methods.contains(&method) => {
                let message = "a login method is named twice";
                reader.report(Problem::new(code::VALUE, element.place(), "already named before", message));
            }
            Some(method) => methods.push(method),
            None => {}
        }
    }
    Some(methods)
}

/// Which agent is asked.
pub(super) fn agent(reader: &mut Reader, node: &Node) -> Option<AgentUse> {
    const EXPECTED: &str = "true, false, or the path of its socket";
    match node.json {
        Json::Flag(true) => Some(AgentUse::Own),
        Json::Flag(false) => Some(AgentUse::Off),
        _ => reader.word(node, "\"agent\"", EXPECTED, address::path).map(AgentUse::Socket),
    }
}

/// Private key files.
pub(super) fn identities(reader: &mut Reader, node: &Node) -> Option<Vec<String>> {
    let list = reader.list(node, "\"identities\"")?;
    let path = |element| reader.word(element, "an identity", "a path in a string", address::path);
    Some(list.iter().filter_map(path).collect())
}

/// When a silent session counts as lost.
pub(super) fn keepalive(reader: &mut Reader, node: &Node, keepalive: &mut Keepalive) {
    const KEYS: Keys = Keys { owner: "keepalive", known: &["interval", "max"], later: &[] };
    let Some(entries) = reader.map(node, "\"keepalive\"") else { return };
    for entry in reader.known(entries, &KEYS) {
        match entry.key.as_ref() {
            "interval" => assign(&mut keepalive.interval, reader.duration(entry, OR_OFF)),
            "max" => assign(&mut keepalive.max, reader.number(entry, 0..=100).map(|max| max as usize)),
            _ => {}
        }
    }
}

/// A deadline for each step.
pub(super) fn timeouts(reader: &mut Reader, node: &Node, timeouts: &mut Timeouts) {
    const KEYS: Keys =
        Keys { owner: "timeout", known: &["connect", "banner", "login", "forward"], later: &[] };
    let Some(entries) = reader.map(node, "\"timeout\"") else { return };
    for entry in reader.known(entries, &KEYS) {
        let limit = reader.duration(entry, DEADLINE);
        match entry.key.as_ref() {
            "connect" => assign(&mut timeouts.connect, limit),
            "banner" => assign(&mut timeouts.banner, limit),
            "login" => assign(&mut timeouts.login, limit),
            "forward" => assign(&mut timeouts.forward, limit),
            _ => {}
        }
    }
}
