//! `hopper.status/1`: a run at one moment as machines read it. The form a [`Snapshot`] takes on the
//! control socket and in `status --json`; it never decides anything.
//!
//! States are words, not enums: a reader shows a word it does not know instead of failing on it.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Snapshot, Standby};
use crate::topology::HostId;

/// A run at one moment, serialisable. Readers ignore fields they do not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Always [`Status::SCHEMA`].
    pub schema: String,
    /// The topology's name.
    pub name: String,
    /// `connecting`, `up`, `degraded`, `verifying`, `resting`, `closing` or `down`.
    pub state: String,
    /// The process that holds the run.
    pub pid: u32,
    /// When the run started, RFC 3339.
    #[serde(with = "rfc3339")]
    pub since: SystemTime,
    /// Each tunnel, in plan order.
    pub tunnels: Vec<TunnelStatus>,
    /// Each forward, in plan order.
    pub forwards: Vec<ForwardStatus>,
    /// What a person has to answer before it goes on; left out when nothing is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitsFor>,
    /// The file that it obeys; left out when it came from standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileStatus>,
}

/// The file that a run obeys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStatus {
    /// Where it is, from whatever folder.
    pub path: String,
    /// When it had last been written when the run read it, RFC 3339.
    #[serde(with = "rfc3339")]
    pub modified: SystemTime,
    /// Whether it is another one now, or gone. The run never looks; `hopper status` does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<bool>,
}

/// What a person has to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitsFor {
    /// The host that wants to know.
    pub host: String,
    /// What to answer, such as `the password of alice`.
    pub wanted: String,
}

/// A tunnel at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TunnelStatus {
    /// Its id in the plan.
    pub id: String,
    /// The tunnel it rides.
    pub through: Option<String>,
    /// The host logged in to.
    pub server: String,
    /// `pending`, `standby`, `resting`, `connecting`, `waiting`, `up`, `silent`, `closing`, `failed` or `down`.
    pub state: String,
    /// Round trip through every layer below, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Times it was rebuilt.
    pub reconnects: u64,
    /// Sessions to its server, when clients that are behind made it more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lanes: Option<usize>,
    /// Why it is not up.
    pub cause: Option<String>,
    /// The error code of that.
    #[serde(default)]
    pub code: Option<String>,
}

/// A forward at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForwardStatus {
    /// Its id in the file.
    pub id: String,
    /// The tunnel it rides; `null` when local dials the target itself.
    pub via: Option<String>,
    /// Where programs connect; `null` until bound.
    pub listen: Option<String>,
    /// The target as the file writes it.
    pub to: String,
    /// The protocol spoken.
    pub protocol: Option<String>,
    /// `pending`, `resting`, `checking`, `up`, `failed` or `down`.
    pub state: String,
    /// Connections open now.
    pub clients: u64,
    /// Connections ever accepted.
    pub connections: u64,
    /// Bytes from clients to the target.
    pub bytes_up: u64,
    /// Bytes from the target to clients.
    pub bytes_down: u64,
    /// When the far end last answered its check, RFC 3339.
    #[serde(with = "rfc3339::option")]
    pub proved_at: Option<SystemTime>,
    /// Connections ever cut because what carried them broke.
    #[serde(default)]
    pub lost: u64,
    /// Why it is not up.
    #[serde(default)]
    pub cause: Option<String>,
    /// The error code of that.
    #[serde(default)]
    pub code: Option<String>,
    /// The standby way that it takes; missing while it takes the one that it prefers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standby: Option<StandbyStatus>,
}

/// A standby way that a forward takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandbyStatus {
    /// Its number among the forward's ways in the plan; the preferred one is 0.
    pub way: usize,
    /// The hosts that it passes and the preferred way does not.
    pub by: Vec<String>,
    /// The hosts that the preferred way passes and this one does not.
    pub instead_of: Vec<String>,
    /// Why the preferred one was left.
    pub cause: String,
    /// The error code of that.
    pub code: String,
}

impl ForwardStatus {
    /// Whether the host that is to listen for it is to blame, and not its target.
    pub fn is_blamed_on_its_listener(&self) -> bool {
        matches!(self.code.as_deref(), Some("H0707" | "H0708"))
    }
}

impl Status {
    /// The schema this type is.
    pub const SCHEMA: &'static str = "hopper.status/1";

    /// What machines read of a snapshot. `pid` is the process that holds the run.
    pub fn new(name: &str, pid: u32, snapshot: &Snapshot) -> Self {
        let tunnels = snapshot.tunnels.iter().map(|tunnel| TunnelStatus {
            id: tunnel.id.to_string(),
            through: tunnel.through.as_ref().map(ToString::to_string),
            server: tunnel.server.to_string(),
            state: tunnel.state.as_str().to_owned(),
            // Whole microseconds: more digits are noise.
            rtt_ms: tunnel.rtt.map(|rtt| (rtt.as_secs_f64() * 1e6).round() / 1e3),
            reconnects: tunnel.reconnects,
            lanes: (tunnel.lanes > 0).then_some(tunnel.lanes + 1),
            cause: tunnel.cause.clone(),
            code: tunnel.code.map(str::to_owned),
        });
        let forwards = snapshot.forwards.iter().map(|forward| ForwardStatus {
            id: forward.id.to_string(),
            via: forward.via.as_ref().map(ToString::to_string),
            listen: forward.listen.as_ref().map(ToString::to_string),
            to: forward.to.clone(),
            protocol: forward.protocol.clone(),
            state: forward.state.as_str().to_owned(),
            clients: forward.clients,
            connections: forward.connections,
            bytes_up: forward.bytes_up,
            bytes_down: forward.bytes_down,
            proved_at: forward.proved_at,
            lost: forward.lost,
            cause: forward.cause.clone(),
            code: forward.code.map(str::to_owned),
            standby: forward.standby.as_ref().map(StandbyStatus::new),
        });
        Status {
            schema: Self::SCHEMA.to_owned(),
            name: name.to_owned(),
            state: snapshot.state.as_str().to_owned(),
            pid,
            since: snapshot.since,
            tunnels: tunnels.collect(),
            forwards: forwards.collect(),
            waits_for: None,
            file: None,
        }
    }
}

impl StandbyStatus {
    fn new(standby: &Standby) -> Self {
        let names = |hosts: &[HostId]| hosts.iter().map(ToString::to_string).collect();
        StandbyStatus {
            way: standby.way,
            by: names(&standby.by),
            instead_of: names(&standby.instead_of),
            cause: standby.cause.clone(),
            code: standby.code.to_owned(),
        }
    }
}

/// Times as RFC 3339 text, in UTC.
mod rfc3339 {
    use std::time::SystemTime;

    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de, ser};

    pub fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        let stamp = Timestamp::try_from(*time).map_err(ser::Error::custom)?;
        serializer.collect_str(&stamp)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<Timestamp>().map(SystemTime::from).map_err(de::Error::custom)
    }

    pub mod option {
        use super::{Deserialize, Deserializer, Serializer, SystemTime, Timestamp, de};

        pub fn serialize<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => super::serialize(time, serializer),
                None => serializer.serialize_none(),
            }
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<SystemTime>, D::Error> {
            let text = Option::<String>::deserialize(d)?;
            text.map(|text| text.parse::<Timestamp>().map(SystemTime::from).map_err(de::Error::custom))
                .transpose()
        }
    }
}

#[cfg(test)]
mod tests;
