//! `hopper plan --diff`: what would have to change in the run of the same name. Asks that run for the plan it
//! obeys; changes nothing.

use std::ffi::OsStr;

use super::file::Source;
use super::{Ended, Talk, resolve, status, trouble};
use crate::control::{Client, Dirs, Limits, Place};
use crate::engine::{Exit, Failure, Phase};
use crate::plan::{self, PlanOptions, show};
use crate::topology::{HostId, escape};

/// Prints the difference. With `detailed`, the exit code tells whether there is any.
///
/// # Errors
/// When the file cannot be read, or the run cannot be asked; problems in the file are told here.
pub fn run(talk: &Talk, wanted: &OsStr, options: &PlanOptions, resolve: bool, detailed: bool) -> Ended {
    let source = Source::read(wanted)?;
    let topology = match source.topology() {
        Ok(topology) => topology,
        Err(problems) => return Ok(source.tell(talk, &problems)),
    };
    let found = resolve::found(talk, topology, resolve)?;
    let topology = &found.resolved.topology;
    // As up: a run builds the part of one machine.
    let at = Some(options.at.clone().unwrap_or_else(HostId::local));
    let plan = match plan::plan(topology, &PlanOptions { at, ..options.clone() }) {
        Ok(plan) => plan,
        Err(errors) => return found.no_plan(talk, wanted, &errors),
    };
    resolve::refuse_commands(&found.resolved, &plan)?;
    let place = Place::new(&Dirs::from_env()?, &topology.name)?;
    let asked = async { Client::connect(&place, Limits::default()).await?.plan().await };
    let running = match status::runtime()?.block_on(asked) {
        Ok(running) => Some(running),
        Err(failure) if failure.exit == Exit::NotRunning => None,
        Err(failure) => return Err(failure),
    };
    let diff = plan::diff(running.as_ref(), &plan).map_err(|error| no_plan(place.name(), &error))?;
    if talk.json {
        talk.json(&show::difference_json(&diff, running.is_some()));
    } else {
        if running.is_none() {
            talk.say(&format!("{} is not running: everything is to be opened.\n", escape(place.name())));
        }
        talk.data(&show::difference(&diff, talk.plan_style()));
    }
    // By the design, a difference is told with the exit code that otherwise means wrong usage.
    Ok(if detailed && !diff.is_none() { Exit::Usage } else { Exit::Done })
}

/// The run answered something that is no plan of this hopper.
pub(super) fn no_plan(name: &str, error: &serde_json::Error) -> Failure {
    let message = format!("the plan of the running \"{name}\" cannot be read: {error}");
    trouble("H0905", Exit::Control, Phase::Control, escape(&message), "hopper --version")
}
