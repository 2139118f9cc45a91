//! The whole file: its keys, in the order in which they depend on each other.

use std::collections::HashMap;
use std::ops::Range;

use super::tree::{Entry, Json, Node};
use super::value::Keys;
use super::{Reader, firewall, forward, host, ids, link, policy};
use super::{ids::Names, listeners::Listeners};
use crate::topology::{Firewall, Forward, Host, HostId, Link, Policy, Problem, Topology, code, quoted};

const TOP: Keys = Keys {
    owner: "a topology",
    known: &[
        "hopper",
        "$schema",
        "name",
        "description",
        "defaults",
        "firewalls",
        "hosts",
        "links",
        "forwards",
        "policy",
    ],
    later: &["include", "vars", "hooks"],
};

/// Reads the tree of a file. `None` when not even a flawed topology comes of it.
pub(super) fn topology(reader: &mut Reader, tree: &Node, stem: &str) -> Option<Topology> {
    let entries = reader.map(tree, "a topology")?;
    if !version(reader, tree, entries) {
        return None;
    }
    reader.known(entries, &TOP);
    let get = |key: &str| entries.iter().find(|entry| entry.key == key);

    if let Some(schema) = get("$schema") {
        reader.line(schema);
    }
    let description = get("description").and_then(|entry| reader.line(entry));
    let name = name(reader, tree, get("name"), stem);

    const DEFAULTS: Keys = Keys { owner: "defaults", known: &["host", "link", "forward"], later: &[] };
    let defaults: &[Entry] =
        get("defaults").and_then(|entry| reader.map(&entry.node, "\"defaults\"")).unwrap_or(&[]);
    reader.known(defaults, &DEFAULTS);
    let default = |key: &str| defaults.iter().find(|entry| entry.key == key).map(|entry| &entry.node);

    let firewalls = firewalls(reader, get("firewalls"));
    let firewall_names = Names::new("firewall", firewalls.as_ref().map(|all| ids_of(all, |it| &it.id.0)));
    let links_at = get("links");
    let base = default("host").map_or_else(host::blank, |node| host::defaults(reader, node));
    let hosts = match get("hosts") {
        Some(entry) => hosts(reader, &entry.node, &base),
        None => Some(implied(links_at, &base)),
    };
    let host_names = Names::new(
        "host",
        hosts.as_ref().map(|all| {
            let local = std::iter::once(HostId::LOCAL.to_owned());
            local.chain(ids_of(all, |it| it.id.as_str())).collect()
        }),
    );

    let mut listeners = Listeners::default();
    let links = {
        let (hosts, firewalls) = (&host_names, &firewall_names);
        let mut around = link::Around { hosts, firewalls, listeners: &mut listeners };
        let base = default("link").map_or_else(link::blank, |node| link::defaults(reader, node, &mut around));
        links(reader, links_at, &base, &mut around)
    };
    let without_ssh = without_ssh(get("hosts"), hosts.as_deref().unwrap_or(&[]));
    let base =
        default("forward").map(|node| forward::defaults(reader, node, &host_names)).unwrap_or_default();
    let mut around = forward::Around {
        hosts: &host_names,
        all: hosts.as_deref().unwrap_or(&[]),
        without_ssh: &without_ssh,
        listeners: &mut listeners,
    };
    let forwards = forwards(reader, get("forwards"), &base, &mut around);
    let policy = get("policy").map_or_else(Policy::default, |entry| policy::policy(reader, &entry.node));

    let (mut firewalls, mut hosts, mut forwards) = (firewalls?, hosts?, forwards);
    // The keys of an object have no order that could mean anything: however they are written, the
    // topology is the same. Links are a list, and their order breaks ties.
    firewalls.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    hosts.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    forwards.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    Some(Topology { name: name?, description, firewalls, hosts, links, forwards, policy })
}

/// Whether this is a file that this hopper can judge at all.
fn version(reader: &mut Reader, tree: &Node, entries: &[Entry]) -> bool {
    let Some(entry) = entries.iter().find(|entry| entry.key == "hopper") else {
        let message = "the file does not say which format it is in";
        reader.report(
            Problem::new(code::MISSING_KEY, tree.place(), "\"hopper\" is missing here", message)
                .help("begin the file with  { \"hopper\": 1,"),
        );
        return true;
    };
    let place = entry.node.place();
    match entry.node.json {
        Json::Number("1") => true,
        Json::Number(written) if written.parse::<u32>().is_ok_and(|version| version > 1) => {
            let message = format!("this file needs a newer hopper: it is in format {written}");
            let label = "this hopper reads format 1";
            reader.report(Problem::new(code::VERSION, place, label, message).help("install a newer hopper"));
            // Its other keys may mean something else there.
            false
        }
        Json::Number(written) => {
            let message = format!("there is no format {}", quoted(written));
            reader.report(
                Problem::new(code::VERSION, place, "not a format", message).help("write \"hopper\": 1"),
            );
            true
        }
        _ => {
            reader.wrong_type::<()>(&entry.node, "\"hopper\"", "the number 1");
            true
        }
    }
}

