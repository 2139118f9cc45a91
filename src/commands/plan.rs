//! `hopper plan`: prints what would be built. Opens no socket and no file but the topology.

use std::ffi::OsStr;

use super::file::Source;
use super::{Ended, Talk};
use crate::engine::Exit;
use crate::plan::{self, PlanOptions, show};
use crate::topology::{CarrierKind, escape};

/// Plans the topology and prints the plan.
///
/// # Errors
/// When the file cannot be read; problems in it are told here.
pub fn run(talk: &Talk, wanted: &OsStr, carrier: Option<CarrierKind>) -> Ended {
    let source = Source::read(wanted)?;
    let topology = match source.topology() {
        Ok(topology) => topology,
        Err(problems) => return Ok(source.tell(talk, &problems)),
    };
    match plan::plan(&topology, &PlanOptions { carrier }) {
        Err(errors) => return Ok(talk.no_plan(&errors)),
        Ok(plan) if talk.json => talk.json(&show::json(&plan)),
        Ok(plan) => {
            talk.data(&show::text(&plan, &topology, talk.plan_style()));
            talk.say(&format!("Next: hopper up {}\n", escape(&wanted.to_string_lossy())));
        }
    }
    Ok(Exit::Done)
}
