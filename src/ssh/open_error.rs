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
    /// The stream ended after these words, and no version came; escaped. A server that lets in nobody for a while says
    /// so like this, and any other program may be taken for one.
    SaidOtherwise(String),
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

/// What a failed handshake says about the server, which said no more than this.
pub(super) fn handshake_error(step: Step, error: &russh::Error, notes: &Notes, greeting: &str) -> OpenError {
    if let Some(refusal) = notes.host_key_refusal() {
        return OpenError::HostKey(refusal);
    }
    if let Some(ending) = notes.ending().filter(|_| matches!(error, russh::Error::Disconnect)) {
        return OpenError::Protocol(step, ending);
    }
    let closed = match error {
        russh::Error::Disconnect | russh::Error::HUP => true,
        russh::Error::IO(error) => error.kind() == std::io::ErrorKind::UnexpectedEof,
        _ => false,
    };
    if let Some(words) = otherwise(greeting).filter(|_| closed) {
        return OpenError::SaidOtherwise(escape(words));
    }
    match (step, error) {
        (Step::Banner, _) => OpenError::ClosedSilently,
        (_, russh::Error::Version) => OpenError::Protocol(step, "it does not speak SSH 2".to_owned()),
        (_, russh::Error::NoCommonAlgo { kind, theirs, .. }) => match kind_of(kind) {
            Some(kind) => OpenError::NothingInCommon { kind, offered: theirs.clone() },
            None => OpenError::Protocol(step, "it insists on compression".to_owned()),
        },
        _ if closed => OpenError::Protocol(step, "it closed the connection".to_owned()),
        (_, other) => OpenError::Protocol(step, escape(&other.to_string())),
    }
}

/// The first line of what was said in place of a version; lines before one are allowed.
fn otherwise(greeting: &str) -> Option<&str> {
    let lines = || greeting.lines().map(str::trim).filter(|line| !line.is_empty());
    lines().next().filter(|_| !lines().any(|line| line.starts_with("SSH-")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_without_a_version_are_words_of_somebody_else() {
        let said = |greeting| match handshake_error(
            Step::Keys,
            &russh::Error::Disconnect,
            &Notes::default(),
            greeting,
        ) {
            OpenError::SaidOtherwise(words) => Some(words),
            OpenError::Protocol(..) => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(said("Not allowed at this time\r\n").as_deref(), Some("Not allowed at this time"));
        assert_eq!(
            said("\r\nHTTP/1.1 400 \u{1b}[2J\r\nDate: today").as_deref(),
            Some("HTTP/1.1 400 \\u{1b}[2J")
        );
        assert_eq!(said("Welcome\r\nSSH-2.0-OpenSSH_9.2\r\n"), None);
        assert_eq!(said(""), None);
    }
}
