//! One thin file for each verb: read, call one room, report. Nothing here knows how a thing is done.

mod asker;
mod autossh;
pub mod check;
mod detach;
pub mod down;
pub mod explain;
mod file;
pub mod graph;
mod limits;
mod log;
pub mod logs;
mod obeyed;
mod person;
pub mod plan;
pub mod plan_diff;
pub mod plan_explain;
pub mod plan_grants;
pub mod reload;
mod reloading;
mod resolve;
mod signals;
pub mod status;
mod talk;
pub mod trust;
pub mod unlock;
mod unresolved;
pub mod up;
mod worlds;

pub use asker::in_words;
pub use log::Log;
pub use talk::Talk;

use crate::engine::{Exit, Failure, Phase};

/// What a verb comes to: an exit code, or a failure that is still to be told.
pub type Ended = Result<Exit, Failure>;

/// A failure of hopper's own doing or surroundings, outside any hop.
fn trouble(code: &'static str, exit: Exit, phase: Phase, message: String, help: &str) -> Failure {
    let help = if help.is_empty() { Vec::new() } else { vec![help.to_owned()] };
    Failure { code, exit, phase, message, hop: None, host: None, tunnel: None, facts: Vec::new(), help }
}
