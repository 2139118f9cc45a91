//! What a server is shown at login, and how it is called in a report.

use russh::keys::agent::AgentIdentity;
use russh::keys::{Algorithm, Certificate, PublicKey};

use crate::ssh::trust::Fingerprint;
use crate::topology::escape;

/// What the server is shown.
pub(super) enum Shown {
    Key(PublicKey),
    Certificate(Box<Certificate>),
}

impl From<AgentIdentity> for Shown {
    fn from(identity: AgentIdentity) -> Self {
        match identity {
            AgentIdentity::PublicKey { key, .. } => Shown::Key(key),
            AgentIdentity::Certificate { certificate, .. } => Shown::Certificate(Box::new(certificate)),
        }
    }
}

impl Shown {
    pub fn key(&self) -> PublicKey {
        match self {
            Shown::Key(key) => key.clone(),
            Shown::Certificate(certificate) => PublicKey::new(certificate.public_key().clone(), ""),
        }
    }

    pub fn is_certificate(&self) -> bool {
        matches!(self, Shown::Certificate(_))
    }

    pub fn algorithm(&self) -> Algorithm {
        match self {
            Shown::Key(key) => key.algorithm(),
            Shown::Certificate(certificate) => certificate.algorithm(),
        }
    }

    /// As it is sent.
    pub fn bytes(&self) -> Vec<u8> {
        let bytes = match self {
            Shown::Key(key) => key.to_bytes(),
            Shown::Certificate(certificate) => certificate.to_bytes(),
        };
        // What was read can be written; two that cannot would count as one.
        bytes.unwrap_or_default()
    }

    /// `agent ssh-ed25519 SHA256:…`; of a certificate, also whom it is for.
    pub fn name(&self, from: &str) -> String {
        let key = Fingerprint::of(&self.key());
        match self {
            Shown::Key(_) => format!("{from} {key}"),
            Shown::Certificate(certificate) => {
                let whom = match certificate.valid_principals() {
                    [] => "anybody".to_owned(),
                    names => escape(&names.join(", ")),
                };
                format!("{from} certificate for {whom} {key}")
            }
        }
    }
}
