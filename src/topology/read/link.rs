//! Links: `"a -> b -> c"` and the object. Sees to it that both ends and every firewall exist.

use super::Reader;
use super::address;
use super::ids::{self, Names, Place};
use super::listen;
use super::listeners::Listeners;
use super::tree::{Entry, Json, Node};
use super::value::{Keys, Refusal, assign};
use crate::topology::{CarrierKind, Dial, FirewallId, HostId, Link, Problem, code, quoted};

const LINK: Keys = Keys {
    owner: "a link",
    known: &["from", "to", "dial", "ports", "through", "cost", "carrier", "listen", "note"],
    later: &[],
};

const DEFAULTS: Keys =
    Keys { owner: "defaults for links", known: &["ports", "through", "cost", "carrier", "note"], later: &[] };

/// What links are checked against.
pub(super) struct Around<'a> {
    pub hosts: &'a Names,
    pub firewalls: &'a Names,
    pub listeners: &'a mut Listeners,
}

/// One element of `links`: one link, or several in a row.
pub(super) fn links(reader: &mut Reader, node: &Node, base: &Link, around: &mut Around) -> Vec<Link> {
    match &node.json {
        Json::Text(text) => {
            let Some(stops) = reader.word(node, "a link", "a string", chain) else { return Vec::new() };
            for part in &stops {
                reader.must_exist(around.hosts, &text[part.clone()], "a link", node, part.clone());
            }
            let ends = |pair: &[Place]| {
                let (from, to) = (&text[pair[0].clone()], &text[pair[1].clone()]);
                Link { from: HostId::new(from), to: HostId::new(to), ..base.clone() }
            };
            stops.windows(2).map(ends).collect()
        }
        Json::Map(entries) => object(reader, node, entries, base, around).into_iter().collect(),
        _ => reader.wrong_type(node, "a link", "\"a -> b\" or an object, { … }").unwrap_or_default(),
    }
}

/// What every link starts from.
pub(super) fn defaults(reader: &mut Reader, node: &Node, around: &mut Around) -> Link {
    let mut base = blank();
    if let Some(entries) = reader.map(node, "\"link\"") {
        settings(reader, entries, &DEFAULTS, &mut base, around);
    }
    base
}

/// What every link starts from when the file says nothing.
pub(super) fn blank() -> Link {
    Link::new(HostId::local(), HostId::local())
}

/// The names in `a -> b -> c`, as parts of the text.
pub(super) fn chain(text: &str) -> Result<Vec<Place>, Refusal> {
    let refuse = |label: &str, part: Place| Refusal {
        code: code::LINK,
        message: format!("{} is not a link", quoted(text)),
        label: label.to_owned(),
        help: "write \"local -> gate-a -> gate-b\": who dials, an arrow, who is dialled".to_owned(),
        part,
    };
    if !text.contains("->") {
        return Err(refuse("no `->` in it", 0..text.len()));
    }
    let mut stops: Vec<Place> = Vec::new();
    let mut start = 0;
    for piece in text.split("->") {
        let name = piece.trim();
        let at = start + (piece.len() - piece.trim_start().len());
        let part = at..at + name.len();
        if name.is_empty() {
            return Err(refuse("a name is missing at this arrow", start.saturating_sub(2)..start.max(2)));
        }
        ids::id(name, "host").map_err(|mut refusal| {
            refusal.part = at + refusal.part.start..at + refusal.part.end;
            refusal
        })?;
        if let Some(before) = stops.last() {
            direction(&text[before.clone()], name, part.clone())?;
        }
        stops.push(part);
        start += piece.len() + 2;
    }
    Ok(stops)
}

fn direction(from: &str, to: &str, part: Place) -> Result<(), Refusal> {
    let (message, label, help) = if to == HostId::LOCAL {
        (
            "no link leads to \"local\"".to_owned(),
            "the machine hopper runs on",
            "turn the arrow round: a link goes from the one who dials to the one who is dialled",
        )
    } else if from == to {
        (
            format!("a link leads from {} to itself", quoted(to)),
            "the same host",
            "a host needs no link to itself",
        )
    } else {
        return Ok(());
    };
    Err(Refusal { code: code::LINK, message, label: label.to_owned(), help: help.to_owned(), part })
}

