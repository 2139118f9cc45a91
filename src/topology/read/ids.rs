//! Names: ids of hosts, firewalls and forwards, and which of them exist. Knows how an id is written,
//! never what it stands for.

use std::collections::HashSet;

use super::Reader;
use super::tree::Node;
use super::value::Refusal;
use crate::topology::{HostId, Problem, code, quoted};

/// The names of one kind that the file defines.
pub(super) struct Names {
    /// "host" or "firewall".
    kind: &'static str,
    /// `None` when the block that defines them could not be read: then every name passes, since
    /// a complaint about each use would bury the one that counts.
    known: Option<HashSet<String>>,
    in_order: Vec<String>,
}

impl Names {
    pub(super) fn new(kind: &'static str, names: Option<Vec<String>>) -> Self {
        let known = names.as_ref().map(|names| names.iter().cloned().collect());
        Names { kind, known, in_order: names.unwrap_or_default() }
    }

    fn has(&self, name: &str) -> bool {
        self.known.as_ref().is_none_or(|known| known.contains(name))
    }
}

impl Reader {
    /// Whether something in the file has this name; reports it if not.
    pub(super) fn must_exist(
        &mut self,
        names: &Names,
        name: &str,
        user: &str,
        node: &Node,
        part: Place,
    ) -> bool {
        if names.has(name) {
            return true;
        }
        let kind = names.kind;
        let local = (kind == "host").then_some(HostId::LOCAL);
        let meant = self.meant(name, names.in_order.iter().map(String::as_str).chain(local));
        let help = match meant {
            Some(meant) => format!("did you mean {}?", quoted(&meant)),
            None if kind == "host" => {
                format!("add it:  \"hosts\": {{ {}: \"user@address\" }}", quoted(name))
            }
            None => format!("add it:  \"{kind}s\": {{ {}: {{ \"allow\": [22] }} }}", quoted(name)),
        };
        let message = format!("{user} names a {kind} that does not exist: {}", quoted(name));
        let label = format!("no {kind} has this name");
        self.report(Problem::new(code::UNKNOWN_NAME, node.part(part), label, message).help(help));
        false
    }
}

/// A part of a string.
pub(super) type Place = std::ops::Range<usize>;

/// `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
pub(super) fn id(text: &str, kind: &str) -> Result<String, Refusal> {
    const LONGEST: usize = 64;
    let refuse = |label: String, part: Place| {
        Err(Refusal {
            code: code::NAME,
            message: format!("{} cannot name a {kind}", quoted(text)),
            label,
            help: format!(
                "a name is 1 to {LONGEST} letters, digits, `.`, `_` or `-`, and begins with a letter or digit"
            ),
            part,
        })
    };
    for (at, c) in text.char_indices() {
        let fits = c.is_ascii_alphanumeric() || (at > 0 && matches!(c, '.' | '_' | '-'));
        if !fits {
            let shown = quoted(c.encode_utf8(&mut [0; 4]));
            let place = if at == 0 { "first" } else { "here" };
            return refuse(format!("{shown} cannot stand {place}"), at..at + c.len_utf8());
        }
    }
    match text.len() {
        0 => refuse("empty".to_owned(), 0..0),
        1..=LONGEST => Ok(text.to_owned()),
        _ => refuse(format!("{} characters", text.len()), 0..text.len()),
    }
}

/// `^[a-z0-9][a-z0-9._-]{0,62}$`: it names sockets and folders.
pub(super) fn run_name(text: &str) -> Result<String, Refusal> {
    let fits = |(at, c): (usize, char)| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || (at > 0 && matches!(c, '.' | '_' | '-'))
    };
    if !text.is_empty() && text.len() <= 63 && text.char_indices().all(fits) {
        return Ok(text.to_owned());
    }
    Err(Refusal {
        code: code::NAME,
        message: format!("{} cannot name a run", quoted(text)),
        label: "not a name".to_owned(),
        help: format!(
            "write \"name\": \"{}\"; a name is 1 to 63 lower-case letters, digits, `.`, `_` or `-`, and begins \
             with a letter or digit",
            slug(text)
        ),
        part: 0..text.len(),
    })
}

fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().take(63) {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            'A'..='Z' => slug.push(c.to_ascii_lowercase()),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    match slug.trim_end_matches('-') {
        "" => "my-tunnels".to_owned(),
        slug => slug.to_owned(),
    }
}