fn name(reader: &mut Reader, tree: &Node, entry: Option<&Entry>, stem: &str) -> Option<String> {
    if let Some(entry) = entry {
        return reader.word(&entry.node, "\"name\"", "a string", ids::run_name);
    }
    match ids::run_name(stem) {
        Ok(name) => Some(name),
        Err(refusal) => {
            let message = format!("the file's own name {} cannot name the run", quoted(stem));
            let label = "\"name\" is missing here";
            reader.report(Problem::new(code::NAME, tree.place(), label, message).help(refusal.help));
            None
        }
    }
}

fn firewalls(reader: &mut Reader, entry: Option<&Entry>) -> Option<Vec<Firewall>> {
    let Some(entry) = entry else { return Some(Vec::new()) };
    let entries = reader.map(&entry.node, "\"firewalls\"")?;
    let mut firewalls = Vec::with_capacity(entries.len());
    for entry in entries {
        key_is_id(reader, entry, "firewall");
        firewalls.push(firewall::firewall(reader, entry));
    }
    Some(firewalls)
}

fn hosts(reader: &mut Reader, node: &Node, base: &Host) -> Option<Vec<Host>> {
    let entries = reader.map(node, "\"hosts\"")?;
    let mut hosts = Vec::with_capacity(entries.len());
    for entry in entries {
        if entry.key == HostId::LOCAL {
            let message = "\"local\" is the machine hopper runs on, it has no entry";
            reader.report(
                Problem::new(code::NAME, entry.key_range.clone(), "reserved", message)
                    .help("call this host something else"),
            );
            continue;
        }
        key_is_id(reader, entry, "host");
        hosts.push(host::host(reader, entry, base));
    }
    Some(hosts)
}

/// Without a `hosts` block, the names in the links are the addresses.
fn implied(links: Option<&Entry>, base: &Host) -> Vec<Host> {
    let Some(Json::List(list)) = links.map(|entry| &entry.node.json) else { return Vec::new() };
    let mut names: Vec<&str> = Vec::new();
    for node in list {
        match &node.json {
            Json::Text(text) => {
                names.extend(link::chain(text).unwrap_or_default().into_iter().map(|part| &text[part]));
            }
            Json::Map(entries) => names.extend(
                entries.iter().filter(|entry| entry.key == "from" || entry.key == "to").filter_map(|entry| {
                    match &entry.node.json {
                        Json::Text(text) => Some(text.as_ref()),
                        _ => None,
                    }
                }),
            ),
            _ => {}
        }
    }
    let mut seen = std::collections::HashSet::from([HostId::LOCAL]);
    names.into_iter().filter(|name| seen.insert(name)).map(|name| host::named(base, name)).collect()
}

fn links(reader: &mut Reader, entry: Option<&Entry>, base: &Link, around: &mut link::Around) -> Vec<Link> {
    let list = entry.and_then(|entry| reader.list(&entry.node, "\"links\"")).unwrap_or(&[]);
    list.iter().flat_map(|node| link::links(reader, node, base, around)).collect()
}

fn forwards<'n, 'a>(
    reader: &mut Reader,
    entry: Option<&'n Entry<'a>>,
    base: &forward::Draft<'n, 'a>,
    around: &mut forward::Around,
) -> Vec<Forward> {
    let entries = entry.and_then(|entry| reader.map(&entry.node, "\"forwards\"")).unwrap_or(&[]);
    let mut forwards = Vec::with_capacity(entries.len());
    for entry in entries {
        key_is_id(reader, entry, "forward");
        forwards.extend(forward::forward(reader, entry, base, around));
    }
    forwards
}

/// Where each host without an SSH server says so; a default says it for those that do not.
fn without_ssh(entry: Option<&Entry>, hosts: &[Host]) -> HashMap<String, Range<usize>> {
    let Some(Json::Map(entries)) = entry.map(|entry| &entry.node.json) else { return HashMap::new() };
    let places: HashMap<&str, &Entry> = entries.iter().map(|entry| (entry.key.as_ref(), entry)).collect();
    let place = |entry: &&Entry| match &entry.node.json {
        Json::Map(keys) => keys.iter().find(|key| key.key == "ssh").unwrap_or(entry).key_range.clone(),
        _ => entry.key_range.clone(),
    };
    hosts
        .iter()
        .filter(|host| !host.ssh)
        .filter_map(|host| Some((host.id.as_str().to_owned(), places.get(host.id.as_str()).map(place)?)))
        .collect()
}

fn key_is_id(reader: &mut Reader, entry: &Entry, kind: &str) {
    if let Err(refusal) = ids::id(&entry.key, kind) {
        let place = entry.key_range.clone();
        reader.report(Problem::new(refusal.code, place, refusal.label, refusal.message).help(refusal.help));
    }
}

fn ids_of<T>(all: &[T], id: impl Fn(&T) -> &str) -> Vec<String> {
    all.iter().map(|it| id(it).to_owned()).collect()
}
