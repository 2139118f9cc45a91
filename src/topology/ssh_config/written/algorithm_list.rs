//! Lists of algorithms in an ssh configuration: written out, or as a change to the usual ones. hopper's own stand for
//! those of an `ssh` that is not there.

use crate::topology::{AlgorithmKind, wildcard};

/// The name of a list of algorithms in what `ssh -G` prints.
pub fn printed(kind: AlgorithmKind) -> &'static str {
    match kind {
        AlgorithmKind::Kex => "kexalgorithms",
        AlgorithmKind::HostKey => "hostkeyalgorithms",
        AlgorithmKind::Cipher => "ciphers",
        AlgorithmKind::Mac => "macs",
    }
}

/// What `+`, `-` and `^` are about.
pub fn usual(kind: AlgorithmKind) -> Vec<&'static str> {
    let more = if kind == AlgorithmKind::Mac { kind.legacy() } else { &[] };
    kind.modern().iter().chain(more).copied().collect()
}

/// What a list comes to: `+`, `-` and `^` change the usual one; names may be patterns. `None` for what `ssh` refuses.
pub fn changed(kind: AlgorithmKind, list: &str) -> Option<Vec<String>> {
    let usual: Vec<String> = usual(kind).into_iter().map(str::to_owned).collect();
    let (change, names) = match list.split_at_checked(1) {
        Some((change @ ("+" | "-" | "^"), names)) => (change, names),
        _ => ("", list),
    };
    if names.is_empty() || names.split(',').any(|name| name.is_empty() || name.starts_with('!')) {
        return None;
    }
    let named =
        |name: &str| names.split(',').any(|pattern| wildcard(pattern, name, |one, other| one == other));
    let all = || kind.modern().iter().chain(kind.legacy()).copied();
    let mut meant: Vec<String> = Vec::new();
    for pattern in names.split(',') {
        let before = meant.len();
        meant.extend(
            all().filter(|name| wildcard(pattern, name, |one, other| one == other)).map(str::to_owned),
        );
        if meant.len() == before {
            // Nothing that hopper has; whoever reads the list sees that.
            meant.push(pattern.to_owned());
        }
    }
    let list = match change {
        "+" => usual.into_iter().chain(meant).collect(),
        "^" => meant.into_iter().chain(usual).collect(),
        "-" => usual.into_iter().filter(|name| !named(name)).collect(),
        _ => meant,
    };
    let mut once: Vec<String> = Vec::new();
    for name in list {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    Some(once)
}
