//! Forwards: `"8080 -> intranet:80"` and the object. Sees to it that the target's host exists, can
//! be entered, and that a listener open to other machines was meant.

use std::collections::HashMap;
use std::ops::Range;

use super::Reader;
use super::check;
use super::ids::Names;
use super::listen;
use super::listeners::Listeners;
use super::target;
use super::tree::{Entry, Json, Node};
use super::value::{Keys, Refusal, assign};
use crate::topology::{Check, Endpoint, Forward, ForwardId, Listen, Plain, Problem, Target, code, quoted};

const LATER: &[&str] = &["via", "at", "on_down", "hold", "env", "lazy", "idle", "open", "tags"];

const FORWARD: Keys = Keys {
    owner: "a forward",
    known: &["listen", "to", "check", "required", "expose", "plain", "protocol"],
    later: LATER,
};

const DEFAULTS: Keys = Keys {
    owner: "defaults for forwards",
    known: &["listen", "check", "required", "expose", "plain", "protocol"],
    later: LATER,
};

/// What forwards are checked against.
pub(super) struct Around<'a> {
    pub hosts: &'a Names,
    /// Hosts that hopper cannot log in to, by id.
    pub without_ssh: &'a HashMap<String, Range<usize>>,
    pub listeners: &'a mut Listeners,
}

/// Settings of a forward before both of its ends are known.
#[derive(Clone)]
pub(super) struct Draft<'n, 'a> {
    listen: Option<Listen>,
    listen_at: Option<&'n Node<'a>>,
    check: Check,
    required: bool,
    expose: bool,
    plain: Plain,
    protocol: Option<String>,
}

impl Default for Draft<'_, '_> {
    fn default() -> Self {
        Draft {
            listen: None,
            listen_at: None,
            check: Check::Tcp,
            required: true,
            expose: false,
            plain: Plain::Last,
            protocol: None,
        }
    }
}

/// One entry of `forwards`.
pub(super) fn forward<'n, 'a>(
    reader: &mut Reader,
    entry: &'n Entry<'a>,
    base: &Draft<'n, 'a>,
    around: &mut Around,
) -> Option<Forward> {
    let name = quoted(&entry.key);
    let mut draft = base.clone();
    let to = match &entry.node.json {
        Json::Text(_) => {
            let what = format!("forward {name}");
            let (listen, to, host) = reader.word(&entry.node, &what, "a string", short)?;
            draft.listen = Some(listen);
            draft.listen_at = Some(&entry.node);
            entered(reader, &entry.node, &name, to, host, around)
        }
        Json::Map(entries) => {
            settings(reader, entries, &FORWARD, &mut draft);
            let to = entries.iter().find(|entry| entry.key == "to");
            if to.is_none() {
                missing(reader, entry, "to", "\"to\": \"HOST:PORT\"");
            }
            to.and_then(|to| far_end(reader, &to.node, &name, around))
        }
        _ => {
            let what = format!("forward {name}");
            return reader.wrong_type(&entry.node, &what, "\"8080 -> HOST:PORT\" or an object, { … }");
        }
    };
    let listen = near_end(reader, entry, &draft, &name, around.listeners);
    Some(Forward {
        id: ForwardId(entry.key.to_string()),
        listen: listen?,
        to: to?,
        check: draft.check,
        required: draft.required,
        expose: draft.expose,
        plain: draft.plain,
        protocol: draft.protocol,
    })
}

/// What every forward starts from.
pub(super) fn defaults<'n, 'a>(reader: &mut Reader, node: &'n Node<'a>) -> Draft<'n, 'a> {
    let mut base = Draft::default();
    if let Some(entries) = reader.map(node, "\"forward\"") {
        settings(reader, entries, &DEFAULTS, &mut base);
    }
    base
}

fn settings<'n, 'a>(reader: &mut Reader, entries: &'n [Entry<'a>], keys: &Keys, draft: &mut Draft<'n, 'a>) {
    for entry in reader.known(entries, keys) {
        let node = &entry.node;
        match entry.key.as_ref() {
            "listen" => {
                draft.listen = listen::forward(reader, node);
                draft.listen_at = Some(node);
            }
            "check" => assign(&mut draft.check, check::check(reader, node)),
            "required" => assign(&mut draft.required, reader.flag(entry)),
            "expose" => assign(&mut draft.expose, reader.flag(entry)),
            "plain" => {
                let words = [("last", Plain::Last), ("ends", Plain::Ends)];
                assign(&mut draft.plain, reader.choice(node, "\"plain\"", &words, &[]));
            }
            "protocol" => draft.protocol = reader.word(node, "\"protocol\"", "a string", protocol),
            _ => {}
        }
    }
}

