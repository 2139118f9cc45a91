//! Forwards: `"8080 -> intranet:80"` and the object. Sees to it that the target's host exists, can
//! be entered, and that a listener open to other machines was meant.

use std::collections::HashMap;
use std::ops::Range;

use super::Reader;
use super::check;
use super::ids::{self, Names};
use super::listeners::Listeners;
use super::near::{self, Near};
use super::on_down::{self, Down};
use super::target;
use super::tree::{Entry, Json, Node};
use super::value::{Keys, Refusal, assign};
use crate::topology::{
    Address, Check, Endpoint, Forward, ForwardId, Host, HostId, Plain, Problem, Target, code, quoted,
};

const LATER: &[&str] = &["via", "env", "lazy", "idle", "open", "tags"];

const FORWARD: Keys = Keys {
    owner: "a forward",
    known: &["listen", "to", "at", "check", "required", "expose", "plain", "on_down", "hold", "protocol"],
    later: LATER,
};

const DEFAULTS: Keys = Keys {
    owner: "defaults for forwards",
    known: &["listen", "at", "check", "required", "expose", "plain", "on_down", "hold", "protocol"],
    later: LATER,
};

/// What forwards are checked against.
pub(super) struct Around<'a> {
    pub hosts: &'a Names,
    /// Every host that could be read.
    pub all: &'a [Host],
    /// Hosts that hopper cannot log in to, by id.
    pub without_ssh: &'a HashMap<String, Range<usize>>,
    pub listeners: &'a mut Listeners,
}

/// Settings of a forward before both of its ends are known.
#[derive(Clone)]
pub(super) struct Draft<'n, 'a> {
    pub listen: Option<Near>,
    /// Where that is written.
    pub listen_at: Option<&'n Node<'a>>,
    /// The machine that runs it.
    pub at: HostId,
    pub expose: bool,
    check: Check,
    required: bool,
    plain: Plain,
    down: Down,
    protocol: Option<String>,
}

impl Default for Draft<'_, '_> {
    fn default() -> Self {
        Draft {
            listen: None,
            listen_at: None,
            at: HostId::local(),
            check: Check::Tcp,
            required: true,
            expose: false,
            plain: Plain::Last,
            down: Down::default(),
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
            let (listen, to) = reader.word(&entry.node, &what, "a string", short)?;
            draft.listen = Some(listen);
            draft.listen_at = Some(&entry.node);
            entered(reader, &entry.node, &name, to, &draft, around)
        }
        Json::Map(entries) => {
            settings(reader, entries, &FORWARD, &mut draft, around.hosts);
            let elsewhere = draft.listen.as_ref().is_some_and(|near| near.on(&draft.at).is_some());
            on_down::fits(reader, entries, &name, elsewhere);
            let to = entries.iter().find(|entry| entry.key == "to");
            if to.is_none() {
                missing(reader, entry, "to", "\"to\": \"HOST:PORT\"");
            }
            to.and_then(|to| far_end(reader, &to.node, &name, &draft, around))
        }
        _ => {
            let what = format!("forward {name}");
            return reader.wrong_type(&entry.node, &what, "\"8080 -> HOST:PORT\" or an object, { … }");
        }
    };
    let near = near::end(reader, entry, &draft, &name, around);
    let (on, listen) = near?;
    Some(Forward {
        id: ForwardId(entry.key.to_string()),
        at: draft.at,
        on,
        listen,
        to: to?,
        check: draft.check,
        required: draft.required,
        expose: draft.expose,
        plain: draft.plain,
        on_down: draft.down.settled(),
        protocol: draft.protocol,
    })
}

/// What every forward starts from.
pub(super) fn defaults<'n, 'a>(reader: &mut Reader, node: &'n Node<'a>, hosts: &Names) -> Draft<'n, 'a> {
    let mut base = Draft::default();
    if let Some(entries) = reader.map(node, "\"forward\"") {
        settings(reader, entries, &DEFAULTS, &mut base, hosts);
    }
    base
}

