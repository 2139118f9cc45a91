//! Where a secret is kept that a host asks for. Names the place only: the secret itself is never in a
//! topology.

/// A secret of one host, by reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRef {
    /// Where it is kept.
    pub source: SecretSource,
    /// What it is given to.
    pub purpose: SecretPurpose,
    /// A piece of the question that it answers, whatever the case; for keyboard-interactive only. Without
    /// it, it answers the only hidden question of a round, once.
    pub answers: Option<String>,
}

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The person knows it.
    Prompt,
    /// The first line that this command prints: program and arguments, no shell.
    Command(Vec<String>),
    /// The first line of this file, `~/` allowed.
    File(String),
    /// An environment variable.
    Env(String),
    /// A credential that systemd passed to the service (systemd.exec, `LoadCredential=`).
    Credential(String),
    /// The program that `SSH_ASKPASS` names asks the person.
    Askpass,
    /// The desktop's keyring, under `service hopper account NAME` (freedesktop.org's Secret Service).
    Keyring(String),
}

/// What a secret is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretPurpose {
    /// The server, as a password.
    Password,
    /// The host's key files, to unlock them.
    Passphrase,
    /// The server, as an answer to what it asks.
    KeyboardInteractive,
}

impl SecretPurpose {
    /// The word the file uses.
    pub fn as_str(self) -> &'static str {
        match self {
            SecretPurpose::Password => "password",
            SecretPurpose::Passphrase => "passphrase",
            SecretPurpose::KeyboardInteractive => "keyboard-interactive",
        }
    }
}

impl SecretSource {
    /// The word the file uses.
    pub fn as_str(&self) -> &'static str {
        match self {
            SecretSource::Prompt => "prompt",
            SecretSource::Command(_) => "command",
            SecretSource::File(_) => "file",
            SecretSource::Env(_) => "env",
            SecretSource::Credential(_) => "credential",
            SecretSource::Askpass => "askpass",
            SecretSource::Keyring(_) => "keyring",
        }
    }
}
