//! How addresses, users and paths are written. Lets through what cannot be mistaken for an option,
//! a shell's punctuation or a terminal's control, and nothing else.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::value::{Refusal, bad_char};
use crate::topology::{code, quoted};

const BRACKETS: &str = "an IPv6 address with a port stands in brackets: [fe80::1]:22";

/// A name, IPv4 or IPv6 address without brackets; `part` says where in the string it stands.
pub(super) fn host(text: &str, part: Range<usize>) -> Result<String, Refusal> {
    let host = &text[part.clone()];
    let refuse = |label: &str, help: &str, at: Range<usize>| {
        Err(Refusal {
            code: code::ADDRESS,
            message: format!("{} is not an address", quoted(host)),
            label: label.to_owned(),
            help: help.to_owned(),
            part: part.start + at.start..part.start + at.end,
        })
    };
    let all = 0..host.len();
    if host.is_empty() {
        return refuse("an address is missing", "write a name or an IP address", all);
    }
    if host.contains(':') && !host.contains(['@', '/', '[']) {
        let (ip, zone) = host.split_once('%').unwrap_or((host, "z"));
        let zone_fits =
            !zone.is_empty() && zone.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        if ip.parse::<Ipv6Addr>().is_ok() && zone_fits {
            return Ok(host.to_owned());
        }
        return refuse(
            "neither a name nor an IPv6 address",
            "a port is a key of its own here: \"port\": 22",
            all,
        );
    }
    if host.starts_with('-') {
        return refuse("begins like an option", "an address never begins with `-`", 0..1);
    }
    let odd = host.char_indices().find(|(_, c)| !(c.is_ascii_alphanumeric() || "._-".contains(*c)));
    if let Some((at, c)) = odd {
        let help = match c {
            '@' => "the user is a key of its own here: \"user\": \"alice\"",
            '[' | ']' => "no brackets here, just the address",
            _ if !c.is_ascii() => "write an international name in its xn-- form",
            _ => "an address is made of letters, digits, `.`, `_` and `-`, or is an IPv6 address",
        };
        let label = format!("{} cannot stand in an address", quoted(c.encode_utf8(&mut [0; 4])));
        return refuse(&label, help, at..at + c.len_utf8());
    }
    if host.len() > 253 {
        return refuse("longer than 253 characters", "no name is that long", all);
    }
    let numeric = host.chars().all(|c| c.is_ascii_digit() || c == '.');
    if numeric && host.parse::<Ipv4Addr>().is_err() {
        return refuse("not four numbers up to 255", "an IPv4 address looks like 192.0.2.7", all);
    }
    Ok(host.to_owned())
}

/// `host`, `host:port` or `[ipv6]:port`, from `start` of the string to its end; the port unread.
pub(super) fn with_port(text: &str, start: usize) -> Result<(String, Option<Range<usize>>), Refusal> {
    let written = &text[start..];
    let brackets = |label: &str| {
        Err(Refusal {
            code: code::ADDRESS,
            message: format!("{} is not an address", quoted(written)),
            label: label.to_owned(),
            help: BRACKETS.to_owned(),
            part: start..text.len(),
        })
    };
    if let Some(inside) = written.strip_prefix('[') {
        let Some(end) = inside.find(']') else { return brackets("`[` is never closed") };
        let address = start + 1..start + 1 + end;
        let after = address.end + 1;
        if !text[address.clone()].contains(':') {
            return brackets("only IPv6 addresses stand in brackets");
        }
        let port = match text[after..].strip_prefix(':') {
            Some(_) => Some(after + 1..text.len()),
            None if after == text.len() => None,
            None => return brackets("expected `:` and a port after `]`"),
        };
        return Ok((host(text, address)?, port));
    }
    match written.matches(':').count() {
        0 => Ok((host(text, start..text.len())?, None)),
        1 => {
            let colon = start + written.find(':').unwrap_or(written.len());
            Ok((host(text, start..colon)?, Some(colon + 1..text.len())))
        }
        _ => brackets("where does the address end and the port begin?"),
    }
}

/// A TCP port in digits.
pub(super) fn port(text: &str, part: Range<usize>) -> Result<u16, Refusal> {
    let written = &text[part.clone()];
    let digits = !written.is_empty() && written.bytes().all(|b| b.is_ascii_digit());
    match written.parse() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err(Refusal {
            code: code::PORT,
            message: format!("{} is not a port", quoted(written)),
            label: if written.is_empty() { "a port is missing" } else { "not a port" }.to_owned(),
            help: "a port is a whole number from 1 to 65535".to_owned(),
            part,
        }),
    }
}

/// A login name.
pub(super) fn user(text: &str, part: Range<usize>) -> Result<String, Refusal> {
    let user = &text[part.clone()];
    let fits = |(at, c): (usize, char)| {
        c.is_ascii_alphanumeric() || "._@".contains(c) || (at > 0 && "-+".contains(c))
    };
    if !user.is_empty() && user.len() <= 128 && user.char_indices().all(fits) {
        return Ok(user.to_owned());
    }
    Err(Refusal {
        code: code::ADDRESS,
        message: format!("{} is not a user", quoted(user)),
        label: "not a login name".to_owned(),
        help: "a user is made of letters, digits, `.`, `_`, `-`, `+` and `@`, and begins with none of `-+`"
            .to_owned(),
        part,
    })
}

/// A path on this machine, `~/` allowed.
pub(super) fn path(text: &str) -> Result<String, Refusal> {
    let refuse = |label: String, part: Range<usize>| {
        Err(Refusal {
            code: code::ADDRESS,
            message: format!("{} is not a path", quoted(text)),
            label,
            help: "write a path such as \"~/.ssh/id_ed25519\"".to_owned(),
            part,
        })
    };
    match bad_char(text) {
        Some((part, c)) => refuse(format!("U+{:04X} stands here", u32::from(c)), part),
        None if text.is_empty() => refuse("empty".to_owned(), 0..0),
        None => Ok(text.to_owned()),
    }
}
