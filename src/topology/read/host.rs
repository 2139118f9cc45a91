//! Hosts: the short form `user@address:port` and the object, laid over the defaults of the file.

use super::Reader;
use super::address;
use super::secrets;
use super::session;
use super::tree::{Entry, Json, Node};
use super::value::{Keys, Refusal, assign};
use crate::topology::{Address, Bind, Host, HostClient, HostId, Problem, code, quoted, secret};

const LATER: &[&str] = &["x11", "forward_agent", "algorithms", "proxy", "compression", "tags"];

const HOST: Keys = Keys {
    owner: "a host",
    known: &[
        "address",
        "port",
        "user",
        "ssh",
        "auth",
        "identities",
        "identities_only",
        "agent",
        "secret",
        "host_key",
        "ssh_config",
        "keepalive",
        "timeout",
        "client",
        "bind",
        "label",
        "note",
    ],
    later: LATER,
};

const DEFAULTS: Keys = Keys {
    owner: "defaults for hosts",
    known: &[
        "port",
        "user",
        "ssh",
        "auth",
        "identities",
        "identities_only",
        "agent",
        "secret",
        "host_key",
        "ssh_config",
        "keepalive",
        "timeout",
        "client",
        "bind",
    ],
    later: LATER,
};

/// One entry of `hosts`.
pub(super) fn host(reader: &mut Reader, entry: &Entry, base: &Host) -> Host {
    let mut host = named(base, &entry.key);
    match &entry.node.json {
        Json::Text(text) => short(reader, &entry.node, text, &mut host),
        Json::Map(entries) => settings(reader, entries, &HOST, &mut host),
        _ => {
            let what = format!("host {}", quoted(&entry.key));
            reader.wrong_type::<()>(&entry.node, &what, "\"user@address:port\" or an object, { … }");
        }
    }
    host
}

/// A host of which only the name is known.
pub(super) fn named(base: &Host, id: &str) -> Host {
    let mut host = Host { id: HostId::new(id), ..base.clone() };
    host.address.host = id.to_owned();
    host
}

/// What every host starts from.
pub(super) fn defaults(reader: &mut Reader, node: &Node) -> Host {
    let mut base = blank();
    if let Some(entries) = reader.map(node, "\"host\"") {
        settings(reader, entries, &DEFAULTS, &mut base);
    }
    base
}

/// What every host starts from when the file says nothing.
pub(super) fn blank() -> Host {
    Host::new(HostId::new(""))
}

fn short(reader: &mut Reader, node: &Node, text: &str, host: &mut Host) {
    if let Some(password) = secret::password_in_address(text) {
        let label = "anyone who can read this file can log in";
        reader.report(
            Problem::new(code::SECRET, node.part(password), label, "a secret is written in the file")
                .help("write \"user@address:port\" and log in with a key or the ssh-agent"),
        );
        return;
    }
    let what = "a host";
    let parts = reader.word(node, what, "a string", |text| short_parts(text, host.address.port));
    if let Some((user, address)) = parts {
        host.address = address;
        host.user = user.or(host.user.take());
    }
}

fn short_parts(text: &str, default_port: u16) -> Result<(Option<String>, Address), Refusal> {
    let (user, start) = match text.rfind('@') {
        Some(at) => (Some(address::user(text, 0..at)?), at + 1),
        None => (None, 0),
    };
    let (name, port) = address::with_port(text, start)?;
    let port = port.map_or(Ok(default_port), |part| address::port(text, part))?;
    Ok((user, Address::new(name, port)))
}

fn settings(reader: &mut Reader, entries: &[Entry], keys: &Keys, host: &mut Host) {
    for entry in reader.known(entries, keys) {
        let node = &entry.node;
        let what = quoted(&entry.key);
        match entry.key.as_ref() {
            "address" => {
                let address = reader.word(node, &what, "a string", |text| address::host(text, 0..text.len()));
                assign(&mut host.address.host, address);
            }
            "port" => assign(&mut host.address.port, reader.port(node, &what)),
            "user" => {
                let user = reader.word(node, &what, "a string", |text| address::user(text, 0..text.len()));
                host.user = user.or(host.user.take());
            }
            "ssh" => assign(&mut host.ssh, reader.flag(entry)),
            "auth" => assign(&mut host.auth, session::auth(reader, node)),
            "identities" => assign(&mut host.identities, session::identities(reader, node)),
            "identities_only" => {
                host.identities_only = reader.flag(entry).or(host.identities_only);
            }
            "agent" => assign(&mut host.agent, session::agent(reader, node)),
            "host_key" => session::host_key(reader, node, &mut host.host_key),
            "ssh_config" => ssh_config(reader, entry),
            "keepalive" => session::keepalive(reader, node, &mut host.keepalive),
            "timeout" => session::timeouts(reader, node, &mut host.timeout),
            "client" => {
                let words = [("exec", HostClient::Exec), ("hopper", HostClient::Hopper)];
                host.client = reader.choice(node, "\"client\"", &words, &[]).or(host.client);
            }
            "bind" => {
                let words = [("loopback", Bind::Loopback), ("any", Bind::Any)];
                assign(&mut host.bind, reader.choice(node, "\"bind\"", &words, &[]));
            }
            "label" => host.label = reader.line(entry),
            "note" => host.note = reader.line(entry),
            _ => {}
        }
    }
    // After "auth", which says what a secret is for unless it says so itself.
    if let Some(entry) = entries.iter().find(|entry| entry.key == "secret") {
        assign(&mut host.secrets, secrets::secrets(reader, entry, &host.auth));
    }
}

/// `false` is what hopper does; the rest is for later.
fn ssh_config(reader: &mut Reader, entry: &Entry) {
    match entry.node.json {
        Json::Flag(false) => {}
        Json::Flag(true) | Json::Text(_) => {
            let help = "hopper reads no ~/.ssh/config: write what it says here, or leave the key out";
            reader.not_yet(entry.node.place(), "reading ~/.ssh/config", help);
        }
        _ => {
            reader.wrong_type::<()>(&entry.node, "\"ssh_config\"", "false");
        }
    }
}
