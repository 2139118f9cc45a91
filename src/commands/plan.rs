//! `hopper plan`: prints what would be built. Opens no socket and no file but the topology.

use std::ffi::OsStr;

use super::file::Source;
use super::{Ended, Talk};
use crate::engine::Exit;
use crate::plan::show::{self, Diagram};
use crate::plan::{self, PlanOptions};
use crate::topology::escape;

/// How a plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// `hopper.plan/1`.
    Json,
    /// OpenSSH commands.
    Ssh,
    /// Graphviz.
    Dot,
    /// A Mermaid flowchart.
    Mermaid,
    /// A picture.
    Svg,
}

/// Plans the topology and prints the plan.
///
/// # Errors
/// When the file cannot be read; problems in it are told here.
pub fn run(talk: &Talk, wanted: &OsStr, options: &PlanOptions, form: Form) -> Ended {
    let source = Source::read(wanted)?;
    let topology = match source.topology() {
        Ok(topology) => topology,
        Err(problems) => return Ok(source.tell(talk, &problems)),
    };
    let plan = match plan::plan(&topology, options) {
        Ok(plan) => plan,
        Err(errors) => return Ok(talk.no_plan(&errors)),
    };
    let topology = topology.seen_from(&plan.at);
    match form {
        Form::Json => talk.json(&show::json(&plan)),
        Form::Ssh => talk.data(&show::ssh(&plan)),
        Form::Dot => talk.data(&show::dot(&Diagram::of_plan(&plan, &topology))),
        Form::Mermaid => talk.data(&show::mermaid(&Diagram::of_plan(&plan, &topology))),
        Form::Svg => talk.data(&show::svg(&Diagram::of_plan(&plan, &topology))),
        Form::Text => {
            talk.data(&show::text(&plan, &topology, talk.plan_style()));
            let at =
                options.at.as_ref().map(|at| format!(" --at {}", escape(at.as_str()))).unwrap_or_default();
            talk.say(&format!("Next: hopper up {}{at}\n", escape(&wanted.to_string_lossy())));
        }
    }
    Ok(Exit::Done)
}
