//! What a run asks of the planner beyond the file.

use clap::{Args, ValueEnum};

use crate::plan::PlanOptions;
use crate::topology::{self, CarrierKind, HostId};

/// Flags of every verb that plans.
#[derive(Debug, Args)]
pub(super) struct Planning {
    /// How sessions ride the tunnel below them, whatever the file says
    #[arg(long, value_enum)]
    carrier: Option<Carrier>,
    /// Where SSH clients run, whatever the file says
    #[arg(long, value_enum)]
    strategy: Option<Strategy>,
    /// Only the part that hopper builds on this host of the file
    #[arg(long, value_name = "HOST")]
    at: Option<String>,
    /// Look hosts up in your ssh configuration first, as up does: this runs ssh -G
    #[arg(long)]
    resolve: bool,
    /// Do not look hosts up in your ssh configuration
    #[arg(long, conflicts_with = "resolve")]
    no_resolve: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Carrier {
    /// In memory; nobody else can reach it
    Channel,
    /// A listening port, for other programs to use too
    Port,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Strategy {
    /// All of them here
    Nested,
    /// Where they save tunnels: on hosts in between that allow it
    Telescoped,
}

impl Planning {
    /// Whether hosts are looked up, where `usual` is what is done unless told otherwise.
    pub(super) fn resolve(&self, usual: bool) -> bool {
        self.resolve || (usual && !self.no_resolve)
    }

    /// As the planner takes them.
    pub(super) fn options(&self) -> PlanOptions {
        PlanOptions {
            at: self.at.as_ref().map(HostId::new),
            carrier: self.carrier.map(|carrier| match carrier {
                Carrier::Channel => CarrierKind::Channel,
                Carrier::Port => CarrierKind::Port,
            }),
            strategy: self.strategy.map(|strategy| match strategy {
                Strategy::Nested => topology::Strategy::Nested,
                Strategy::Telescoped => topology::Strategy::Telescoped,
            }),
        }
    }
}
