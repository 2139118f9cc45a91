//! `hopper check`: says everything that is wrong with a topology file, and whether there is a plan.

use std::ffi::OsStr;

use serde_json::json;

use super::file::Source;
use super::{Ended, Talk, resolve};
use crate::engine::Exit;
use crate::plan::{self, PlanOptions, show};
use crate::report::failure;
use crate::topology::escape;

/// Checks the file.
///
/// # Errors
/// When the file cannot be read; problems in it are told here.
pub fn run(talk: &Talk, wanted: &OsStr, resolve: bool) -> Ended {
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
    let found = resolve::found(talk, topology, resolve)?;
    let topology = &found.resolved.topology;
    let mut warnings = String::new();
    match plan::plan_everywhere(topology, &PlanOptions::default()) {
        // How other machines reach a host, this one's configuration does not say.
        Ok(plans) => plans.iter().filter(|plan| plan.at.is_local()).try_for_each(|plan| {
            warnings.push_str(&show::warnings(plan, talk.err.width));
            resolve::refuse_commands(&found.resolved, plan)
        })?,
        Err(errors) => return found.no_plan(talk, wanted, &errors),
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
        talk.say(&warnings);
        talk.say(&format!("Next: hopper plan {}\n", escape(&wanted.to_string_lossy())));
    }
    Ok(Exit::Done)
}
