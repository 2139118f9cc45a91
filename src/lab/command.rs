//! What a host of the lab makes of a command it is told to run. Understands the two that hopper gives a
//! host, in just the form in which it gives them; runs nothing.

use crate::topology::{Address, Endpoint};

/// How a host is asked for its SSH client: `plan::PROBE`, by value, since the lab knows no plans. The
/// examples that run in the lab hold the two together.
const PROBE: &str = "sh -c 'ssh -V 2>&1 || dbclient -V 2>&1'";

/// A command as a host of the lab takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Which SSH client is there?
    Probe,
    /// Run that client.
    Ssh(Ssh),
    /// `ssh` was meant, with words that it does not take: what it says to them.
    Misused(String),
    /// Some other program: its name.
    Unknown(String),
}

/// What `ssh` is told to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ssh {
    /// The name that it dials.
    pub host: String,
    /// The port that it dials.
    pub port: u16,
    /// The ports that it listens on, for everybody, and what its server dials for each.
    pub listens: Vec<(u16, Endpoint)>,
    /// What its `LocalCommand` says once it listens.
    pub says: String,
}

impl Command {
    /// Reads a command.
    pub fn read(text: &str) -> Command {
        if text == PROBE {
            return Command::Probe;
        }
        let unknown = || Command::Unknown(text.split(' ').next().unwrap_or_default().to_owned());
        // A script in single quotes, its name, how long it bears silence, what to watch for, the client.
        let script = text.strip_prefix("sh -c '").and_then(|rest| rest.split_once("' hopper "));
        let Some(words) = script.and_then(|(_, words)| split(words)) else { return unknown() };
        match words.get(2..) {
            Some([program, rest @ ..]) if program == "ssh" => {
                Ssh::read(rest).map_or_else(Command::Misused, Command::Ssh)
            }
            Some([program, ..]) => Command::Unknown(program.clone()),
            _ => unknown(),
        }
    }
}

impl Ssh {
    fn read(words: &[String]) -> Result<Ssh, String> {
        let mut ssh = Ssh { port: 22, ..Ssh::default() };
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "-N" | "-T" | "-a" | "-x" => {}
                "-F" | "-o" | "-i" | "-p" | "-L" => {
                    let value =
                        words.next().ok_or_else(|| format!("option requires an argument -- {word}"))?;
                    ssh.option(word, value)?;
                }
                "--" => break,
                _ => return Err(format!("unknown option {word}")),
            }
        }
        let (Some(destination), None) = (words.next(), words.next()) else {
            return Err("one destination is needed after --".to_owned());
        };
        // Every user may log in to the lab.
        let host = destination.rsplit_once('@').map_or(destination, |(_, host)| host);
        host.clone_into(&mut ssh.host);
        Ok(ssh)
    }

    fn option(&mut self, option: &str, value: &str) -> Result<(), String> {
        match option {
            "-p" => self.port = port(value).ok_or_else(|| format!("Bad port '{value}'"))?,
            "-L" => self
                .listens
                .push(listen(value).ok_or_else(|| format!("Bad local forwarding specification '{value}'"))?),
            "-o" => {
                if let Some(said) = value.strip_prefix("LocalCommand=echo ") {
                    said.clone_into(&mut self.says);
                }
            }
            // Files are none of the lab's: it has its own keys, and the client here is the lab itself.
            _ => {}
        }
        Ok(())
    }
}

/// The words of a command: bare ones, and those in single quotes. `None` when a quote is left open.
fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'')?,
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Some(words)
}

/// `*:2201:gate-d:22`, `*:2201:[::1]:22`, `*:2201:/run/echo`.
fn listen(text: &str) -> Option<(u16, Endpoint)> {
    let (own, target) = text.strip_prefix("*:")?.split_once(':')?;
    let target = if target.starts_with('/') {
        Endpoint::Unix(target.to_owned())
    } else {
        let (host, far) = target.rsplit_once(':')?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        Endpoint::Tcp(Address::new(bare.unwrap_or(host), port(far)?))
    };
    Some((port(own)?, target))
}

fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}
