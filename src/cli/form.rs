//! In which form a plan or a graph may be asked for.

use clap::Args;

use crate::commands::{graph, plan::Form};

/// At most one of them.
#[derive(Debug, Args)]
#[group(id = "form", multiple = false)]
pub(super) struct Forms {
    /// Print the plan as `hopper.plan/1`, and errors as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Print the ssh commands that build the same by hand
    #[arg(long)]
    ssh: bool,
    /// Print hosts, links and routes for Graphviz
    #[arg(long)]
    dot: bool,
    /// Print hosts, links and routes as a Mermaid flowchart
    #[arg(long)]
    mermaid: bool,
    /// Print hosts, links and routes as a picture: SVG, with nothing outside it
    #[arg(long)]
    svg: bool,
}

impl Forms {
    /// The one that was asked for.
    pub(super) fn chosen(&self) -> Form {
        let forms = [
            (self.json, Form::Json),
            (self.ssh, Form::Ssh),
            (self.dot, Form::Dot),
            (self.mermaid, Form::Mermaid),
            (self.svg, Form::Svg),
        ];
        forms.into_iter().find(|(asked, _)| *asked).map_or(Form::Text, |(_, form)| form)
    }

    /// The flag that makes sense for a plan only, if one was given.
    pub(super) fn of_plans_only(&self) -> Option<&'static str> {
        match self.chosen() {
            Form::Ssh => Some("--ssh"),
            Form::Dot => Some("--dot"),
            Form::Mermaid => Some("--mermaid"),
            Form::Svg => Some("--svg"),
            Form::Text | Form::Json => None,
        }
    }
}

/// At most one of them.
#[derive(Debug, Args)]
#[group(id = "graph-form", multiple = false)]
pub(super) struct GraphForms {
    /// Print the topology as `hopper.graph/1`, and errors as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Print it for Graphviz
    #[arg(long)]
    dot: bool,
    /// Print it as a Mermaid flowchart
    #[arg(long)]
    mermaid: bool,
    /// Print it as a picture: SVG, with nothing outside it
    #[arg(long)]
    svg: bool,
}

impl GraphForms {
    /// The one that was asked for.
    pub(super) fn chosen(&self) -> graph::Form {
        let forms = [
            (self.json, graph::Form::Json),
            (self.dot, graph::Form::Dot),
            (self.mermaid, graph::Form::Mermaid),
            (self.svg, graph::Form::Svg),
        ];
        forms.into_iter().find(|(asked, _)| *asked).map_or(graph::Form::Text, |(_, form)| form)
    }
}
