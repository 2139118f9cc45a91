//! `hopper plan --explain`: why each forward goes the way it goes. Opens no socket, and no file but the
//! topology unless it is told to look hosts up in the person's ssh configuration.

use std::ffi::OsStr;

use super::file::Source;
use super::{Ended, Talk, resolve, trouble};
use crate::engine::{Exit, Failure, Phase};
use crate::plan::{self, PlanOptions, show};
use crate::report::no_plan;
use crate::topology::{ForwardId, HostId, escape, nearest};

/// Explains the route of the forward with this name, or of all.
///
/// # Errors
/// When the file cannot be read, or has no such forward; problems in it are told here.
pub fn run(talk: &Talk, wanted: &OsStr, only: Option<&str>, options: &PlanOptions, resolve: bool) -> Ended {
    let source = Source::read(wanted)?;
    let topology = match source.topology() {
        Ok(topology) => topology,
        Err(problems) => return Ok(source.tell(talk, &problems)),
    };
    let found = resolve::found(talk, topology, resolve)?;
    let topology = &found.resolved.topology;
    let only = only.map(|name| ForwardId(name.to_owned()));
    let at = options.at.clone().unwrap_or_else(HostId::local);
    if let Some(other) = topology.forwards.iter().find(|one| Some(&one.id) == only.as_ref() && one.at != at) {
        let message = format!("forward \"{}\" is run by hopper at {}", escape(&other.id.0), other.at);
        let help = format!(
            "hopper plan {} --explain {} --at {}",
            escape(&wanted.to_string_lossy()),
            other.id,
            other.at
        );
        return Err(trouble("H0308", Exit::Usage, Phase::Plan, message, &help));
    }
    let seen = topology.seen_from(&at);
    if let Some(only) = only.as_ref().filter(|only| seen.forwards.iter().all(|one| one.id != **only)) {
        let names = seen.forwards.iter().map(|forward| forward.id.0.as_str());
        return Err(no_such_forward(&only.0, names));
    }
    let explained = plan::explain(topology, only.as_ref(), options);
    if talk.json {
        let mut value = found.mark(show::why_json(&explained));
        value["errors"] = no_plan::json(&explained.errors);
        talk.json(&value);
    } else {
        talk.data(&show::why(&explained, talk.plan_style()));
    }
    match explained.errors.as_slice() {
        [] if talk.json => Ok(Exit::Done),
        [] => {
            found.tell(talk, wanted);
            Ok(Exit::Done)
        }
        _ if talk.json => Ok(Exit::Topology),
        errors => found.no_plan(talk, wanted, errors),
    }
}

/// H0308, with the name that was probably meant among those that there are.
pub(super) fn no_such_forward<'n>(wrong: &str, names: impl Iterator<Item = &'n str> + Clone) -> Failure {
    /// Forwards that are named before the rest is left out.
    const NAMED: usize = 8;
    let help = match nearest(wrong, names.clone()).filter(|_| wrong.len() <= 64) {
        Some(meant) => format!("did you mean \"{}\"?", escape(&meant)),
        None => {
            let few: Vec<String> = names.clone().take(NAMED).map(escape).collect();
            let more = if names.count() > NAMED { " …" } else { "" };
            format!("write one of: {}{more}", few.join(", "))
        }
    };
    let message = format!("there is no forward named \"{}\"", escape(wrong));
    trouble("H0308", Exit::Usage, Phase::Plan, message, &help)
}
