//! A question to a person: who asks, and what. Never asks by itself: whoever holds a terminal does.

use std::pin::Pin;
use std::sync::Arc;

use super::secret::Secret;
use crate::topology::HostId;

/// Asks the person; `None` when there is nobody to ask or they gave up.
pub type Ask = Arc<dyn Fn(Question) -> Asking + Send + Sync>;

/// An answer on its way.
pub type Asking = Pin<Box<dyn Future<Output = Option<Secret>> + Send>>;

/// Tells the person something, in one escaped line.
pub type Notice = Arc<dyn Fn(&str) + Send + Sync>;

/// One question, on behalf of one host. Every text is escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The host that wants to know.
    pub host: HostId,
    /// What the host says before it, a line each.
    pub before: Vec<String>,
    /// What to type, such as `the password of alice`: what is missing when nobody answers.
    pub wanted: String,
    /// The question itself, naming the host; the answer is typed right after it.
    pub text: String,
    /// Whether the answer must not be seen while it is typed.
    pub hidden: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Nobody is there to ask, or they gave up.
    #[error("nobody to ask")]
    Nobody,
    /// What was answered does not fit.
    #[error("wrong passphrase")]
    Wrong,
    /// It should have come from where it is kept: why it did not; escaped.
    #[error("{0}")]
    NotHad(String),
}