fn near_end(
    reader: &mut Reader,
    entry: &Entry,
    draft: &Draft,
    name: &str,
    listeners: &mut Listeners,
) -> Option<Listen> {
    let Some(at) = draft.listen_at else {
        missing(reader, entry, "listen", "\"listen\": 8080, or \"listen\": \"auto\"");
        return None;
    };
    let listen = draft.listen?;
    let short = matches!(entry.node.json, Json::Text(_));
    let place = match &at.json {
        Json::Text(text) if short => {
            at.part(0..text.find("->").map_or(text.len(), |arrow| text[..arrow].trim_end().len()))
        }
        _ => at.place(),
    };
    if !listen.address.is_loopback() && !draft.expose {
        let message =
            format!("forward {name} would be open to other machines: it listens on {}", listen.address);
        let help = match short {
            true => {
                "write \"127.0.0.1\" for this machine only; to share it on purpose, use the object form with \"expose\": true"
            }
            false => "write \"127.0.0.1\" for this machine only, or \"expose\": true to share it on purpose",
        };
        let label = "reachable from other machines";
        reader.report(Problem::new(code::EXPOSED, place.clone(), label, message).help(help));
    }
    listeners.add(reader, listen, place);
    Some(listen)
}

fn far_end(reader: &mut Reader, node: &Node, name: &str, around: &Around) -> Option<Target> {
    let (to, host) =
        reader.word(node, "\"to\"", "\"HOST:PORT\"", |text| target::parse(text, 0..text.len()))?;
    entered(reader, node, name, to, host, around)
}

/// Whether the target's host is there and lets itself be entered that way.
fn entered(
    reader: &mut Reader,
    node: &Node,
    name: &str,
    to: Target,
    host: Range<usize>,
    around: &Around,
) -> Option<Target> {
    if to.host().is_local() {
        let message = format!("forward {name} leads to \"local\", the machine hopper runs on");
        let help = "name the host to reach; what runs on this machine needs no tunnel";
        reader.report(Problem::new(code::FORWARD, node.part(host), "this machine", message).help(help));
        return None;
    }
    let id = to.host().as_str();
    reader.must_exist(around.hosts, id, &format!("forward {name}"), node, host.clone());
    if let (Target::Within { endpoint, .. }, Some(no_ssh)) = (&to, around.without_ssh.get(id)) {
        let message = format!("forward {name} goes into {}, which has no SSH server", quoted(id));
        let help = match endpoint {
            Endpoint::Tcp(address) => {
                format!("write \"{id}:{}\" to have it dialled by the host before it", address.port)
            }
            Endpoint::Unix(_) => {
                format!("a socket is reached from inside only: {} needs SSH for that", quoted(id))
            }
        };
        reader.report(
            Problem::new(code::FORWARD, node.part(host), "hopper would have to log in here", message)
                .also(no_ssh.clone(), "says that it cannot")
                .help(help),
        );
        return None;
    }
    Some(to)
}

fn missing(reader: &mut Reader, entry: &Entry, key: &str, write: &str) {
    let message = format!("forward {} has no \"{key}\"", quoted(&entry.key));
    let label = "this forward";
    reader.report(
        Problem::new(code::MISSING_KEY, entry.key_range.clone(), label, message)
            .help(format!("write {write}")),
    );
}

/// `LISTEN -> TARGET`, and where the name of the target's host stands.
fn short(text: &str) -> Result<(Listen, Target, Range<usize>), Refusal> {
    let refuse = |label: &str| Refusal {
        code: code::FORWARD,
        message: format!("{} is not a forward", quoted(text)),
        label: label.to_owned(),
        help: "write \"8080 -> intranet:80\": where to listen, an arrow, what to reach".to_owned(),
        part: 0..text.len(),
    };
    let Some((near, far)) = text.split_once("->") else { return Err(refuse("no `->` in it")) };
    if far.contains("->") {
        return Err(refuse("more than one `->` in it"));
    }
    let listen = near.trim();
    if listen.contains('/') {
        return Err(Refusal {
            code: code::NOT_YET,
            message: "listening anywhere but on a port of this machine is not supported yet".to_owned(),
            label: "known, but this hopper cannot do it".to_owned(),
            help: "listen on this machine: a port, auto or 127.0.0.1:5901".to_owned(),
            part: 0..near.len(),
        });
    }
    let from = near.len() - near.trim_start().len();
    let listen = listen::parse(text, from..from + listen.len())?;
    let start = near.len() + 2 + (far.len() - far.trim_start().len());
    let (to, host) = target::parse(text, start..start + far.trim().len())?;
    Ok((listen, to, host))
}

fn protocol(text: &str) -> Result<String, Refusal> {
    let fits = |(at, c): (usize, char)| {
        c.is_ascii_lowercase() || (at > 0 && (c.is_ascii_digit() || "+.-".contains(c)))
    };
    if !text.is_empty() && text.len() <= 32 && text.char_indices().all(fits) {
        return Ok(text.to_owned());
    }
    Err(Refusal {
        code: code::VALUE,
        message: format!("{} is not a protocol", quoted(text)),
        label: "not the scheme of a URL".to_owned(),
        help: "write what stands before :// in a URL, such as \"vnc\", \"http\" or \"postgres\"".to_owned(),
        part: 0..text.len(),
    })
}
