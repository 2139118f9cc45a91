//! `hopper plan --grants`: what each host must allow. Opens no socket, and no file but the topology unless it is
//! told to look hosts up in the person's ssh configuration.

use std::ffi::OsStr;

use super::file::Source;
use super::{Ended, Talk, resolve};
use crate::engine::Exit;
use crate::plan::{self, PlanOptions, show};

/// Prints what each host must allow for the plans of every machine whose hopper has one, since a host may
/// serve several of them.
///
/// # Errors
/// When the file cannot be read; problems in it are told here.
pub fn run(talk: &Talk, wanted: &OsStr, options: &PlanOptions, resolve: bool) -> Ended {
    let source = Source::read(wanted)?;
    let topology = match source.topology() {
        Ok(topology) => topology,
        Err(problems) => return Ok(source.tell(talk, &problems)),
    };
    let found = resolve::found(talk, topology, resolve)?;
    let grants = match plan::plan_everywhere(&found.resolved.topology, options) {
        Ok(plans) => plan::grants(&plans),
        Err(errors) => return found.no_plan(talk, wanted, &errors),
    };
    if talk.json {
        talk.json(&show::grants_json(&grants));
    } else {
        talk.data(&show::grants(&grants));
        found.tell(talk, wanted);
    }
    Ok(Exit::Done)
}
