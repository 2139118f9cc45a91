//! Why a host key was not accepted, and a key as people compare it.

use std::fmt;
use std::path::PathBuf;

use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, HashAlg, PublicKey};

use super::certificate::CertificateFault;

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
        Fingerprint::of_data(key.key_data())
    }

    /// The fingerprint of a key without its comment.
    pub fn of_data(key: &KeyData) -> Self {
        // An RSA key is called so whatever it signs with.
        let algorithm = match key.algorithm() {
            Algorithm::Rsa { .. } => "ssh-rsa".to_owned(),
            other => other.to_string(),
        };
        Fingerprint { algorithm, sha256: key.fingerprint(HashAlg::Sha256).to_string() }
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
        /// Lines that could not be read, as `FILE:LINE`; one of them may be the host's.
        skipped: Vec<String>,
        /// Whether a person was asked about it.
        asked: Asked,
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
    /// The key, or the authority that certified it, is marked as revoked.
    Revoked {
        /// What is revoked.
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
    /// A new key could not be recorded, so that nobody would notice the next one.
    NotRecorded {
        /// The key shown.
        presented: Fingerprint,
        /// The file.
        file: PathBuf,
        /// Why.
        cause: String,
    },
    /// The certificate shown is not good, and the key in it is not recorded.
    Certificate {
        /// The key in it.
        presented: Fingerprint,
        /// Who signed it.
        authority: Fingerprint,
        /// Its name, as the authority gave it; foreign text.
        id: String,
        /// What is wrong with it.
        fault: CertificateFault,
    },
    /// The host shows a plain key that is not recorded, where an authority is to certify it.
    NotCertified {
        /// The key shown.
        presented: Fingerprint,
        /// The first authority.
        authority: Fingerprint,
        /// Where that is named: a line of a file.
        place: String,
    },
}

/// Whether a person was asked about a key that nobody recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The policy does not say so.
    No,
    /// Nobody could be: there is no terminal, or input is not wanted.
    Nobody,
    /// They did not accept it.
    Declined,
}
