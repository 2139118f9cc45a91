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
    /// The plan has nothing for the hopper on that host to build.
    NoPart(NoPart),
}

/// The plan has nothing for the hopper on that host to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPart {
    /// The host asked for.
    pub at: HostId,
    /// The hosts that have a part, beside local.
    pub others: Vec<HostId>,
}

impl fmt::Display for NoPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is nothing to build for hopper on {}", escape(self.at.as_str()))
    }
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
            PlanError::NoPart(_) => "H0205",
        }
    }

    /// What to write instead; each stands on its own.
    pub fn help(&self) -> Vec<String> {
        match self {
            PlanError::NoRoute(error) => error.help.clone(),
            PlanError::SameListen(error) => error.help(),
            PlanError::NoPart(error) => vec![match error.others.as_slice() {
                [] => {
                    "no tunnel of this plan has its client on a host with \"client\": \"hopper\"".to_owned()
                }
                hosts => {
                    let hosts: Vec<_> = hosts.iter().map(|host| escape(host.as_str())).collect();
                    match error.at.is_local() {
                        true => format!(
                            "its forwards are run elsewhere; say where this is: --at {}",
                            hosts.join(" or ")
                        ),
                        false => format!("hopper has a part of this plan at local, {}", hosts.join(", ")),
                    }
                }
            }],
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
            PlanError::NoPart(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PlanError {}
