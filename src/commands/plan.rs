//! `hopper plan`: prints what would be built. Opens no socket, and no file but the topology unless it is told to
//! look hosts up in the person's ssh configuration.

use std::ffi::OsStr;

use super::file::Source;
use super::{Ended, Talk, resolve};
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
pub fn run(talk: &Talk, wanted: &OsStr, options: &PlanOptions, resolve: bool, form: Form) -> Ended {
    let source = Source::read(wanted)?;
    let topology = match source.topology() {
        Ok(topology) => topology,
        Err(problems) => return Ok(source.tell(talk, &problems)),
    };
    let found = resolve::found(talk, topology, resolve)?;
    let topology = &found.resolved.topology;
    let plan = match plan::plan(topology, options) {
        Ok(plan) => plan,
        Err(errors) => return found.no_plan(talk, wanted, &errors),
    };
    resolve::refuse_commands(&found.resolved, &plan)?;
    let topology = topology.seen_from(&plan.at);
    match form {
        Form::Json => talk.json(&found.mark(show::json(&plan))),
        Form::Ssh => {
            talk.data(&show::ssh(&plan));
            found.tell(talk, wanted);
        }
        Form::Dot => talk.data(&show::dot(&Diagram::of_plan(&plan, &topology))),
        Form::Mermaid => talk.data(&show::mermaid(&Diagram::of_plan(&plan, &topology))),
        Form::Svg => talk.data(&show::svg(&Diagram::of_plan(&plan, &topology))),
        Form::Text => {
            talk.data(&show::text(&plan, &topology, talk.plan_style()));
            found.tell(talk, wanted);
            let at =
                options.at.as_ref().map(|at| format!(" --at {}", escape(at.as_str()))).unwrap_or_default();
            talk.say(&format!("Next: hopper up {}{at}\n", escape(&wanted.to_string_lossy())));
        }
    }
    Ok(Exit::Done)
}
