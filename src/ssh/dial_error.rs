//! Why a server did not give us a stream to a target.

use std::fmt;

/// Why a target could not be dialled through a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialError {
    /// The server's rules forbid it.
    Prohibited(String),
    /// The server tried, and the target did not take the connection.
    Failed(String),
    /// The server refused for another reason.
    Refused(String),
    /// No answer in time.
    TimedOut,
    /// The session ended.
    SessionLost,
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |f: &mut fmt::Formatter<'_>, what: &str, words: &str| match words {
            "" => f.write_str(what),
            words => write!(f, "{what}: {words}"),
        };
        match self {
            DialError::Prohibited(said) => words(f, "not permitted", said),
            DialError::Failed(said) => words(f, "the target did not take the connection", said),
            DialError::Refused(said) => words(f, "refused", said),
            DialError::TimedOut => f.write_str("no answer in time"),
            DialError::SessionLost => f.write_str("the session was lost"),
        }
    }
}
