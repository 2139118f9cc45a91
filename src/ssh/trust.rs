//! Which host key is the right one. Decides before login, under the host's own name, whatever
//! address or port it was reached through; never asks and never learns.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use russh::keys::PublicKey;

use super::expectation::{Expectation, Trusted};
pub(super) use super::host_key_refusal::Fingerprint;
use super::host_key_refusal::HostKeyRefusal;
use super::known_hosts::{Records, Role, read};
use crate::topology::{Authority, Host, HostId, HostKeyChecking};

/// Where recorded host keys are found, and what may be learnt.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    home: Option<PathBuf>,
    /// The person's own files; new keys go into the first.
    own: Vec<PathBuf>,
    /// The machine's.
    global: Vec<PathBuf>,
    pins: BTreeMap<HostId, String>,
    learning: Option<Learning>,
}

/// What may be learnt of hosts in one walk, whatever their own policies say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learning {
    /// What becomes of a host that nothing is recorded of.
    pub checking: HostKeyChecking,
    /// Whether a key that is accepted is recorded.
    pub record: bool,
    /// A host, and the fingerprint of the key that may take the place of those recorded for it.
    pub replace: Option<(HostId, String)>,
}

impl Trust {
    /// The known_hosts files of a person with this home, and the machine's.
    pub fn of_person(home: Option<&Path>) -> Self {
        let own = home
            .into_iter()
            .flat_map(|home| ["known_hosts", "known_hosts2"].map(|name| home.join(".ssh").join(name)));
        let global = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"].map(PathBuf::from);
        Trust {
            home: home.map(Path::to_owned),
            own: own.collect(),
            global: global.to_vec(),
            ..Trust::default()
        }
    }

    /// Trusts exactly these fingerprints and no file: for hosts that hopper plays itself.
    pub fn pinned(pins: impl IntoIterator<Item = (HostId, String)>) -> Self {
        Trust { pins: pins.into_iter().collect(), ..Trust::default() }
    }

    /// The same, learning this much.
    #[must_use]
    pub fn learning(self, learning: Learning) -> Self {
        Trust { learning: Some(learning), ..self }
    }

    /// The files that may name a host, its own first.
    fn files(&self, host: &Host) -> Vec<PathBuf> {
        let file = host.host_key.file.as_ref().map(std::slice::from_ref);
        match file.or(host.known_hosts.as_deref()) {
            Some(files) => files.iter().map(|file| expand(file, self.home.as_deref())).collect(),
            None => self.own.iter().chain(&self.global).cloned().collect(),
        }
    }

    /// What is expected of this host. Reads the files.
    ///
    /// # Errors
    /// [`HostKeyRefusal::Unreadable`] when a file that may name the host cannot be read.
    pub fn expectation(&self, host: &Host) -> Result<Expectation, HostKeyRefusal> {
        let policy = &host.host_key;
        let mut learning = self.learning.clone().unwrap_or(Learning {
            checking: policy.checking,
            record: true,
            replace: None,
        });
        learning.replace = learning.replace.filter(|(id, _)| *id == host.id);
        if policy.checking == HostKeyChecking::AcceptNew {
            learning.checking = HostKeyChecking::AcceptNew;
        }
        let (names, principals, files) = (names(host), principals(host), self.files(host));
        if let Some(pin) = self.pins.get(&host.id) {
            let (records, pins) = (Records::default(), Some(vec![pin.clone()]));
            let trusted = Trusted::default();
            return Ok(Expectation { pins, records, names, principals, files, learning, trusted });
        }
        let pinned = !policy.fingerprints.is_empty() || !policy.authorities.is_empty();
        let mut records = match Records::read(&files, &names) {
            Ok(records) => records,
            // What the topology pins is right without any file.
            Err((file, error)) if pinned => {
                let file = file.display();
                tracing::warn!(%file, %error, "cannot look for revoked keys");
                Records::default()
            }
            Err((file, error)) => return Err(unreadable(file, &error)),
        };
        let mut pins = None;
        if pinned {
            records.keep_revoked();
            for authority in &policy.authorities {
                self.authorize(authority, &mut records)?;
            }
            pins = Some(policy.fingerprints.clone());
        }
        let trusted = Trusted::default();
        Ok(Expectation { pins, records, names, principals, files, learning, trusted })
    }

    /// Takes in the keys of an authority that the topology names.
    fn authorize(&self, authority: &Authority, records: &mut Records) -> Result<(), HostKeyRefusal> {
        let (file, text) = match authority {
            Authority::Key(key) => (PathBuf::from("the topology"), key.clone()),
            Authority::File(path) => {
                let file = expand(path, self.home.as_deref());
                let bytes = read(&file).and_then(|bytes| bytes.ok_or_else(|| io::ErrorKind::NotFound.into()));
                let bytes = bytes.map_err(|error| unreadable(file.clone(), &error))?;
                (file, String::from_utf8_lossy(&bytes).into_owned())
            }
        };
        let mut found = false;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = line.parse::<PublicKey>();
            let key = key.map_err(|_| {
                unreadable(file.clone(), &io::Error::other(format!("line {} is no public key", index + 1)))
            })?;
            records.add(Role::Authority, key, &file, index + 1);
            found = true;
        }
        if found { Ok(()) } else { Err(unreadable(file, &io::Error::other("there is no public key in it"))) }
    }
}

fn unreadable(file: PathBuf, error: &io::Error) -> HostKeyRefusal {
    HostKeyRefusal::Unreadable { file, cause: error.to_string() }
}

/// The names a host's key may be recorded under: its alias alone when it has one; otherwise its
/// address as OpenSSH writes it, and its id.
fn names(host: &Host) -> Vec<String> {
    let recorded = host.recorded_name();
    let id = host.id.to_string();
    if host.host_key.alias.is_some() || id == recorded { vec![recorded] } else { vec![recorded, id] }
}

/// The names that a host's certificate may have: the same without ports, as OpenSSH compares them.
fn principals(host: &Host) -> Vec<String> {
    let (address, id) = (host.address.host.to_ascii_lowercase(), host.id.to_string());
    host.host_key.alias.clone().map_or_else(|| vec![address, id], |alias| vec![alias])
}

/// `~/` stands for the person's home.
pub(super) fn expand(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
