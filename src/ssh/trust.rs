//! Which host key is the right one. Decides before login, under the host's own name, whatever
//! address or port it was reached through; never asks and never learns.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use russh::keys::{Algorithm, HashAlg, PublicKey};

use super::known_hosts::{Judgement, Records};
use crate::topology::{Host, HostId};

/// Where recorded host keys are found.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    home: Option<PathBuf>,
    files: Vec<PathBuf>,
    pins: BTreeMap<HostId, String>,
}

impl Trust {
    /// The known_hosts files of a person with this home, and the machine's.
    pub fn of_person(home: Option<&Path>) -> Self {
        let own = home
            .into_iter()
            .flat_map(|home| ["known_hosts", "known_hosts2"].map(|name| home.join(".ssh").join(name)));
        let global = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"].map(PathBuf::from);
        Trust { home: home.map(Path::to_owned), files: own.chain(global).collect(), pins: BTreeMap::new() }
    }

    /// Trusts exactly these fingerprints and no file: for hosts that hopper plays itself.
    pub fn pinned(pins: impl IntoIterator<Item = (HostId, String)>) -> Self {
        Trust { pins: pins.into_iter().collect(), ..Trust::default() }
    }

    /// What is expected of this host. Reads the files.
    ///
    /// # Errors
    /// [`HostKeyRefusal::Unreadable`] when a file that may name the host cannot be read.
    pub fn expectation(&self, host: &Host) -> Result<Expectation, HostKeyRefusal> {
        if let Some(pin) = self.pins.get(&host.id) {
            return Ok(Expectation::Pins(vec![pin.clone()]));
        }
        let policy = &host.host_key;
        if !policy.fingerprints.is_empty() {
            return Ok(Expectation::Pins(policy.fingerprints.clone()));
        }
        let named = policy.file.as_ref().map(std::slice::from_ref).or(host.known_hosts.as_deref());
        let files = match named {
            Some(files) => files.iter().map(|file| expand(file, self.home.as_deref())).collect(),
            None => self.files.clone(),
        };
        let names = names(host);
        let records = Records::read(&files, &names)
            .map_err(|(file, error)| HostKeyRefusal::Unreadable { file, cause: error.to_string() })?;
        Ok(Expectation::Recorded { records, names, files })
    }
}

/// What a host must show.
#[derive(Debug)]
pub enum Expectation {
    /// One of these fingerprints.
    Pins(Vec<String>),
    /// A key recorded under one of these names.
    Recorded {
        /// What the files say.
        records: Records,
        /// The names looked up.
        names: Vec<String>,
        /// The files read.
        files: Vec<PathBuf>,
    },
}

impl Expectation {
    /// Key types to ask the server for first.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        match self {
            Expectation::Pins(_) => Vec::new(),
            Expectation::Recorded { records, .. } => records.algorithms(),
        }
    }

    /// Whether the key is the right one.
    ///
    /// # Errors
    /// Why it is not.
    pub fn judge(&self, key: &PublicKey) -> Result<(), HostKeyRefusal> {
        let presented = Fingerprint::of(key);
        match self {
            Expectation::Pins(pins) if pins.contains(&presented.sha256) => Ok(()),
            Expectation::Pins(pins) => Err(HostKeyRefusal::NotPinned { presented, pins: pins.clone() }),
            Expectation::Recorded { records, names, files } => match records.judge(key) {
                Judgement::Known => Ok(()),
                Judgement::Unknown => Err(HostKeyRefusal::Unknown {
                    presented,
                    line: key.to_openssh().unwrap_or_default(),
                    names: names.clone(),
                    files: files.clone(),
                }),
                Judgement::Changed(record) => Err(HostKeyRefusal::Changed {
                    presented,
                    known: Fingerprint::of(&record.key),
                    file: record.file.clone(),
                    line: record.line,
                }),
                Judgement::Revoked(record) => {
                    Err(HostKeyRefusal::Revoked { presented, file: record.file.clone(), line: record.line })
                }
            },
        }
    }
}

/// A key as people compare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// `ssh-ed25519` …
    pub algorithm: String,
    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub sha256: String,
}

impl Fingerprint {
    /// The fingerprint of a key.
    pub fn of(key: &PublicKey) -> Self {
        Fingerprint {
            algorithm: key.algorithm().to_string(),
            sha256: key.fingerprint(HashAlg::Sha256).to_string(),
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm, self.sha256)
    }
}

/// Why a host key was not accepted. In every case nothing was sent to that host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostKeyRefusal {
    /// Nothing is recorded for the host.
    Unknown {
        /// The key shown.
        presented: Fingerprint,
        /// The key shown, as a known_hosts line has it.
        line: String,
        /// The names looked up.
        names: Vec<String>,
        /// The files read.
        files: Vec<PathBuf>,
    },
    /// Another key is recorded for the host.
    Changed {
        /// The key shown.
        presented: Fingerprint,
        /// The first key recorded.
        known: Fingerprint,
        /// Where it is recorded.
        file: PathBuf,
        /// At which line.
        line: usize,
    },
    /// The key is marked as revoked.
    Revoked {
        /// The key shown.
        presented: Fingerprint,
        /// Where it is revoked.
        file: PathBuf,
        /// At which line.
        line: usize,
    },
    /// The topology pins other keys.
    NotPinned {
        /// The key shown.
        presented: Fingerprint,
        /// The fingerprints pinned.
        pins: Vec<String>,
    },
    /// A file that may name the host cannot be read.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: String,
    },
    /// The server showed a certificate, which hopper did not ask for.
    Certificate,
}

/// The names a host's key may be recorded under: its alias alone when it has one; otherwise its
/// address as OpenSSH writes it, and its id.
fn names(host: &Host) -> Vec<String> {
    let recorded = host.recorded_name();
    let id = host.id.to_string();
    if host.host_key.alias.is_some() || id == recorded { vec![recorded] } else { vec![recorded, id] }
}

/// `~/` stands for the person's home.
pub(super) fn expand(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Address;

    #[test]
    fn identity_is_the_hosts_own_whatever_port_it_listens_on() {
        let mut host = Host::new(HostId::new("gate-b"));
        assert_eq!(names(&host), ["gate-b"]);
        host.address = Address::new("Gate-B.dmz", 2222);
        assert_eq!(names(&host), ["[gate-b.dmz]:2222", "gate-b"]);
        host.host_key.alias = Some("branch".into());
        assert_eq!(names(&host), ["branch"]);
    }

    #[test]
    fn a_pin_beats_every_file() {
        let mut host = Host::new(HostId::new("h"));
        host.host_key.fingerprints = vec!["SHA256:other".into()];
        let key: PublicKey =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio"
                .parse()
                .unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".ssh")).unwrap();
        std::fs::write(folder.path().join(".ssh/known_hosts"), format!("h {}", key.to_openssh().unwrap()))
            .unwrap();
        let trust = Trust::of_person(Some(folder.path()));
        assert!(matches!(
            trust.expectation(&host).unwrap().judge(&key),
            Err(HostKeyRefusal::NotPinned { .. })
        ));
        host.host_key.fingerprints.clear();
        assert!(trust.expectation(&host).unwrap().judge(&key).is_ok());
    }
}
