//! What the world answers to what the machine asks of it, well or badly.

use crate::engine::machine::{Action, Input};
use crate::engine::{Exit, Failure, Phase};

/// A failure that is not final.
pub fn failure(what: &str) -> Failure {
    Failure {
        code: "H0606",
        exit: Exit::Unreachable,
        phase: Phase::Running,
        message: what.to_owned(),
        hop: None,
        host: None,
        tunnel: None,
        facts: Vec::new(),
        help: Vec::new(),
    }
}

/// What comes of an action.
pub fn answer(action: Action, good: bool) -> Input {
    match action {
        Action::Open(t) if good => Input::Opened(t),
        Action::Open(t) => Input::TunnelFailed(t, failure("refused")),
        Action::Probe(t) if good => Input::Answered(t),
        Action::Probe(t) => Input::TunnelFailed(t, failure("silent")),
        Action::Verify(f) if good => Input::Verified(f),
        Action::Verify(f) => Input::ForwardFailed(f, failure("silent")),
        Action::Prove(f) if good => Input::Proved(f),
        Action::Prove(f) => Input::ForwardFailed(f, failure("no answer")),
        Action::Close(t) => Input::Closed(t),
        Action::Stop(f) | Action::Suspend(f) => Input::Stopped(f),
        other => unreachable!("{other:?} takes no answer"),
    }
}
