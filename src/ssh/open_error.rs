//! Why a session could not be opened, and at which step. Puts what russh reports, what the handler noted
//! and what the server said together into one cause.

use super::host_key_refusal::HostKeyRefusal;
use super::login::{LoginError, LoginRefusal};
use super::notes::Notes;
use crate::topology::{AlgorithmKind, escape};

/// A step of opening a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Waiting for the server's first words.
    Banner,
    /// Key exchange and the judgement of the host key.
    Keys,
    /// Logging in.
    Login,
}

/// Why a session could not be opened. Nothing of it is left.
#[derive(Debug)]
pub enum OpenError {
    /// The stream ended before the server said anything.
    ClosedSilently,
    /// The server did not finish this step in time.
    TimedOut(Step),
    /// The server speaks, but not so that a session comes of it; escaped.
    Protocol(Step, String),
    /// No algorithm of this kind is taken by both.
    NothingInCommon {
        /// What it would be for.
        kind: AlgorithmKind,
        /// What the server has; foreign text.
        offered: Vec<String>,
    },
    /// Its key is not the right one.
    HostKey(HostKeyRefusal),
    /// It did not let us in.
    Login(LoginError),
}

/// What a failed handshake says about the server.
pub(super) fn handshake_error(step: Step, error: &russh::Error, notes: &Notes) -> OpenError {
    if let Some(refusal) = notes.host_key_refusal() {
        return OpenError::HostKey(refusal);
    }
    if let Some(ending) = notes.ending().filter(|_| matches!(error, russh::Error::Disconnect)) {
        return OpenError::Protocol(step, ending);
    }
    match (step, error) {
        (Step::Banner, _) => OpenError::ClosedSilently,
        (_, russh::Error::Version) => OpenError::Protocol(step, "it does not speak SSH 2".to_owned()),
        (_, russh::Error::NoCommonAlgo { kind, theirs, .. }) => match kind_of(kind) {
            Some(kind) => OpenError::NothingInCommon { kind, offered: theirs.clone() },
            None => OpenError::Protocol(step, "it insists on compression".to_owned()),
        },
        (_, russh::Error::Disconnect | russh::Error::HUP) => {
            OpenError::Protocol(step, "it closed the connection".to_owned())
        }
        (_, russh::Error::IO(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            OpenError::Protocol(step, "it closed the connection".to_owned())
        }
        (_, other) => OpenError::Protocol(step, escape(&other.to_string())),
    }
}

fn kind_of(kind: &russh::AlgorithmKind) -> Option<AlgorithmKind> {
    match kind {
        russh::AlgorithmKind::Kex => Some(AlgorithmKind::Kex),
        russh::AlgorithmKind::Key => Some(AlgorithmKind::HostKey),
        russh::AlgorithmKind::Cipher => Some(AlgorithmKind::Cipher),
        russh::AlgorithmKind::Mac => Some(AlgorithmKind::Mac),
        russh::AlgorithmKind::Compression => None,
    }
}

/// A login error with what the server said at the end. A server that hangs up at the first key without a
/// word has not refused it: the connection broke.
pub(super) fn login_error(error: LoginError, notes: &Notes) -> LoginError {
    match error {
        LoginError::Refused(refusal) => match notes.ending_by_server() {
            None if refusal.hung_up && refusal.offered.len() == 1 => {
                LoginError::Lost(notes.ending().unwrap_or_default())
            }
            ending => LoginError::Refused(LoginRefusal { ending, ..refusal }),
        },
        LoginError::Lost(_) => LoginError::Lost(notes.ending().unwrap_or_default()),
        LoginError::TimedOut => LoginError::TimedOut,
    }
}
