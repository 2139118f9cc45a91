//! How a host's key is judged: which keys or authorities the file names, under which name others are
//! recorded, and who may accept one that nobody recorded yet. Judges nothing itself.

/// How a host key is judged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostKeyPolicy {
    /// What becomes of a host that nothing is recorded of.
    pub checking: HostKeyChecking,
    /// Pinned fingerprints, `SHA256:…`; when any is given, no record makes another key right.
    pub fingerprints: Vec<String>,
    /// The authorities that may certify the host; when any is given, no record makes a key right.
    pub authorities: Vec<Authority>,
    /// The name to look up in known_hosts instead of address and id.
    pub alias: Option<String>,
    /// A known_hosts file to use instead of the person's, `~/` allowed.
    pub file: Option<String>,
}

/// What becomes of a host that nothing is recorded of. A changed or revoked key is refused in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostKeyChecking {
    /// It is refused, before login.
    #[default]
    Strict,
    /// A person is asked, on a terminal; without one it is refused.
    Ask,
    /// Its key is recorded and counts from then on.
    AcceptNew,
}

impl HostKeyChecking {
    /// The word the file and the plan use.
    pub fn as_str(self) -> &'static str {
        match self {
            HostKeyChecking::Strict => "strict",
            HostKeyChecking::Ask => "ask",
            HostKeyChecking::AcceptNew => "accept-new",
        }
    }
}

/// The public key of an authority for host certificates, or where it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// The key itself, as a `.pub` file has it: `ssh-ed25519 AAAA…`.
    Key(String),
    /// A file with one such key a line, `~/` allowed.
    File(String),
}

impl Authority {
    /// As the file writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Authority::Key(text) | Authority::File(text) => text,
        }
    }
}
