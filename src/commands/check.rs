//! `hopper check`: says everything that is wrong with a topology file, and whether there is a plan.

use std::ffi::OsStr;

use serde_json::json;

use super::file::Source;
use super::{Ended, Talk};
use crate::engine::Exit;
use crate::plan::{self, PlanOptions, show};
use crate::report::failure;
use crate::topology::escape;

/// Checks the file.
///
/// # Errors
/// When the file cannot be read; problems in it are told here.
pub fn run(talk: &Talk, wanted: &OsStr) -> Ended {
    let source = match Source::read(wanted) {
        Ok(source) => source,
        // A list, as for any other number of problems.
        Err(told) if talk.json => {
            talk.json(&json!([failure::json(&told)]));
            return Ok(told.exit);
        }
        Err(told) => return Err(told),
    };
    let topology = match source.topology() {
        Ok(topology) => topology,
        Err(problems) => return Ok(source.tell(talk, &problems)),
    };
    if let Err(errors) = plan::plan_everywhere(&topology, &PlanOptions::default()) {
        return Ok(talk.no_plan(&errors));
    }
    if talk.json {
        talk.json(&json!([]));
    } else {
        let count = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
        let text = format!(
            "{}: no problems: {}, {}, {}. Nothing was contacted.",
            source.shown,
            count(topology.hosts.len(), "host"),
            count(topology.links.len(), "link"),
            count(topology.forwards.len(), "forward"),
        );
        talk.say(&format!("{}\n", show::fold(&text, 0, 2, talk.err.width).join("\n")));
        talk.say(&format!("Next: hopper plan {}\n", escape(&wanted.to_string_lossy())));
    }
    Ok(Exit::Done)
}
