//! What a host in between is told to run so that its own SSH client keeps a tunnel: one command for
//! that host's shell, whatever shell it is. No word of the file gets into it that a shell could take
//! for anything but a word.

use std::fmt;

use super::{Carrier, Client, Entry, Plan, Tunnel};
use crate::topology::{Address, Algorithms, Endpoint, Host, escape};

/// Asks a host for its SSH client; the answer has the name of one in it, or of none.
pub const PROBE: &str = "sh -c 'ssh -V 2>&1 || dbclient -V 2>&1'";

/// What the command says once the client is logged in and listens.
pub const LISTENS: &str = "hopper: the client listens";

/// How often whoever runs the command must say a line, in seconds, and after how much silence it ends.
pub const BEAT: (u64, u64) = (5, 30);

/// An SSH client program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `ssh` of OpenSSH.
    OpenSsh,
    /// `dbclient` of Dropbear.
    Dropbear,
}

impl Tool {
    /// The name of the program.
    pub fn program(self) -> &'static str {
        match self {
            Tool::OpenSsh => "ssh",
            Tool::Dropbear => "dbclient",
        }
    }

    /// The program that answered the [`PROBE`]; `None` when none did.
    pub fn that_said(answer: &str) -> Option<Tool> {
        match () {
            () if answer.contains("OpenSSH") => Some(Tool::OpenSsh),
            () if answer.contains("Dropbear") => Some(Tool::Dropbear),
            () => None,
        }
    }
}

/// Why a client cannot be run there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// A word of the file has characters that not every shell takes for plain ones.
    Word(String),
    /// Dropbear's client cannot do what the file asks for.
    Dropbear(&'static str),
    /// The file names an authority for the server, and a client elsewhere cannot be told of it.
    Authority,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::Word(word) => {
                write!(f, "\"{}\" has characters that no shell may be given", escape(word))
            }
            Unfit::Dropbear(what) => write!(f, "Dropbear's client cannot {what}"),
            Unfit::Authority => f.write_str("\"ca\" counts only where hopper itself is the client"),
        }
    }
}

/// The command that runs the client of a tunnel. The client ends when the command's input ends, when
/// that says nothing for too long, or when the client itself does; then so does the command.
///
/// # Errors
/// When something that the file asks for cannot be put into such a command.
pub fn client_command(plan: &Plan, tunnel: &Tunnel, tool: Tool) -> Result<String, Unfit> {
    if !tunnel.server.host_key.authorities.is_empty() {
        return Err(Unfit::Authority);
    }
    let kept = plan.kept_by(&tunnel.id);
    let (watched, words) = match tool {
        Tool::OpenSsh => ("none".to_owned(), openssh(tunnel, &kept)?),
        Tool::Dropbear => {
            let ports: Vec<String> = kept.iter().map(|(entry, _)| format!("{:04X}", entry.port())).collect();
            (ports.join(","), dropbear(tunnel, &kept)?)
        }
    };
    let words = words.iter().map(|word| plain(word)).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("sh -c '{SCRIPT}' hopper {} {watched} {}", BEAT.1, words.join(" ")))
}

/// Whether any client could be run for every tunnel of a plan that asks for one.
///
/// # Errors
/// The tunnel, and why not.
pub(super) fn all_fit(plan: &Plan) -> Result<(), (&Tunnel, Unfit)> {
    for tunnel in plan.tunnels.iter().filter(|tunnel| matches!(tunnel.client, Client::Exec { .. })) {
        client_command(plan, tunnel, Tool::OpenSsh).map_err(|unfit| (tunnel, unfit))?;
    }
    Ok(())
}

/// One line for `sh`, without a single quote in it: every login shell passes that on untouched. Its
/// arguments: seconds of silence, the listening ports to watch for (`none` when the client tells by
/// itself), and the client with its own arguments.
///
/// One process reads the input line by line and passes each on as a signal to a second one, which ends
/// the client when none comes for too long; the end of the input ends it at once.
const SCRIPT: &str = concat!(
    "exec 3<&0 </dev/null; d=$1; w=$2; shift 2; ",
    "\"$@\" 3<&- & p=$!; ",
    "( trap b=1 USR1; trap \"kill \\$! 2>/dev/null; exit\" TERM; ",
    "while :; do b=; sleep $d & wait $!; kill $! 2>/dev/null; [ -n \"$b\" ] || break; done; ",
    "kill $p ) 2>/dev/null 3<&- & t=$!; ",
    "( while read b; do kill -USR1 $t; done; kill $p $t ) 2>/dev/null <&3 & r=$!; exec 3<&-; ",
    "if [ $w != none ]; then ",
    "for h in $(echo $w | tr , \" \"); do ",
    "until grep -q \":$h .* 0A \" /proc/net/tcp /proc/net/tcp6; do kill -0 $p || break 2; sleep 1; done; done; ",
    "kill -0 $p && echo hopper: the client listens; fi 2>/dev/null; ",
    "wait $p; c=$?; kill $t $r 2>/dev/null; exit $c"
);

