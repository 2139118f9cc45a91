//! Places to listen: `5901`, `"auto"`, `"127.0.0.1:8080"`, `"[::1]:auto"`. Knows what may be reached
//! from other machines; which listeners collide is known to `listeners`.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use super::Reader;
use super::address;
use super::listeners::Listeners;
use super::tree::{Json, Node};
use super::value::Refusal;
use crate::topology::{HostId, Listen, Problem, code, quoted};

const EXPECTED: &str = "a port, \"auto\" or \"address:port\"";

/// A listener on the machine itself.
pub(super) fn forward(reader: &mut Reader, node: &Node) -> Option<Listen> {
    match &node.json {
        Json::Number("0") => {
            let message = "0 is not a port";
            reader.report(
                Problem::new(code::PORT, node.place(), "not a port", message)
                    .help("write \"auto\" to let the system choose a free port"),
            );
            None
        }
        Json::Number(_) => Some(Listen { port: reader.port(node, "\"listen\"")?, ..Listen::AUTO }),
        _ => reader.word(node, "\"listen\"", EXPECTED, |text| parse(text, 0..text.len())),
    }
}

/// A listener as a `port` carrier asks for it: never open to other machines.
pub(super) fn carrier(reader: &mut Reader, node: &Node, listeners: &mut Listeners) -> Option<Listen> {
    let listen = forward(reader, node)?;
    if !listen.address.is_loopback() {
        let message = format!("the carrier of a link would listen on {}", listen.address);
        reader.report(
            Problem::new(code::EXPOSED, node.place(), "reachable from other machines", message)
                .help("a carrier listens on 127.0.0.1 or [::1] only"),
        );
        return None;
    }
    listeners.add(reader, &HostId::local(), listen, node.place());
    Some(listen)
}

/// The listener written in a part of a string.
pub(super) fn parse(text: &str, part: Range<usize>) -> Result<Listen, Refusal> {
    let written = &text[part.clone()];
    let refuse = |label: &str| Refusal {
        code: code::LISTEN,
        message: format!("{} is not a place to listen", quoted(written)),
        label: label.to_owned(),
        help: "write a port (5901), \"auto\", \"127.0.0.1:5901\", \"[::1]:5901\" or \"127.0.0.1:auto\""
            .to_owned(),
        part: part.clone(),
    };
    let Some(colon) = written.rfind(':') else {
        if written == "auto" || written.bytes().all(|b| b.is_ascii_digit()) && !written.is_empty() {
            return Ok(Listen { port: port(text, part.clone())?, ..Listen::AUTO });
        }
        return Err(refuse("no port in it"));
    };
    let ip = &written[..colon];
    let address = match ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')) {
        Some(v6) => v6.parse().map(IpAddr::V6).map_err(|_| refuse("not an IPv6 address in brackets"))?,
        None if ip == "localhost" => return Err(refuse("localhost is 127.0.0.1 or [::1]; say which")),
        None => ip
            .parse::<Ipv4Addr>()
            .map(IpAddr::V4)
            .map_err(|_| refuse("an IP address belongs before the port"))?,
    };
    Ok(Listen { address, port: port(text, part.start + colon + 1..part.end)? })
}

fn port(text: &str, part: Range<usize>) -> Result<u16, Refusal> {
    if &text[part.clone()] == "auto" {
        return Ok(Listen::AUTO.port);
    }
    address::port(text, part).map_err(|mut refusal| {
        refusal.help = "a port is a whole number from 1 to 65535, or auto for a free one".to_owned();
        refusal
    })
}
