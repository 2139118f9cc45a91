//! Why a topology has no plan.

use std::fmt;

use super::{NoRoute, SameListen, Unfit};
use crate::topology::{HostId, escape};

/// One reason why there is no plan. Text is for people; ids in it are escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanError {
    /// No route leads to what a forward wants.
    NoRoute(NoRoute),
    /// Two listeners want the same address.
    SameListen(SameListen),
    /// A listener on a host in between has no port that could be dialled.
    NoPort(NoPort),
    /// A client on a host in between cannot be run as the file asks.
    UnfitClient(UnfitClient),
}

/// A client on a host in between cannot be run as the file asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfitClient {
    /// The host it would run on.
    pub on: HostId,
    /// The host it would log in to.
    pub to: HostId,
    /// Why not.
    pub why: Unfit,
}

impl fmt::Display for UnfitClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (on, to) = (escape(self.on.as_str()), escape(self.to.as_str()));
        write!(f, "no SSH client on {on} can be told to log in to {to}: {}", self.why)
    }
}

/// All ports that are let through on the way to a host are taken by other listeners there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPort {
    /// Who would dial the listener.
    pub from: HostId,
    /// The host it would be on.
    pub to: HostId,
}

impl fmt::Display for NoPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (escape(self.from.as_str()), escape(self.to.as_str()));
        write!(f, "no port is left for a listener on {to} that {from} could dial")
    }
}

impl PlanError {
    /// Stable code; the list is in `docs/errors/`.
    pub fn code(&self) -> &'static str {
        match self {
            PlanError::NoRoute(_) => "H0201",
            PlanError::SameListen(_) => "H0202",
            PlanError::NoPort(_) => "H0203",
            PlanError::UnfitClient(_) => "H0204",
        }
    }

    /// What to write instead; each stands on its own.
    pub fn help(&self) -> Vec<String> {
        match self {
            PlanError::NoRoute(error) => error.help.clone(),
            PlanError::SameListen(error) => error.help(),
            PlanError::UnfitClient(_) => vec!["plan with --strategy nested, or use another name".to_owned()],
            PlanError::NoPort(_) => {
                vec!["let more ports through on that link, or plan with --strategy nested".to_owned()]
            }
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::NoRoute(error) => error.fmt(f),
            PlanError::SameListen(error) => error.fmt(f),
            PlanError::NoPort(error) => error.fmt(f),
            PlanError::UnfitClient(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PlanError {}
