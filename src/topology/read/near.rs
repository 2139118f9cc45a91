//! The near end of a forward: a place to listen, on the machine that runs the forward or on a host that it logs
//! in to. Sees to it that the host exists and takes logins, and that a listener open to other machines was
//! meant. How an address is written is known to `listen`.

use std::ops::Range;

use super::Reader;
use super::forward::{Around, Draft};
use super::ids;
use super::listen;
use super::tree::{Entry, Json, Node};
use super::value::Refusal;
use crate::topology::{Bind, HostId, Listen, Problem, code, quoted};

/// A place to listen as it is written.
#[derive(Clone)]
pub(super) struct Near {
    /// The host in front of it, and where in the string.
    host: Option<(HostId, Range<usize>)>,
    listen: Listen,
}

/// The value of `listen`.
pub(super) fn near(reader: &mut Reader, node: &Node) -> Option<Near> {
    const EXPECTED: &str = "a port, \"auto\", \"address:port\" or \"HOST/address:port\"";
    match &node.json {
        Json::Number(_) => Some(Near { host: None, listen: listen::forward(reader, node)? }),
        _ => reader.word(node, "\"listen\"", EXPECTED, |text| parse(text, 0..text.len())),
    }
}

/// The place to listen written in a part of a string.
pub(super) fn parse(text: &str, part: Range<usize>) -> Result<Near, Refusal> {
    let written = &text[part.clone()];
    if written.starts_with('/') {
        return Err(Refusal {
            code: code::NOT_YET,
            message: "listening on a unix socket is not supported yet".to_owned(),
            label: "known, but this hopper cannot do it".to_owned(),
            help: "listen on a port: 5901, \"auto\" or \"127.0.0.1:5901\"".to_owned(),
            part,
        });
    }
    let Some(slash) = written.find('/') else {
        return Ok(Near { host: None, listen: listen::parse(text, part)? });
    };
    let host = part.start..part.start + slash;
    let id = ids::id(&text[host.clone()], "host").map_err(|mut refusal| {
        refusal.part = host.start + refusal.part.start..host.start + refusal.part.end;
        refusal
    })?;
    let listen = listen::parse(text, host.end + 1..part.end)?;
    Ok(Near { host: Some((HostId::new(id), host)), listen })
}

impl Near {
    /// The host whose SSH server listens, for a forward that this machine runs.
    pub(super) fn on(&self, at: &HostId) -> Option<HostId> {
        self.host.as_ref().map(|(host, _)| host.clone()).filter(|host| host != at)
    }
}

/// Where a forward listens, once everything about it is known. Problems with it are reported.
pub(super) fn end(
    reader: &mut Reader,
    entry: &Entry,
    draft: &Draft,
    name: &str,
    around: &mut Around,
) -> Option<(Option<HostId>, Listen)> {
    let Some(node) = draft.listen_at else {
        let message = format!("forward {name} has no \"listen\"");
        reader.report(
            Problem::new(code::MISSING_KEY, entry.key_range.clone(), "this forward", message)
                .help("write \"listen\": 8080, or \"listen\": \"auto\""),
        );
        return None;
    };
    let near = draft.listen.as_ref()?;
    let (listen, on) = (near.listen, near.on(&draft.at));
    let short = matches!(entry.node.json, Json::Text(_));
    let place = match &node.json {
        Json::Text(text) if short => {
            node.part(0..text.find("->").map_or(text.len(), |arrow| text[..arrow].trim_end().len()))
        }
        _ => node.place(),
    };
    if let Some((host, part)) = &near.host
        && on.is_some()
    {
        let known =
            reader.must_exist(around.hosts, host.as_str(), &format!("forward {name}"), node, part.clone());
        if !known || !takes_logins(reader, host, node.part(part.clone()), name, around) {
            return None;
        }
    }
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
    } else if let Some(host) = &on
        && !listen.address.is_loopback()
        && around.loopback_only(host)
    {
        let message = format!(
            "forward {name} listens on {} of {}, whose listeners are for that host alone",
            listen.address,
            quoted(host.as_str())
        );
        let help = format!(
            "if the sshd of {} has GatewayPorts clientspecified, write \"bind\": \"any\" on that host",
            quoted(host.as_str())
        );
        let label = "reachable from other machines";
        reader.report(Problem::new(code::FORWARD, place.clone(), label, message).help(help));
    }
    let machine = on.as_ref().unwrap_or(&draft.at);
    around.listeners.add(reader, machine, listen, place);
    Some((on, listen))
}

/// Whether a session can be had there, without which nothing listens.
fn takes_logins(
    reader: &mut Reader,
    host: &HostId,
    place: Range<usize>,
    name: &str,
    around: &Around,
) -> bool {
    if host.is_local() {
        let message =
            format!("forward {name} listens on \"local\", which the hopper elsewhere cannot log in to");
        let help = "leave \"at\" out, and the hopper on local listens itself";
        reader.report(Problem::new(code::FORWARD, place, "nobody logs in here", message).help(help));
        return false;
    }
    let Some(no_ssh) = around.without_ssh.get(host.as_str()) else { return true };
    let message = format!("forward {name} listens on {}, which has no SSH server", quoted(host.as_str()));
    reader.report(
        Problem::new(code::FORWARD, place, "hopper would have to log in here", message)
            .also(no_ssh.clone(), "says that it cannot")
            .help("name a host that takes logins, or listen on this machine"),
    );
    false
}

impl Around<'_> {
    /// Whether what listens on a host can be reached from there alone, as far as the file says.
    fn loopback_only(&self, host: &HostId) -> bool {
        self.all.iter().any(|one| one.id == *host && one.bind == Bind::Loopback)
    }
}
