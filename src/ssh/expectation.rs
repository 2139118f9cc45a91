//! What one host must show, and the judgement of what it shows. Knows what was recorded before; reads nothing,
//! asks nobody.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use russh::keys::ssh_key::certificate::Certificate;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, PublicKey, PublicKeyOrCertificate};

use super::certificate;
use super::certificate::CertificateFault;
use super::host_key_refusal::{Asked, Fingerprint, HostKeyRefusal};
use super::known_hosts::{Judgement, Record, Records};
use super::trust::Learning;
use crate::topology::HostKeyChecking;

/// What a host must show.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// The fingerprints that the topology pins; `None` where it leaves that to the files.
    pub(super) pins: Option<Vec<String>>,
    /// What the files say, or the topology in their place.
    pub(super) records: Records,
    /// The names looked up; a new key is recorded under the first.
    pub(super) names: Vec<String>,
    /// The names that a certificate may have.
    pub(super) principals: Vec<String>,
    /// The files read; a new key is recorded in the first.
    pub(super) files: Vec<PathBuf>,
    /// What may be learnt.
    pub(super) learning: Learning,
    pub(super) trusted: Trusted,
}

/// The key that a host showed and why it is the right one, once both are known.
pub type Trusted = Arc<OnceLock<(Fingerprint, Grounds)>>;

/// Why a key is the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grounds {
    /// The topology names it.
    Pinned,
    /// It is recorded.
    Recorded,
    /// An authority certified it.
    Certified,
    /// Nothing was recorded of the host, and it was accepted just now.
    Accepted,
    /// It took the place of others just now.
    Replaced,
}

impl Expectation {
    /// The same where nobody will log in: a key that is not recorded anyhow needs nobody's consent to be seen.
    #[must_use]
    pub fn without_login(mut self) -> Self {
        if !self.learning.record {
            self.learning.checking = HostKeyChecking::AcceptNew;
        }
        self
    }

    /// The same for another session with a server that showed a key before: that one and no other, unless an authority
    /// certified it. What is revoked since then stays revoked.
    #[must_use]
    pub(super) fn again(mut self, before: &Trusted) -> Self {
        self.learning = Learning { checking: HostKeyChecking::Strict, record: false, replace: None };
        match before.get() {
            Some((_, Grounds::Certified)) | None => {}
            Some((key, _)) => self.pins = Some(vec![key.sha256.clone()]),
        }
        self
    }

    /// Where the key will be found that meets it.
    pub fn trusted(&self) -> Trusted {
        self.trusted.clone()
    }

    /// The host showed this key, and it is the right one.
    pub(super) fn met(&self, key: &PublicKey, grounds: Grounds) {
        // A session has one host key; what came first stands.
        let _ = self.trusted.set((Fingerprint::of(key), grounds));
    }

    /// Key types to ask the server for first.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        self.records.algorithms()
    }

    /// Whether to ask the server for a certificate.
    pub fn wants_certificate(&self) -> bool {
        self.records.any_authority().is_some()
    }

    /// Whether what the server shows is right.
    ///
    /// # Errors
    /// Why it is not.
    pub fn judge(&self, shown: &PublicKeyOrCertificate) -> Result<Grounds, HostKeyRefusal> {
        match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => self.judge_key(key.key_data()),
            PublicKeyOrCertificate::Certificate(certificate) => self.judge_certificate(certificate),
        }
    }

    /// A certificate counts when an authority of this host made it for this host; otherwise its key counts
    /// as a plain one would, if that is recorded.
    fn judge_certificate(&self, certificate: &Certificate) -> Result<Grounds, HostKeyRefusal> {
        let (key, authority) = (certificate.public_key(), certificate.signature_key());
        for part in [key, authority] {
            if let Some(record) = self.records.revoked(part) {
                return Err(revoked(part, record));
            }
        }
        let fault = match self.records.authority(authority) {
            None => CertificateFault::Foreign,
            Some(_) => match certificate::check(certificate, &self.principals) {
                Ok(()) => return Ok(Grounds::Certified),
                Err(fault) => fault,
            },
        };
        self.judge_key(key).map_err(|_| HostKeyRefusal::Certificate {
            presented: Fingerprint::of_data(key),
            authority: Fingerprint::of_data(authority),
            id: certificate.key_id().to_owned(),
            fault,
        })
    }

    fn judge_key(&self, key: &KeyData) -> Result<Grounds, HostKeyRefusal> {
        let presented = Fingerprint::of_data(key);
        match (self.records.judge(key), &self.pins) {
            (Judgement::Revoked(record), _) => Err(revoked(key, record)),
            (_, Some(pins)) if pins.contains(&presented.sha256) => Ok(Grounds::Pinned),
            (_, Some(pins)) if !pins.is_empty() => {
                Err(HostKeyRefusal::NotPinned { presented, pins: pins.clone() })
            }
            (Judgement::Known, _) => Ok(Grounds::Recorded),
            (Judgement::Changed(record), _) => Err(HostKeyRefusal::Changed {
                presented,
                known: Fingerprint::of(&record.key),
                file: record.file.clone(),
                line: record.line,
            }),
            (Judgement::Unknown, _) => Err(match self.records.any_authority() {
                // Who could pass for a new host there would need no certificate.
                Some(record) => HostKeyRefusal::NotCertified {
                    presented,
                    authority: Fingerprint::of(&record.key),
                    place: format!("{}:{}", record.file.display(), record.line),
                },
                None => HostKeyRefusal::Unknown {
                    presented,
                    line: PublicKey::from(key.clone()).to_openssh().unwrap_or_default(),
                    names: self.names.clone(),
                    files: self.files.clone(),
                    skipped: self.records.skipped().to_vec(),
                    asked: Asked::No,
                },
            }),
        }
    }
}

fn revoked(key: &KeyData, record: &Record) -> HostKeyRefusal {
    HostKeyRefusal::Revoked {
        presented: Fingerprint::of_data(key),
        file: record.file.clone(),
        line: record.line,
    }
}
