//! A question to a person: who asks, and what. Never asks by itself: whoever holds a terminal does.

use std::pin::Pin;
use std::sync::Arc;

use super::secret::Secret;
use crate::topology::{HostId, escape};

/// Lines that a server may say before a question, and how long they and a question may be, in characters.
const MOST_LINES: usize = 8;
const LONGEST: usize = 400;

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

impl Question {
    /// What a server asks (RFC 4256, section 3.2), escaped and cut. `before` is what it said before that, as
    /// [`Question::hear`] keeps it; `echo` is whether the answer may be seen.
    pub fn of_server(host: &HostId, before: Vec<String>, prompt: &str, echo: bool) -> Self {
        let text = line(prompt);
        Question {
            host: host.clone(),
            before,
            wanted: format!("an answer to \"{text}\""),
            text: format!("{host} asks: \"{text}\" "),
            hidden: !echo,
        }
    }

    /// Keeps what a server says, line by line, escaped and cut, for the next question; what is too much is dropped.
    pub fn hear(before: &mut Vec<String>, said: &str) {
        let room = MOST_LINES.saturating_sub(before.len());
        before.extend(said.lines().map(line).filter(|line| !line.is_empty()).take(room));
    }
}

/// One line of a server's, escaped and cut.
fn line(text: &str) -> String {
    let mut short: String = text.trim().chars().take(LONGEST).collect();
    if text.trim().chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    escape(&short)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(said: &[&str]) -> Vec<String> {
        let mut before = Vec::new();
        said.iter().for_each(|said| Question::hear(&mut before, said));
        before
    }

    #[test]
    fn what_a_server_asks_is_one_short_harmless_line() {
        let ask = |prompt: &str| Question::of_server(&HostId::new("h"), Vec::new(), prompt, false);
        assert_eq!(ask(" Verification code: \n").text, "h asks: \"Verification code:\" ");
        let hostile = ask(&format!("\u{1b}[2J\u{202e}{}", "x".repeat(100_000)));
        for text in [hostile.text, hostile.wanted] {
            assert!(text.len() < 1000 && !text.chars().any(crate::topology::is_unsafe), "{text}");
        }
    }

    #[test]
    fn what_it_says_before_is_kept_up_to_a_few_lines() {
        assert_eq!(heard(&["a\n\n b \r\nc", "d"]).join("|"), "a|b|c|d");
        assert_eq!(heard(&[&"x\n".repeat(1000), "y"]), ["x"; MOST_LINES]);
    }
}
