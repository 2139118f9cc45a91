//! What the things in a plan are called and belong to, ready to be shown. Foreign text is escaped here.

use std::collections::HashMap;

use crate::plan::{Plan, TunnelId};
use crate::topology::ForwardId;
use crate::topology::escape;

/// The names of a plan's tunnels and forwards.
#[derive(Debug)]
pub(super) struct Names {
    tunnels: HashMap<TunnelId, TunnelName>,
    forwards: HashMap<ForwardId, ForwardName>,
}

#[derive(Debug)]
pub(super) struct TunnelName {
    /// The host logged in to.
    pub(super) host: String,
    /// Which hop of the route it ends.
    pub(super) hop: usize,
}

#[derive(Debug)]
pub(super) struct ForwardName {
    /// The target as the file writes it.
    pub(super) to: String,
    /// The protocol spoken.
    pub(super) protocol: Option<String>,
}

impl Names {
    pub(super) fn new(plan: &Plan) -> Self {
        let tunnels = plan.tunnels.iter().map(|tunnel| {
            let name = TunnelName { host: escape(tunnel.server.id.as_str()), hop: tunnel.hop };
            (tunnel.id.clone(), name)
        });
        let forwards = plan.forwards.iter().map(|planned| {
            let forward = &planned.forward;
            let name = ForwardName {
                to: escape(&forward.to.to_string()),
                protocol: forward.protocol.as_deref().map(escape),
            };
            (forward.id.clone(), name)
        });
        Names { tunnels: tunnels.collect(), forwards: forwards.collect() }
    }

    pub(super) fn tunnel(&self, id: &TunnelId) -> Option<&TunnelName> {
        self.tunnels.get(id)
    }

    pub(super) fn forward(&self, id: &ForwardId) -> Option<&ForwardName> {
        self.forwards.get(id)
    }

    /// `T1 gate-a`.
    pub(super) fn label(&self, id: &TunnelId) -> String {
        match self.tunnel(id) {
            Some(name) => format!("{id} {}", name.host),
            None => id.to_string(),
        }
    }
}
