//! Blame for what belongs to a forward: its local listener, and its far end.

use std::io;

use super::{prohibited_help, said_or};
use crate::engine::{Exit, Failure, Phase};
use crate::forward::CheckError;
use crate::plan::PlannedForward;
use crate::ssh::DialError;
use crate::topology::{Listen, Target};

/// A local listener could not be bound.
pub fn listen(what: &str, listen: Listen, error: &io::Error) -> Failure {
    let taken = error.kind() == io::ErrorKind::AddrInUse;
    let cause = if taken { "already in use".to_owned() } else { error.to_string() };
    let mut help = Vec::new();
    if taken {
        help.push(format!("see who has it: ss -ltnp 'sport = :{}'", listen.port));
        help.push("or let hopper choose: \"listen\": \"auto\"".to_owned());
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        help.push("ports below 1024 need root; take a higher one".to_owned());
    } else {
        help.push(format!("has this machine the address {}? see: ip addr", listen.address));
    }
    Failure {
        code: if taken { "H0701" } else { "H0705" },
        exit: Exit::Forward,
        phase: Phase::Listen,
        message: format!("cannot listen on {listen} for {what}: {cause}"),
        hop: None,
        host: None,
        tunnel: None,
        facts: Vec::new(),
        help,
    }
}

/// A forward's far end could not be proved.
pub fn check(forward: &PlannedForward, error: &CheckError) -> Failure {
    let (id, target) = (&forward.forward.id, &forward.target);
    let hops = forward.route.len() - 1;
    // The host that dials: the one before the target, or the target's own host when dialled within.
    let dialler = match forward.forward.to {
        Target::Dialled { .. } => &forward.route[hops - 1],
        Target::Within { .. } => &forward.route[hops],
    };
    let (code, exit, phase, message, cause) = match error {
        CheckError::Dial(DialError::Prohibited(said)) => (
            "H0702",
            Exit::Forward,
            Phase::Forward,
            format!("{dialler} will not open {target} for forward \"{id}\""),
            said_or(said, "administratively prohibited"),
        ),
        CheckError::Dial(error) => (
            "H0703",
            Exit::Forward,
            Phase::Forward,
            format!("{dialler} cannot connect to {target} for forward \"{id}\""),
            match error {
                DialError::Failed(said) | DialError::Refused(said) => {
                    said_or(said, "the server gave no reason")
                }
                other => other.to_string(),
            },
        ),
        CheckError::Answer(what) => (
            "H0704",
            Exit::Forward,
            Phase::Check,
            format!("{target} does not answer as forward \"{id}\" expects"),
            what.clone(),
        ),
    };
    let help = match error {
        CheckError::Dial(DialError::Prohibited(_)) => prohibited_help(dialler.as_str(), &target.to_string()),
        CheckError::Dial(_) => vec![format!("is the service running? see from {dialler} itself")],
        CheckError::Answer(_) => vec![format!("correct \"check\" of forward \"{id}\", or the target")],
    };
    Failure {
        code,
        exit,
        phase,
        message,
        // The target's own hop: whoever dials it works.
        hop: Some((hops, hops)),
        host: Some(forward.forward.to.host().clone()),
        tunnel: None,
        facts: vec![("cause", cause)],
        help,
    }
}
