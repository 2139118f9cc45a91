//! What is said on a control socket: one JSON object a line. Knows the words and the limits, no socket.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::questions::{Asked, answer};
use crate::engine::{Event, Status};
use crate::ssh::Secret;

/// The version of the protocol. A message that an older side cannot read needs a new number.
pub(super) const PROTOCOL: u32 = 1;

/// What a client asks; [`Request::Hello`] comes first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum Request {
    /// Names the protocol the client speaks.
    Hello {
        /// Its version.
        protocol: u32,
    },
    /// How does the run stand?
    Status,
    /// What plan does it obey?
    Plan,
    /// Take it down, and tell me until nothing is left.
    Down,
    /// Read the file again and do what it says now; tell me when that is settled.
    Reload,
    /// What does it wait for that a person has to answer?
    Unlock,
    /// An answer to what it waits for.
    Answer {
        /// The question's number.
        id: u64,
        /// The answer.
        #[serde(with = "answer")]
        answer: Secret,
    },
}

/// What a run answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// To `hello`.
    Hello(Hello),
    /// To `status`.
    Status(Box<Status>),
    /// To `plan`, as `hopper.plan/1`.
    Plan(Box<Value>),
    /// To `down`, for each thing that is gone.
    Closed(Closed),
    /// To `down`, at the very end: `true`, nothing is left. The connection closes.
    Down(bool),
    /// To `reload`.
    Reloaded(Box<Reloaded>),
    /// To `unlock`: the question that has waited longest; `null` when none does.
    Question(Option<Asked>),
    /// To `answer`: whether the question still waited.
    Answered(bool),
    /// To anything that cannot be served. The connection closes.
    Error(Refusal),
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol the run speaks.
    pub protocol: u32,
    /// The version of hopper that holds the run.
    pub version: String,
    /// The topology's name.
    pub name: String,
    /// The process that holds the run.
    pub pid: u32,
}

/// Something that is gone while the run closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Closed {
    /// A forward no longer listens and its streams are gone.
    Forward(String),
    /// A tunnel's session is gone.
    Tunnel(String),
}

impl Closed {
    /// What the event says is gone, if anything.
    pub fn of(event: &Event) -> Option<Self> {
        match event {
            Event::ForwardClosed { forward } => Some(Closed::Forward(forward.to_string())),
            Event::TunnelClosed { tunnel } => Some(Closed::Tunnel(tunnel.to_string())),
            _ => None,
        }
    }
}

/// What came of reading the file again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reloaded {
    /// Whether the run does what the file says now; otherwise it goes on as it was.
    pub taken: bool,
    /// The exit code of that.
    pub exit: u8,
    /// What is wrong, as a person reads it; empty when nothing is.
    pub text: String,
    /// The same for machines: `hopper.error/1`, or problems as `hopper check --json` prints them.
    pub errors: Vec<Value>,
}

/// Why a request was not served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For machines.
    pub reason: Reason,
    /// For people.
    pub message: String,
}

/// Why a request was not served, for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Not a message of this protocol.
    Garbage,
    /// Longer than a message may be.
    TooLong,
    /// It took too long to arrive.
    TooSlow,
    /// The first message was not `hello`, or of another protocol.
    Protocol,
    /// Too many clients at once.
    Busy,
    /// The client is neither the owner of the run nor root.
    Denied,
}

/// What one side puts up with from the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in one request, the line's end included.
    pub request: usize,
    /// Bytes in one reply, the line's end included: a `status` grows with its topology.
    pub reply: usize,
    /// For one message to arrive, or to be taken.
    pub patience: Duration,
    /// Clients at once.
    pub clients: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { request: 64 << 10, reply: 16 << 20, patience: Duration::from_secs(5), clients: 32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_are_as_documented() {
        let request = |request: Request| serde_json::to_string(&request).unwrap();
        assert_eq!(request(Request::Hello { protocol: 1 }), r#"{"do":"hello","protocol":1}"#);
        assert_eq!(request(Request::Status), r#"{"do":"status"}"#);
        assert_eq!(request(Request::Plan), r#"{"do":"plan"}"#);
        assert_eq!(request(Request::Unlock), r#"{"do":"unlock"}"#);
        assert_eq!(request(Request::Reload), r#"{"do":"reload"}"#);
        let answer = Request::Answer { id: 3, answer: Secret::new("open \"sesame\"".to_owned()) };
        assert!(!format!("{answer:?}").contains("sesame"));
        assert_eq!(request(answer), r#"{"do":"answer","id":3,"answer":"open \"sesame\""}"#);
        let reply = |reply: Reply| serde_json::to_string(&reply).unwrap();
        assert_eq!(reply(Reply::Down(true)), r#"{"down":true}"#);
        assert_eq!(reply(Reply::Closed(Closed::Tunnel("T2".to_owned()))), r#"{"closed":{"tunnel":"T2"}}"#);
        let reloaded = Reloaded { taken: true, exit: 0, text: String::new(), errors: Vec::new() };
        assert_eq!(
            reply(Reply::Reloaded(Box::new(reloaded))),
            r#"{"reloaded":{"taken":true,"exit":0,"text":"","errors":[]}}"#
        );
        assert_eq!(reply(Reply::Question(None)), r#"{"question":null}"#);
        let asked = Asked {
            id: 3,
            host: "gate".to_owned(),
            wanted: "the password of alice".to_owned(),
            text: "hop 1, gate: the password of alice: ".to_owned(),
            hidden: true,
        };
        assert_eq!(
            reply(Reply::Question(Some(asked))),
            concat!(
                r#"{"question":{"id":3,"host":"gate","wanted":"the password of alice","#,
                r#""text":"hop 1, gate: the password of alice: ","hidden":true}}"#
            )
        );
        assert_eq!(reply(Reply::Answered(true)), r#"{"answered":true}"#);
        let refusal = Refusal { reason: Reason::TooLong, message: "no".to_owned() };
        assert_eq!(reply(Reply::Error(refusal)), r#"{"error":{"reason":"too-long","message":"no"}}"#);
    }
}
