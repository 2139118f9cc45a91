//! Why a host cannot be looked up in the person's ssh configuration, or not as it says there, and what helps.

use std::path::Path;

use super::trouble;
use crate::engine::{Exit, Failure, Phase};
use crate::ssh::NoAnswer;
use crate::topology::{HostId, Lookup, Resolved, Unusable, escape};

/// A host that only a program of the person's reaches.
pub fn needs_command(resolved: &Resolved, host: &HostId) -> Failure {
    let program = resolved.by_command.get(host).map(|program| escape(program)).unwrap_or_default();
    let message =
        format!("{host}: your ssh configuration reaches it by a ProxyCommand, which hopper does not run");
    let mut failure = trouble("H0312", Exit::Topology, Phase::Plan, message, "");
    failure.host = Some(host.clone());
    failure.facts.push(("it would run", format!("{program} …")));
    let is_ssh = Path::new(&program).file_name().is_some_and(|name| name == "ssh");
    failure.help.push(match is_ssh {
        true => {
            "write ProxyJump HOST in place of ProxyCommand ssh -W %h:%p HOST: hopper follows that".to_owned()
        }
        false => "write ProxyJump HOST in its place, where a host in between can be logged in to".to_owned(),
    });
    failure.help.push(format!(
        "or say in the file who dials it, and look nothing up: \"{host}\": {{ …, \"ssh_config\": false }}"
    ));
    failure
}

/// No answer for this host.
pub fn unanswered(host: &str, error: &NoAnswer) -> Failure {
    let (message, fact) = match error {
        NoAnswer::Missing => ("there is no ssh here".to_owned(), None),
        NoAnswer::Unstartable(why) => (format!("ssh cannot be started: {why}"), None),
        NoAnswer::Refused(said) => {
            (format!("ssh cannot read its configuration for {host}"), Some(said.clone()))
        }
        NoAnswer::Unreadable(why) => (
            format!("there is no ssh here, and your ssh configuration cannot be read: {}", escape(why)),
            None,
        ),
        NoAnswer::NotUnderstood(not) => (
            format!("there is no ssh here, and hopper cannot do what your ssh configuration says for {host}"),
            Some(escape(&format!("{}: {}", not.place, not.what))),
        ),
        NoAnswer::TimedOut(limit) => (
            format!("ssh -G did not answer for {host} within {} s", limit.as_secs()),
            Some("a Match exec that hangs, or a name server that does not answer".to_owned()),
        ),
    };
    let help = format!("look nothing up for it: \"{host}\": {{ …, \"ssh_config\": false }}");
    let first = match error {
        NoAnswer::Missing | NoAnswer::Unreadable(_) | NoAnswer::NotUnderstood(_) => {
            "install OpenSSH's client: hopper asks it, and it does all of ssh_config(5)".to_owned()
        }
        _ => format!("see what it says: ssh -G {host}"),
    };
    let mut failure = unusable(message, first);
    failure.help.push(help);
    failure.facts.extend(fact.map(|fact| ("cause", fact)));
    failure
}

/// An answer that hopper cannot use.
pub fn cannot(lookup: &Lookup, why: &Unusable) -> Failure {
    let host = &lookup.host;
    let (message, help) = match why {
        Unusable::Value(key, value) => (
            format!("{host}: hopper cannot use {key} of your ssh configuration: {value}"),
            format!("write it in the file in another way, and \"{host}\": {{ …, \"ssh_config\": false }}"),
        ),
        Unusable::Algorithms(kind, wanted) => (
            format!(
                "{host}: your ssh configuration allows only {} that hopper does not have",
                kind.openssh_option()
            ),
            format!(
                "it wants {wanted}; say in the file what else may be used: \"{host}\": {{ …, \"algorithms\": {{ \
                 \"{}\": [\"{}\"] }} }}",
                kind.as_str(),
                kind.modern().first().copied().unwrap_or_default()
            ),
        ),
    };
    let mut failure = unusable(escape(&message), escape(&help));
    failure.host = Some(host.clone());
    failure
}

/// Jumps that lead back to where they began.
pub fn circle(way: &[HostId]) -> Failure {
    let way: Vec<&str> = way.iter().map(HostId::as_str).collect();
    let message =
        format!("the jumps of your ssh configuration go in a circle: {}", escape(&way.join(" through ")));
    unusable(message, "write ProxyJump none for the first host of the way in ~/.ssh/config".to_owned())
}

/// H0311.
pub fn unusable(message: String, help: String) -> Failure {
    trouble("H0311", Exit::Topology, Phase::Plan, message, &help)
}
