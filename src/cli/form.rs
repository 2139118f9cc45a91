//! In which form a plan may be asked for.

use clap::Args;

use crate::commands::plan::Form;

/// At most one of them, but that grants can be JSON too.
#[derive(Debug, Args)]
pub(super) struct Forms {
    /// Print the plan as `hopper.plan/1`, and errors as JSON
    #[arg(long, conflicts_with_all = ["ssh", "dot", "mermaid"])]
    pub(super) json: bool,
    /// Print the ssh commands that build the same by hand
    #[arg(long, conflicts_with_all = ["dot", "mermaid", "grants"])]
    ssh: bool,
    /// Print hosts, links and routes for Graphviz
    #[arg(long, conflicts_with_all = ["mermaid", "grants"])]
    dot: bool,
    /// Print hosts, links and routes as a Mermaid flowchart
    #[arg(long, conflicts_with = "grants")]
    mermaid: bool,
    /// Print what each host must allow, for authorized_keys, sshd_config and nftables
    #[arg(long)]
    grants: bool,
}

impl Forms {
    /// The one that was asked for.
    pub(super) fn chosen(&self) -> Form {
        match self {
            Forms { grants: true, json: true, .. } => Form::GrantsJson,
            Forms { grants: true, .. } => Form::Grants,
            Forms { json: true, .. } => Form::Json,
            Forms { ssh: true, .. } => Form::Ssh,
            Forms { dot: true, .. } => Form::Dot,
            Forms { mermaid: true, .. } => Form::Mermaid,
            Forms { .. } => Form::Text,
        }
    }

    /// The flag that makes sense for a plan only, if one was given.
    pub(super) fn of_plans_only(&self) -> Option<&'static str> {
        match self.chosen() {
            Form::Ssh => Some("--ssh"),
            Form::Dot => Some("--dot"),
            Form::Mermaid => Some("--mermaid"),
            Form::Grants | Form::GrantsJson => Some("--grants"),
            Form::Text | Form::Json => None,
        }
    }
}
