//! Turns what went wrong at one place into a [`Failure`] that a person can act on:
//! which hop, which phase, what caused it, what to type next. Decides nothing else.

mod algorithms;
mod far_client;
mod forward;
mod host_key;
mod login;
mod tunnel;

pub use forward::{bound_too_narrow, bound_too_wide, check, far_listen, listen};
pub use tunnel::TunnelBlame;

use std::time::Duration;

use super::{Exit, Failure, Phase};

/// A task of hopper's own broke before it could say what came of it.
pub fn own_fault() -> Failure {
    Failure {
        code: "H0307",
        exit: Exit::Other,
        phase: Phase::Running,
        message: "hopper itself broke; this is a bug".to_owned(),
        hop: None,
        host: None,
        tunnel: None,
        facts: Vec::new(),
        help: vec!["run it again with -vv --log-file FILE, and report what FILE says".to_owned()],
    }
}

fn prohibited_help(dialler: &str, target: &str) -> Vec<String> {
    vec![
        format!("look at {dialler}'s sshd: AllowTcpForwarding no, PermitOpen, or a restricted key"),
        format!("ask for: PermitOpen {target}"),
    ]
}

fn said_or(said: &str, otherwise: &str) -> String {
    if said.is_empty() { otherwise.to_owned() } else { said.to_owned() }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f32())
}
