//! In which form a plan or a graph may be asked for.

use clap::Args;

use crate::commands::{graph, plan::Form};

/// At most one of them, but that grants can be JSON too.
#[derive(Debug, Args)]
pub(super) struct Forms {
    /// Print the plan as `hopper.plan/1`, and errors as JSON
    #[arg(long, conflicts_with_all = ["ssh", "dot", "mermaid", "svg"])]
    pub(super) json: bool,
    /// Print the ssh commands that build the same by hand
    #[arg(long, conflicts_with_all = ["dot", "mermaid", "svg", "grants"])]
    ssh: bool,
    /// Print hosts, links and routes for Graphviz
    #[arg(long, conflicts_with_all = ["mermaid", "svg", "grants"])]
    dot: bool,
    /// Print hosts, links and routes as a Mermaid flowchart
    #[arg(long, conflicts_with_all = ["svg", "grants"])]
    mermaid: bool,
    /// Print hosts, links and routes as a picture: SVG, with nothing outside it
    #[arg(long, conflicts_with = "grants")]
    svg: bool,
    /// Print what each host must allow, for authorized_keys, sshd_config and nftables
    #[arg(long)]
    pub(super) grants: bool,
}

impl Forms {
    /// The one that was asked for, of the plan itself.
    pub(super) fn chosen(&self) -> Form {
        match self {
            Forms { json: true, .. } => Form::Json,
            Forms { ssh: true, .. } => Form::Ssh,
            Forms { dot: true, .. } => Form::Dot,
            Forms { mermaid: true, .. } => Form::Mermaid,
            Forms { svg: true, .. } => Form::Svg,
            Forms { .. } => Form::Text,
        }
    }

    /// The flag that makes sense for a plan only, if one was given.
    pub(super) fn of_plans_only(&self) -> Option<&'static str> {
        match self.chosen() {
            _ if self.grants => Some("--grants"),
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
