//! Blame for what belongs to a forward: its local listener, and its far end.

use std::io;

use super::{prohibited_help, said_or};
use crate::engine::{Exit, Failure, Phase};
use crate::forward::{CheckError, LoopError};
use crate::plan::PlannedForward;
use crate::ssh::{DialError, ListenError};
use crate::topology::{HostId, Listen};

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
    let at = if forward.within { hops } else { hops.saturating_sub(1) };
    let dialler = &forward.route[at];
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
        CheckError::Loop(error) => (
            "H0709",
            Exit::Forward,
            Phase::Check,
            format!("{dialler} does not lead the loop of forward \"{id}\" back"),
            error.to_string(),
        ),
    };
    let looped = matches!(error, CheckError::Loop(_));
    let help = match error {
        CheckError::Dial(DialError::Prohibited(_)) => prohibited_help(dialler.as_str(), &target.to_string()),
        CheckError::Dial(_) => vec![format!("is the service running? see from {dialler} itself")],
        CheckError::Loop(error) => loop_help(dialler.as_str(), error),
        CheckError::Answer(_) => vec![format!("correct \"check\" of forward \"{id}\", or the target")],
    };
    Failure {
        code,
        exit,
        phase,
        message,
        // The target's own hop: whoever dials it works. A loop goes no farther than to whoever does.
        hop: (hops > 0).then_some((if looped { at.max(1) } else { hops }, hops)),
        host: Some(if looped { dialler } else { forward.forward.to.host() }.clone()),
        tunnel: None,
        facts: vec![("cause", cause)],
        help,
    }
}

fn loop_help(host: &str, error: &LoopError) -> Vec<String> {
    let otherwise =
        "or have the target itself asked: \"check\": \"tcp\", \"echo\" or { \"banner\": … }".to_owned();
    let rules = match error {
        LoopError::NoSession => return vec![otherwise],
        LoopError::Listen(ListenError::Refused) => {
            "AllowTcpForwarding no or local, PermitListen, or a restricted key"
        }
        LoopError::Dial(DialError::Prohibited(_)) => {
            "AllowTcpForwarding no or remote, PermitOpen, or a restricted key"
        }
        _ => return vec![otherwise],
    };
    vec![
        format!("look at {host}'s sshd: {rules}"),
        "what it must allow: hopper plan FILE --grants".to_owned(),
        otherwise,
    ]
}

/// A host does not listen for a forward.
pub fn far_listen(forward: &PlannedForward, error: &ListenError) -> Failure {
    let (host, wanted) = (listens(forward), forward.forward.listen);
    let mut failure = at_its_listener(forward, "H0707", format!("{host} will not listen on {wanted}"));
    let silence = if *error == ListenError::Refused { "; the protocol has no reasons for that" } else { "" };
    failure.facts.push(("cause", format!("{error}{silence}")));
    if *error == ListenError::Refused {
        if wanted.port != 0 {
            failure
                .help
                .push(format!("is the port taken? see on {host}: ss -ltn 'sport = :{}'", wanted.port));
        }
        failure.help.push(format!(
            "look at {host}'s sshd: AllowTcpForwarding no or local, PermitListen, or a restricted key"
        ));
        failure.help.push(format!("ask for: PermitListen {wanted}"));
    }
    failure
}

/// A host listens for everybody where it was to listen for itself.
pub fn bound_too_wide(forward: &PlannedForward) -> Failure {
    let (host, wanted) = (listens(forward), forward.forward.listen);
    let message = format!("{host} lets other machines connect to {wanted}");
    let mut failure = at_its_listener(forward, "H0708", message);
    failure.facts.push(("cause", "its sshd has GatewayPorts yes".to_owned()));
    failure.facts.push(("done", "the listener was given back at once".to_owned()));
    failure.help.push(format!("ask for GatewayPorts clientspecified (or no) in {host}'s sshd_config"));
    failure.help.push("or, if others may use it, write \"expose\": true".to_owned());
    failure
}

/// A host listens for itself where it was to listen for others.
pub fn bound_too_narrow(forward: &PlannedForward) -> Failure {
    let (host, wanted) = (listens(forward), forward.forward.listen);
    let message = format!("{host} keeps {wanted} to itself: no other machine can connect");
    let mut failure = at_its_listener(forward, "H0708", message);
    failure.facts.push(("cause", "its sshd has GatewayPorts no".to_owned()));
    failure.help.push(format!("ask for GatewayPorts clientspecified in {host}'s sshd_config"));
    failure.help.push("or listen on 127.0.0.1 there, and have a forward lead to it".to_owned());
    failure
}

fn at_its_listener(forward: &PlannedForward, code: &'static str, message: String) -> Failure {
    let hops = forward.listener.as_ref().map_or(0, |listener| listener.route.len() - 1);
    Failure {
        code,
        exit: Exit::Forward,
        phase: Phase::Listen,
        message: format!("{message} for \"{}\"", forward.forward.id),
        hop: Some((hops, hops)),
        host: forward.listener.as_ref().map(|listener| listener.host.clone()),
        tunnel: forward.listener.as_ref().map(|listener| listener.via.clone()),
        facts: Vec::new(),
        help: Vec::new(),
    }
}

/// The host that is to listen.
fn listens(forward: &PlannedForward) -> &str {
    forward.listener.as_ref().map_or(HostId::LOCAL, |listener| listener.host.as_str())
}