fn object(
    reader: &mut Reader,
    node: &Node,
    entries: &[Entry],
    base: &Link,
    around: &mut Around,
) -> Option<Link> {
    let mut link = base.clone();
    settings(reader, entries, &LINK, &mut link, around);
    let from = end(reader, node, entries, "from", around.hosts);
    let to = end(reader, node, entries, "to", around.hosts);
    let ((from, _), (to, at)) = (from?, to?);
    if let Err(refusal) = direction(&from, &to, 0..to.len()) {
        reader.refuse(at, refusal);
        return None;
    }
    Some(Link { from: HostId::new(from), to: HostId::new(to), ..link })
}

fn end<'n, 'a>(
    reader: &mut Reader,
    node: &Node,
    entries: &'n [Entry<'a>],
    key: &str,
    hosts: &Names,
) -> Option<(String, &'n Node<'a>)> {
    let Some(entry) = entries.iter().find(|entry| entry.key == key) else {
        let message = format!("a link has no \"{key}\"");
        reader.report(
            Problem::new(code::MISSING_KEY, node.place(), "this link", message)
                .help("write { \"from\": \"local\", \"to\": \"gate-a\" }, or \"local -> gate-a\""),
        );
        return None;
    };
    let what = quoted(key);
    let name = reader.word(&entry.node, &what, "a host's name in a string", |text| ids::id(text, "host"))?;
    reader.must_exist(hosts, &name, "a link", &entry.node, 0..name.len());
    Some((name, &entry.node))
}

fn settings(reader: &mut Reader, entries: &[Entry], keys: &Keys, link: &mut Link, around: &mut Around) {
    const CARRIERS: &[(&str, CarrierKind)] =
        &[("channel", CarrierKind::Channel), ("port", CarrierKind::Port)];
    let mut listens = None;
    for entry in reader.known(entries, keys) {
        match entry.key.as_ref() {
            "dial" => link.dial = reader.word(&entry.node, "\"dial\"", "\"address:port\"", dial),
            "ports" => {
                link.ports = reader.ports(entry);
                if link.ports.as_ref().is_some_and(|ports| ports.ranges().is_empty())
                    && matches!(&entry.node.json, Json::List(list) if list.is_empty())
                {
                    let message = "a link lets no port through";
                    reader.report(
                        Problem::new(code::PORT, entry.node.place(), "empty", message)
                            .help("leave \"ports\" out to let every port through"),
                    );
                }
            }
            "through" => assign(&mut link.through, through(reader, &entry.node, around.firewalls)),
            "cost" => assign(&mut link.cost, reader.number(entry, 0..=1_000_000)),
            "carrier" => {
                link.carrier = reader.choice(&entry.node, "\"carrier\"", CARRIERS, &[]).or(link.carrier);
            }
            "listen" => {
                link.listen = listen::carrier(reader, &entry.node, around.listeners);
                listens = Some(entry);
            }
            "note" => link.note = reader.line(entry),
            _ => {}
        }
    }
    if let (Some(entry), Some(CarrierKind::Channel)) = (listens, link.carrier) {
        let message = "a channel carrier listens nowhere";
        reader.report(
            Problem::new(code::LINK, entry.node.place(), "never used", message)
                .help("write \"carrier\": \"port\", or leave \"listen\" out"),
        );
    }
}

fn through(reader: &mut Reader, node: &Node, firewalls: &Names) -> Option<Vec<FirewallId>> {
    let mut ids = Vec::new();
    for element in reader.list(node, "\"through\"")? {
        let id = reader
            .word(element, "a firewall", "a firewall's name in a string", |text| ids::id(text, "firewall"));
        if let Some(id) = id {
            reader.must_exist(firewalls, &id, "a link", element, 0..id.len());
            ids.push(FirewallId(id));
        }
    }
    Some(ids)
}

fn dial(text: &str) -> Result<Dial, Refusal> {
    let (host, port) = address::with_port(text, 0)?;
    let port = port.map(|part| address::port(text, part)).transpose()?;
    Ok(Dial { host, port })
}
