//! The algorithms of a host: the word for the old set, or an object with lists.

use super::Reader;
use super::tree::{Entry, Json, Node};
use super::value::{Keys, Refusal};
use crate::topology::{AlgorithmKind, Algorithms, Problem, code, nearest, quoted};

/// What the sessions to a host may use, laid over what was there, kind by kind.
pub(super) fn algorithms(reader: &mut Reader, node: &Node, algorithms: &mut Algorithms) {
    const KEYS: Keys =
        Keys { owner: "algorithms", known: &["kex", "host_key", "cipher", "mac", "legacy"], later: &[] };
    let entries = match &node.json {
        Json::Text(_) => {
            if reader.choice(node, "\"algorithms\"", &[("legacy", ())], &[]).is_some() {
                algorithms.legacy = true;
            }
            return;
        }
        Json::Map(entries) => entries,
        _ => {
            reader.wrong_type::<()>(node, "\"algorithms\"", "\"legacy\" or an object, { … }");
            return;
        }
    };
    for entry in reader.known(entries, &KEYS) {
        if entry.key == "legacy" {
            algorithms.legacy = reader.flag(entry).unwrap_or(algorithms.legacy);
        } else if let Some(kind) = AlgorithmKind::ALL.into_iter().find(|kind| kind.as_str() == entry.key)
            && let Some(names) = names(reader, entry, kind)
        {
            algorithms.named.insert(kind, names);
        }
    }
}

fn names(reader: &mut Reader, entry: &Entry, kind: AlgorithmKind) -> Option<Vec<&'static str>> {
    let list = reader.list(&entry.node, &quoted(&entry.key))?;
    if list.is_empty() {
        let message = format!("{} names no algorithm", quoted(&entry.key));
        reader.report(
            Problem::new(code::VALUE, entry.node.place(), "empty", message)
                .help("leave the key out to take hopper's own"),
        );
        return None;
    }
    let mut names = Vec::new();
    for element in list {
        let name = reader
            .word(element, "an algorithm", "an algorithm's name in a string", |text| known(text, kind))?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Some(names)
}

fn known(text: &str, kind: AlgorithmKind) -> Result<&'static str, Refusal> {
    let all = || kind.modern().iter().chain(kind.legacy()).copied();
    kind.find(text).ok_or_else(|| {
        let help = match nearest(text, all()).filter(|_| text.len() <= 64) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("there are: {}", all().collect::<Vec<_>>().join(", ")),
        };
        Refusal {
            code: code::VALUE,
            message: format!("hopper has no {} {}", kind.for_people(), quoted(text)),
            label: "not one that hopper has".to_owned(),
            help,
            part: 0..text.len(),
        }
    })
}
