//! `hopper graph`: shows the whole topology, whether or not there is a route. Opens no socket and no file
//! but the topology.

use std::ffi::OsStr;

use super::file::Source;
use super::{Ended, Talk};
use crate::engine::Exit;
use crate::plan::show::{self, Diagram};
use crate::topology::HostId;

/// How a graph is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// `hopper.graph/1`.
    Json,
    /// Graphviz.
    Dot,
    /// A Mermaid flowchart.
    Mermaid,
    /// A picture.
    Svg,
}

/// Prints the topology.
///
/// # Errors
/// When the file cannot be read; problems in it are told here.
pub fn run(talk: &Talk, wanted: &OsStr, form: Form) -> Ended {
    let source = Source::read(wanted)?;
    let topology = match source.topology() {
        Ok(topology) => topology,
        Err(problems) => return Ok(source.tell(talk, &problems)),
    };
    let topology = topology.seen_from(&HostId::local());
    let diagram = Diagram::of_topology(&topology);
    match form {
        Form::Text => talk.data(&show::outline(&diagram, talk.plan_style())),
        Form::Json => talk.json(&show::graph_json(&topology)),
        Form::Dot => talk.data(&show::dot(&diagram)),
        Form::Mermaid => talk.data(&show::mermaid(&diagram)),
        Form::Svg => talk.data(&show::svg(&diagram)),
    }
    Ok(Exit::Done)
}
