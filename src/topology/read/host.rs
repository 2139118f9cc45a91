//! Hosts: the short form `user@address:port` and the object, laid over the defaults of the file.

use super::Reader;
use super::address;
use super::algorithms;
use super::host_key;
use super::secrets;
use super::session;
use super::tree::{Entry, Json, Node};
use super::value::{Keys, Refusal, assign};
use crate::topology::{
    Address, AgentUse, Bind, Host, HostClient, HostId, Problem, SshConfig, code, quoted, secret,
};

const LATER: &[&str] = &["x11", "proxy", "compression", "tags"];

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
        "forward_agent",
        "secret",
        "host_key",
        "ssh_config",
        "keepalive",
        "timeout",
        "algorithms",
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
        "algorithms",
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
    if let Some((user, address, port_is_given)) = parts {
        host.address = address;
        host.given.address = true;
        host.given.port |= port_is_given;
        host.user = user.or(host.user.take());
    }
}

/// User, address, and whether a port stands there.
fn short_parts(text: &str, default_port: u16) -> Result<(Option<String>, Address, bool), Refusal> {
    let (user, start) = match text.rfind('@') {
        Some(at) => (Some(address::user(text, 0..at)?), at + 1),
        None => (None, 0),
    };
    let (name, port) = address::with_port(text, start)?;
    let is_given = port.is_some();
    let port = port.map_or(Ok(default_port), |part| address::port(text, part))?;
    Ok((user, Address::new(name, port), is_given))
}

fn settings(reader: &mut Reader, entries: &[Entry], keys: &Keys, host: &mut Host) {
    for entry in reader.known(entries, keys) {
        let node = &entry.node;
        let what = quoted(&entry.key);
        match entry.key.as_ref() {
            "address" => {
                let address = reader.word(node, &what, "a string", |text| address::host(text, 0..text.len()));
                assign(&mut host.address.host, address);
                host.given.address = true;
            }
            "port" => {
                assign(&mut host.address.port, reader.port(node, &what));
                host.given.port = true;
            }
            "user" => {
                let user = reader.word(node, &what, "a string", |text| address::user(text, 0..text.len()));
                host.user = user.or(host.user.take());
            }
            "ssh" => assign(&mut host.ssh, reader.flag(entry)),
            "auth" => {
                assign(&mut host.auth, session::auth(reader, node));
                host.given.auth = true;
            }
            "identities" => assign(&mut host.identities, session::identities(reader, node)),
            "identities_only" => {
                host.identities_only = reader.flag(entry).or(host.identities_only);
            }
            "agent" => assign(&mut host.agent, session::agent(reader, node)),
            "forward_agent" => assign(&mut host.forward_agent, reader.flag(entry)),
            "host_key" => host_key::host_key(reader, node, &mut host.host_key),
            "ssh_config" => assign(&mut host.ssh_config, ssh_config(reader, entry, keys)),
            "keepalive" => {
                session::keepalive(reader, node, &mut host.keepalive);
                host.given.alive_interval |= has(node, "interval");
                host.given.alive_max |= has(node, "max");
            }
            "timeout" => session::timeouts(reader, node, &mut host.timeout),
            "algorithms" => {
                algorithms::algorithms(reader, node, &mut host.algorithms);
                host.given.algorithms = true;
            }
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
    lent_agent(reader, entries, host);
    // After "auth", which says what a secret is for unless it says so itself.
    if let Some(entry) = entries.iter().find(|entry| entry.key == "secret") {
        assign(&mut host.secrets, secrets::secrets(reader, entry, &host.auth));
    }
}

/// Lending an agent that is not used at all is a mistake of whoever wrote it.
fn lent_agent(reader: &mut Reader, entries: &[Entry], host: &Host) {
    let lends = entries.iter().find(|entry| entry.key == "forward_agent");
    if let Some(entry) = lends.filter(|_| host.forward_agent && host.agent == AgentUse::Off) {
        let message = "\"forward_agent\" of a host with \"agent\": false";
        reader.report(
            Problem::new(code::VALUE, entry.node.place(), "there is no agent to lend", message)
                .help("leave \"agent\" out, or give it the path of a socket"),
        );
    }
}

/// Whether and under which name the host is looked up. An alias is never a default: it names one host.
fn ssh_config(reader: &mut Reader, entry: &Entry, keys: &Keys) -> Option<SshConfig> {
    const EXPECTED: &str = "true, false, or a name in ~/.ssh/config";
    match entry.node.json {
        Json::Flag(true) => Some(SshConfig::Address),
        Json::Flag(false) => Some(SshConfig::Off),
        Json::Text(_) if !keys.known.contains(&"address") => {
            reader.wrong_type(&entry.node, "\"ssh_config\" in defaults", "true or false")
        }
        _ => {
            let name = reader
                .word(&entry.node, "\"ssh_config\"", EXPECTED, |text| address::host(text, 0..text.len()));
            name.map(SshConfig::Alias)
        }
    }
}

fn has(node: &Node, key: &str) -> bool {
    matches!(&node.json, Json::Map(entries) if entries.iter().any(|entry| entry.key == key))
}
