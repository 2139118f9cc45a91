//! How a host's key is judged: the policy, pinned fingerprints and authorities, and where other keys are
//! recorded.

use super::Reader;
use super::address;
use super::tree::{Json, Node};
use super::value::{Keys, Refusal, assign, bad_char};
use crate::topology::{Authority, HostKeyChecking, HostKeyPolicy, Problem, code, quoted};

/// How the host key is judged.
pub(super) fn host_key(reader: &mut Reader, node: &Node, policy: &mut HostKeyPolicy) {
    const KEYS: Keys =
        Keys { owner: "a host key", known: &["policy", "fingerprint", "ca", "alias", "file"], later: &[] };
    const CHECKING: &[(&str, HostKeyChecking)] = &[
        ("strict", HostKeyChecking::Strict),
        ("ask", HostKeyChecking::Ask),
        ("accept-new", HostKeyChecking::AcceptNew),
    ];
    let Some(entries) = reader.map(node, "\"host_key\"") else { return };
    for entry in reader.known(entries, &KEYS) {
        let node = &entry.node;
        let what = quoted(&entry.key);
        match entry.key.as_ref() {
            "policy" => {
                assign(&mut policy.checking, reader.choice(node, "the host key policy", CHECKING, &[]));
            }
            "fingerprint" => {
                let pins = one_or_more(reader, node, &what, ("a fingerprint", FINGERPRINT), fingerprint);
                assign(&mut policy.fingerprints, pins);
            }
            "ca" => {
                let keys = one_or_more(reader, node, &what, ("an authority", AUTHORITY), authority);
                assign(&mut policy.authorities, keys);
            }
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

const FINGERPRINT: &str = "a fingerprint \"SHA256:…\" or a list of them";
const AUTHORITY: &str = "a file of keys, a line \"ssh-ed25519 AAAA…\", or a list of them";

/// One string in a grammar, or a list of some.
fn one_or_more<T>(
    reader: &mut Reader,
    node: &Node,
    what: &str,
    (element, expected): (&str, &str),
    grammar: fn(&str) -> Result<T, Refusal>,
) -> Option<Vec<T>> {
    match &node.json {
        Json::Text(_) => Some(vec![reader.word(node, what, expected, grammar)?]),
        Json::List(list) if list.is_empty() => {
            let message = format!("{what} pins no key");
            reader.report(
                Problem::new(code::VALUE, node.place(), "empty", message)
                    .help("leave the key out to judge by known_hosts"),
            );
            None
        }
        Json::List(list) => {
            Some(list.iter().filter_map(|one| reader.word(one, element, expected, grammar)).collect())
        }
        _ => reader.wrong_type(node, what, expected),
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

/// A key as a `.pub` file has it, or the path of such a file. Whether the key is one is seen when it is used.
fn authority(text: &str) -> Result<Authority, Refusal> {
    const TYPES: [&str; 5] =
        ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];
    let mut words = text.split_whitespace();
    if !words.next().is_some_and(|word| TYPES.contains(&word)) {
        return address::path(text).map(Authority::File);
    }
    let data = words.next().unwrap_or_default();
    let base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
    if data.starts_with("AAAA") && data.bytes().all(base64) && bad_char(text).is_none() {
        return Ok(Authority::Key(text.to_owned()));
    }
    Err(Refusal {
        code: code::VALUE,
        message: format!("{} is not a public key", quoted(text)),
        label: "expected a type and its data, as in a .pub file".to_owned(),
        help: "copy the line of the authority's .pub file, or name that file".to_owned(),
        part: 0..text.len(),
    })
}
