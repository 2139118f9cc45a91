//! A plan read back from `hopper.plan/1`, as a run tells it: as far as it is compared and shown. Nothing here is
//! trusted: ids may name nothing, and every text is foreign.

use serde::Deserialize;
use serde_json::{Map, Value};

/// What a plan says of itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Said {
    /// Every tunnel, in build order.
    pub tunnels: Vec<SaidTunnel>,
    /// Every forward.
    pub forwards: Vec<SaidForward>,
    /// When forwards take their next ways; nothing is never.
    #[serde(default)]
    pub failover: Option<Value>,
    /// What holds for the whole run. Missing where an older hopper runs.
    #[serde(default)]
    pub policy: Map<String, Value>,
}

/// What it says of a tunnel.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SaidTunnel {
    /// Its id in that plan.
    pub id: String,
    /// The host whose SSH client it is.
    pub client: String,
    /// Who runs that client: `here` is hopper itself.
    #[serde(default)]
    pub run: Option<String>,
    /// The host logged in to.
    pub server: String,
    /// By which name.
    pub user: Option<String>,
    /// The server's own address.
    pub address: String,
    /// The tunnel it rides.
    pub through: Option<String>,
    /// How it rides that.
    pub carrier: Option<String>,
    /// Where a `port` carrier listens.
    pub listen: Option<String>,
    /// What the client dials there, where that is on a host in between.
    #[serde(default)]
    pub entry: Option<String>,
    /// What is dialled.
    pub target: String,
    /// Whether it is not opened before a forward needs it.
    #[serde(default)]
    pub standby: bool,
    /// How the session is opened and kept. Missing where an older hopper runs.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

/// What it says of a forward.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SaidForward {
    /// Its id in the file.
    pub id: String,
    /// Where programs shall connect.
    pub listen: String,
    /// The target as the file writes it.
    pub to: String,
    /// What is dialled for it.
    #[serde(default)]
    pub target: Option<String>,
    /// The innermost tunnel it rides.
    pub via: Option<String>,
    /// Hosts from local to the target's host.
    pub route: Vec<String>,
    /// The host that listens for it in place of local.
    #[serde(default)]
    pub listener: Option<SaidListener>,
    /// The ways that it takes when this one stays down.
    #[serde(default)]
    pub standby: Vec<SaidWay>,
    /// Whatever else there is, by its key.
    #[serde(flatten)]
    pub settings: Map<String, Value>,
}

/// What it says of a way that stands by for a forward.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SaidWay {
    /// What is dialled for it.
    pub target: Option<String>,
    /// The innermost tunnel it rides.
    pub via: Option<String>,
    /// Hosts from local to the target's host.
    pub route: Vec<String>,
    /// The host that listens for it in place of local.
    pub listener: Option<SaidListener>,
}

/// What it says of the host that listens for a forward.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SaidListener {
    /// The host.
    pub host: String,
    /// The tunnel to it.
    pub via: String,
    /// Hosts from local to it.
    pub route: Vec<String>,
}

impl SaidTunnel {
    /// Whether the session goes over the hop between these hosts as the outermost of its own making: into its
    /// server, or into the listener that lets it in.
    pub fn takes(&self, from: &str, to: &str) -> bool {
        let lets_in = || self.listen.as_ref()?.rsplit_once(':').map(|(host, _)| host == to);
        self.server == to || (self.entry.is_some() && self.client == from && lets_in() == Some(true))
    }
}

impl SaidForward {
    /// It as it goes on the way with this number; 0 is the one that it prefers, and so is one that it has not.
    #[must_use]
    pub fn by_way(&self, number: usize) -> SaidForward {
        match number.checked_sub(1).and_then(|standby| self.standby.get(standby)).cloned() {
            Some(SaidWay { target, via, route, listener }) => {
                SaidForward { target, via, route, listener, ..self.clone() }
            }
            None => self.clone(),
        }
    }
}

impl Said {
    /// Reads a `hopper.plan/1`; keys that are not known are passed over.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(plan: &Value) -> Result<Self, serde_json::Error> {
        Said::deserialize(plan)
    }

    /// This tunnel and those that it rides, outermost first; as far as there are such.
    pub fn chain(&self, last: Option<&String>) -> Vec<&SaidTunnel> {
        let mut chain: Vec<&SaidTunnel> = Vec::new();
        let mut next = last;
        // A plan of some other making may go in circles.
        while let Some(id) = next.filter(|_| chain.len() < self.tunnels.len()) {
            let Some(tunnel) = self.tunnels.iter().find(|tunnel| tunnel.id == *id) else { break };
            chain.push(tunnel);
            next = tunnel.through.as_ref();
        }
        chain.reverse();
        chain
    }
}