fn settings<'n, 'a>(
    reader: &mut Reader,
    entries: &'n [Entry<'a>],
    keys: &Keys,
    draft: &mut Draft<'n, 'a>,
    hosts: &Names,
) {
    for entry in reader.known(entries, keys) {
        let node = &entry.node;
        match entry.key.as_ref() {
            "listen" => {
                draft.listen = near::near(reader, node);
                draft.listen_at = Some(node);
            }
            "at" => {
                let at = reader.word(node, "\"at\"", "the name of a host", |text| ids::id(text, "host"));
                if let Some(at) = at
                    && reader.must_exist(hosts, &at, "\"at\"", node, 0..at.len())
                {
                    draft.at = HostId::new(at);
                }
            }
            "check" => assign(&mut draft.check, check::check(reader, node)),
            "required" => assign(&mut draft.required, reader.flag(entry)),
            "expose" => assign(&mut draft.expose, reader.flag(entry)),
            "plain" => {
                let words = [("last", Plain::Last), ("ends", Plain::Ends)];
                assign(&mut draft.plain, reader.choice(node, "\"plain\"", &words, &[]));
            }
            "on_down" => draft.down.how(reader, node),
            "hold" => draft.down.patience(reader, entry),
            "protocol" => draft.protocol = reader.word(node, "\"protocol\"", "a string", protocol),
            _ => {}
        }
    }
}

fn far_end(reader: &mut Reader, node: &Node, name: &str, draft: &Draft, around: &Around) -> Option<Target> {
    let to = reader.word(node, "\"to\"", "\"HOST:PORT\"", |text| target::parse(text, 0..text.len()))?;
    entered(reader, node, name, to, draft, around)
}

/// Whether the target's host is there and lets itself be entered that way.
fn entered(
    reader: &mut Reader,
    node: &Node,
    name: &str,
    (to, host): (Target, Range<usize>),
    draft: &Draft,
    around: &Around,
) -> Option<Target> {
    if *to.host() == draft.at || to.host().is_local() {
        let elsewhere = draft.listen.as_ref().is_some_and(|near| near.on(&draft.at).is_some());
        if elsewhere && *to.host() == draft.at {
            return Some(own(to));
        }
        let at = quoted(draft.at.as_str());
        let (message, help) = match *to.host() == draft.at {
            true => (
                format!("forward {name} leads to {at}, the machine that it listens on"),
                "name the host to reach; what runs on this machine needs no tunnel",
            ),
            false => (
                format!("forward {name} leads to \"local\", which the hopper on {at} cannot dial"),
                "leave \"at\" out, and let it listen on a host: \"HOST/127.0.0.1:PORT\"",
            ),
        };
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

/// A port of the machine that runs the forward, dialled there.
fn own(to: Target) -> Target {
    match to {
        Target::Dialled { host, port } => {
            Target::Within { host, endpoint: Endpoint::Tcp(Address::new("127.0.0.1", port)) }
        }
        within @ Target::Within { .. } => within,
    }
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
fn short(text: &str) -> Result<(Near, (Target, Range<usize>)), Refusal> {
    let refuse = |label: &str| Refusal {
        code: code::FORWARD,
        message: format!("{} is not a forward", quoted(text)),
        label: label.to_owned(),
        help: "write \"8080 -> intranet:80\": where to listen, an arrow, what to reach".to_owned(),
        part: 0..text.len(),
    };
    let Some((near_end, far)) = text.split_once("->") else { return Err(refuse("no `->` in it")) };
    if far.contains("->") {
        return Err(refuse("more than one `->` in it"));
    }
    let from = near_end.len() - near_end.trim_start().len();
    let listen = near::parse(text, from..from + near_end.trim().len())?;
    let start = near_end.len() + 2 + (far.len() - far.trim_start().len());
    Ok((listen, target::parse(text, start..start + far.trim().len())?))
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
