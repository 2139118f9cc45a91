//! Why a topology has no plan.

use std::fmt;

use super::{NoRoute, SameListen};

/// One reason why there is no plan. Text is for people; ids in it are escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanError {
    /// No route leads to what a forward wants.
    NoRoute(NoRoute),
    /// Two listeners want the same address.
    SameListen(SameListen),
}

impl PlanError {
    /// Stable code; the list is in `docs/errors/`.
    pub fn code(&self) -> &'static str {
        match self {
            PlanError::NoRoute(_) => "H0201",
            PlanError::SameListen(_) => "H0202",
        }
    }

    /// What to write instead; each stands on its own.
    pub fn help(&self) -> Vec<String> {
        match self {
            PlanError::NoRoute(error) => error.help.clone(),
            PlanError::SameListen(error) => error.help(),
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::NoRoute(error) => error.fmt(f),
            PlanError::SameListen(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PlanError {}
