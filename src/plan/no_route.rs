//! No route leads to what a forward wants: how far one gets, and what is in the way there.

use std::fmt;
use std::sync::Arc;

use crate::topology::escape;
use crate::topology::{FirewallId, ForwardId, HostId, PortSet, Target};

/// A forward that nothing can carry: how far one gets, and what is in the way there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoRoute {
    /// The forward.
    pub forward: ForwardId,
    /// What it wants.
    pub target: Target,
    /// Every host that a session gets to, nearest first.
    pub reached: Arc<[HostId]>,
    /// What is in the way where one gets no further; the first few.
    pub obstacles: Vec<Obstacle>,
    /// How many more obstacles there are.
    pub more: usize,
    /// What to write instead; each stands on its own.
    pub help: Vec<String>,
}

/// What is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// A link leads on, but does not let the port through.
    Closed {
        /// Who would dial.
        from: HostId,
        /// Who would be dialled.
        to: HostId,
        /// On which port.
        port: u16,
        /// The link's own `ports`, when they leave it out.
        ports: Option<PortSet>,
        /// The firewalls that stop it.
        firewalls: Vec<FirewallId>,
    },
    /// The target lies within a host that takes no logins.
    NoServer(HostId),
    /// However many ports were opened: no links make a chain from local to this host.
    NoLinks {
        /// The host.
        to: HostId,
        /// Who could dial it; the first few.
        from: Vec<HostId>,
    },
}

impl fmt::Display for NoRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (target, forward) = (self.target.to_string(), &self.forward.0);
        write!(f, "no route to {} (forward {}): local reaches ", escape(&target), escape(forward))?;
        match self.reached.as_ref() {
            [] => f.write_str("no host by SSH")?,
            reached => {
                let most = reached.iter().take(8).map(|id| escape(id.as_str()));
                f.write_str(&list(most, reached.len().saturating_sub(8)))?;
            }
        }
        write!(f, "; {}", list(self.obstacles.iter().map(Obstacle::to_string), self.more))
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Closed { from, to, port, ports, firewalls } => {
                let hop = format!("{} -> {}", escape(from.as_str()), escape(to.as_str()));
                if let Some(ports) = ports {
                    write!(f, "the link {hop} lets only port {ports} through, not {port}")?;
                }
                match firewalls.as_slice() {
                    [] => Ok(()),
                    walls => {
                        let joint = if ports.is_some() { ", and " } else { "" };
                        let stop = if walls.len() == 1 { "stops" } else { "stop" };
                        let walls = list(walls.iter().map(|wall| escape(&wall.0)), 0);
                        write!(f, "{joint}{walls} {stop} port {port} on {hop}")
                    }
                }
            }
            Obstacle::NoServer(host) => {
                write!(f, "{} takes no logins (\"ssh\": false)", escape(host.as_str()))
            }
            Obstacle::NoLinks { to, from } if from.is_empty() => {
                write!(f, "no link leads to {}", escape(to.as_str()))
            }
            Obstacle::NoLinks { to, from } => {
                let from = list(from.iter().map(|id| escape(id.as_str())), 0);
                write!(
                    f,
                    "links lead to {} only from {from}, and none from local to there",
                    escape(to.as_str())
                )
            }
        }
    }
}

/// Words in a row, and how many are left out.
fn list(words: impl Iterator<Item = String>, more: usize) -> String {
    let mut text = words.collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
