//! The settings of a host's sessions: login, host key, keepalive, deadlines. Each object is laid
//! over what was there, key by key.

use super::Reader;
use super::address;
use super::duration::{DEADLINE, OR_OFF};
use super::tree::{Json, Node};
use super::value::{Keys, Refusal, assign};
use crate::topology::{AgentUse, AuthMethod, HostKeyPolicy, Keepalive, Problem, Timeouts, code, quoted};

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

/// How the host key is judged.
pub(super) fn host_key(reader: &mut Reader, node: &Node, policy: &mut HostKeyPolicy) {
    const KEYS: Keys =
        Keys { owner: "a host key", known: &["policy", "fingerprint", "alias", "file"], later: &["ca"] };
    let Some(entries) = reader.map(node, "\"host_key\"") else { return };
    for entry in reader.known(entries, &KEYS) {
        let node = &entry.node;
        let what = quoted(&entry.key);
        match entry.key.as_ref() {
            "policy" => {
                reader.choice(node, "the host key policy", &[("strict", ())], &["ask", "accept-new"]);
            }
            "fingerprint" => assign(&mut policy.fingerprints, fingerprints(reader, node)),
            "alias" => {
                let alias = reader.word(node, &what, "a string", |text| address::host(text, 0..text.len()));
                policy.alias = alias.or(policy.alias.take());
            }
            "file" => {
                let file = reader.word(node, &what, "a path in a string", address::path);
                policy.file = file.or(policy.file.take());
            }
            _ => {}
        }
    }
}

fn fingerprints(reader: &mut Reader, node: &Node) -> Option<Vec<String>> {
    const EXPECTED: &str = "a fingerprint \"SHA256:…\" or a list of them";
    match &node.json {
        Json::Text(_) => Some(vec![reader.word(node, "\"fingerprint\"", EXPECTED, fingerprint)?]),
        Json::List(list) if list.is_empty() => {
            let message = "\"fingerprint\" pins no key";
            reader.report(
                Problem::new(code::VALUE, node.place(), "empty", message)
                    .help("leave the key out to judge by known_hosts"),
            );
            None
        }
        Json::List(list) => {
            let one = |element| reader.word(element, "a fingerprint", EXPECTED, fingerprint);
            Some(list.iter().filter_map(one).collect())
        }
        _ => reader.wrong_type(node, "\"fingerprint\"", EXPECTED),
    }
}

fn fingerprint(text: &str) -> Result<String, Refusal> {
    let hash = text.strip_prefix("SHA256:").unwrap_or("");
    if hash.len() == 43 && hash.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/') {
        return Ok(text.to_owned());
    }
    Err(Refusal {
        code: code::VALUE,
        message: format!("{} is not a fingerprint", quoted(text)),
        label: "expected SHA256: and 43 characters".to_owned(),
        help: "copy what  ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub  prints on that host".to_owned(),
        part: 0..text.len(),
    })
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
