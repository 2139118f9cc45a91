//! What a run asks of the planner beyond the file.

use clap::{Args, ValueEnum};

use crate::plan::PlanOptions;
use crate::topology::{self, CarrierKind};

/// Flags of every verb that plans.
#[derive(Debug, Args)]
pub(super) struct Planning {
    /// How sessions ride the tunnel below them, whatever the file says
    #[arg(long, value_enum)]
    carrier: Option<Carrier>,
    /// Where SSH clients run, whatever the file says
    #[arg(long, value_enum)]
    strategy: Option<Strategy>,
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
    /// As the planner takes them.
    pub(super) fn options(&self) -> PlanOptions {
        PlanOptions {
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
