//! Targets of forwards: `HOST:PORT`, `HOST/ADDR:PORT`, `HOST//unix/path`. Knows how they are
//! written; whether the host exists and can be entered is the forward's matter.

use std::ops::Range;

use super::address;
use super::ids;
use super::value::{Refusal, bad_char};
use crate::topology::{Address, Endpoint, HostId, Target, code, quoted};

/// Linux keeps 108 bytes for the path of a unix socket, the last of them zero.
const LONGEST_SOCKET: usize = 107;

/// The target written in a part of a string, and where its host's name stands.
pub(super) fn parse(text: &str, part: Range<usize>) -> Result<(Target, Range<usize>), Refusal> {
    let written = &text[part.clone()];
    let refuse = |label: &str| Refusal {
        code: code::TARGET,
        message: format!("{} is not a target", quoted(written)),
        label: label.to_owned(),
        help:
            "write HOST:PORT (dialled by the host before it), HOST/ADDRESS:PORT (dialled from inside HOST) \
               or HOST//path/of/socket"
                .to_owned(),
        part: part.clone(),
    };
    if written == "socks" || written.ends_with("/socks") && !written.contains("//") {
        return Err(Refusal {
            code: code::NOT_YET,
            message: "a SOCKS exit is not supported yet".to_owned(),
            label: "known, but this hopper cannot do it".to_owned(),
            help: "write one forward for each target: HOST:PORT or HOST/ADDRESS:PORT".to_owned(),
            part: part.clone(),
        });
    }
    let Some(end) = written.find(['/', ':']) else { return Err(refuse("a port is missing")) };
    let host = part.start..part.start + end;
    let id = ids::id(&text[host.clone()], "host").map_err(|mut refusal| {
        refusal.part = host.start + refusal.part.start..host.start + refusal.part.end;
        if written.starts_with('[') || host.is_empty() {
            refusal.help = refuse("").help;
        }
        refusal
    })?;
    let id = HostId::new(id);
    let inside = host.end + 1..part.end;
    if text[host.end..].starts_with(':') {
        let port = address::port(text, inside)?;
        return Ok((Target::Dialled { host: id, port }, host));
    }
    let endpoint = if text[inside.clone()].starts_with('/') {
        Endpoint::Unix(socket(text, inside)?)
    } else {
        // The address ends where the target ends, also when more text follows in the string.
        let (name, port) = address::with_port(&text[..part.end], inside.start)?;
        let Some(port) = port else { return Err(refuse("a port is missing")) };
        Endpoint::Tcp(Address::new(name, address::port(text, port)?))
    };
    Ok((Target::Within { host: id, endpoint }, host))
}

fn socket(text: &str, part: Range<usize>) -> Result<String, Refusal> {
    let path = &text[part.clone()];
    let refuse = |label: String, at: Range<usize>| Refusal {
        code: code::TARGET,
        message: format!("{} is not the path of a socket", quoted(path)),
        label,
        help: format!("a socket's path begins with `/` and has up to {LONGEST_SOCKET} bytes"),
        part: at,
    };
    if let Some((at, c)) = bad_char(path) {
        let label = format!("U+{:04X} stands here", u32::from(c));
        return Err(refuse(label, part.start + at.start..part.start + at.end));
    }
    match path.len() {
        1 => Err(refuse("a path is missing".to_owned(), part)),
        2..=LONGEST_SOCKET => Ok(path.to_owned()),
        length => Err(refuse(format!("{length} bytes"), part)),
    }
}