fn openssh(tunnel: &Tunnel, kept: &[(&Entry, Endpoint)]) -> Result<Vec<String>, Unfit> {
    let host = &tunnel.server;
    let mut words: Vec<String> = ["ssh", "-F", "none", "-N", "-T", "-a", "-x"].map(str::to_owned).into();
    let mut option = |key: &str, value: String| words.extend(["-o".to_owned(), format!("{key}={value}")]);
    for (key, value) in [
        ("BatchMode", "yes"),
        ("StrictHostKeyChecking", "yes"),
        ("ExitOnForwardFailure", "yes"),
        ("PermitLocalCommand", "yes"),
        // Errors alone would leave out a port that is taken in one family of addresses only.
        ("LogLevel", "VERBOSE"),
    ] {
        option(key, value.to_owned());
    }
    // It runs once the client is logged in, after the listeners are bound.
    option("LocalCommand", format!("echo {LISTENS}"));
    if !host.keepalive.interval.is_zero() {
        option("ServerAliveInterval", host.keepalive.interval.as_secs().max(1).to_string());
        option("ServerAliveCountMax", host.keepalive.max.max(1).to_string());
    }
    option("ConnectTimeout", host.timeout.connect.as_secs().max(1).to_string());
    let dialled = dialled(tunnel);
    if under_another_name(tunnel) {
        option("HostKeyAlias", host.recorded_name());
    }
    if let Some(file) = &host.host_key.file {
        option("UserKnownHostsFile", file.clone());
        option("GlobalKnownHostsFile", "/dev/null".to_owned());
    }
    if !host.host_key.fingerprints.is_empty() {
        option("KnownHostsCommand", pinned(host));
        option("UserKnownHostsFile", "/dev/null".to_owned());
        option("GlobalKnownHostsFile", "/dev/null".to_owned());
    }
    if host.offers_named_keys_only() && !host.identities_of_person {
        option("IdentitiesOnly", "yes".to_owned());
    }
    for identity in identities(host) {
        words.extend(["-i".to_owned(), identity.clone()]);
    }
    for (key, value) in host.algorithms.openssh_options() {
        words.extend(["-o".to_owned(), format!("{key}={value}")]);
    }
    for (entry, target) in kept {
        words.extend(["-L".to_owned(), format!("*:{}:{target}", entry.port())]);
    }
    words.extend(["-p".to_owned(), dialled.port.to_string(), "--".to_owned(), login(tunnel)]);
    Ok(words)
}

/// Takes the key that is shown when, and only when, its fingerprint is one of those pinned. It is run
/// by `ssh` itself, which puts the fingerprint in for `%f`.
fn pinned(host: &Host) -> String {
    let pins = host.host_key.fingerprints.join("|");
    format!("/bin/sh -c \"case %f in {pins}) echo %H %t %K;; esac\"")
}

fn dropbear(tunnel: &Tunnel, kept: &[(&Entry, Endpoint)]) -> Result<Vec<String>, Unfit> {
    let host = &tunnel.server;
    if !host.host_key.fingerprints.is_empty() {
        return Err(Unfit::Dropbear("be held to a pinned fingerprint"));
    }
    if host.host_key.file.is_some() {
        return Err(Unfit::Dropbear("read another file than ~/.ssh/known_hosts"));
    }
    if under_another_name(tunnel) {
        return Err(Unfit::Dropbear("look a host key up under another name than it dials"));
    }
    if host.algorithms != Algorithms::default() {
        return Err(Unfit::Dropbear("be told which algorithms to use"));
    }
    let mut words: Vec<String> = ["dbclient", "-N", "-T", "-g"].map(str::to_owned).into();
    words.extend(["-o".to_owned(), "ExitOnForwardFailure=yes".to_owned()]);
    if !host.keepalive.interval.is_zero() {
        words.extend(["-K".to_owned(), host.keepalive.interval.as_secs().max(1).to_string()]);
    }
    for identity in identities(host) {
        words.extend(["-i".to_owned(), identity.clone()]);
    }
    for (entry, target) in kept {
        if matches!(target, Endpoint::Unix(_)) {
            return Err(Unfit::Dropbear("forward to a unix socket"));
        }
        words.extend(["-L".to_owned(), format!("{}:{target}", entry.port())]);
    }
    words.extend(["-p".to_owned(), dialled(tunnel).port.to_string(), login(tunnel)]);
    Ok(words)
}

/// The keys that the file names; those of the person's own configuration are on local.
fn identities(host: &Host) -> impl Iterator<Item = &String> {
    host.identities.iter().filter(|_| !host.identities_of_person)
}

/// What the client itself dials: the listener of the tunnel that it rides, or the server.
fn dialled(tunnel: &Tunnel) -> &Address {
    match &tunnel.carrier {
        Some(Carrier::Entry(entry)) => &entry.dial,
        _ => &tunnel.target,
    }
}

/// Whether the name dialled is not the one that the server's key is known under.
fn under_another_name(tunnel: &Tunnel) -> bool {
    let host = &tunnel.server;
    let dialled = dialled(tunnel);
    host.host_key.alias.is_some() || dialled.host != host.address.host || *dialled != tunnel.target
}

/// `alice@gate-c.dmz`; without a user, whoever is logged in where the client runs.
fn login(tunnel: &Tunnel) -> String {
    let name = &dialled(tunnel).host;
    tunnel.server.user.as_ref().map_or_else(|| name.clone(), |user| format!("{user}@{name}"))
}

/// The word in single quotes, which sh, csh and fish read alike when nothing in it is special to any
/// of them there: so no quote, no backslash, no line end, no `!`, and nothing that is not ASCII.
fn plain(word: &str) -> Result<String, Unfit> {
    let fits = |c: char| c.is_ascii_alphanumeric() || " @%+=:,./_~*[]()|;\"-".contains(c);
    if word.is_empty() || !word.chars().all(fits) {
        return Err(Unfit::Word(word.to_owned()));
    }
    Ok(format!("'{word}'"))
}

#[cfg(test)]
#[path = "client_command_tests.rs"]
mod tests;
