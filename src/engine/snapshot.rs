//! How a run stands at one moment: what `status` shows.

use std::time::{Duration, SystemTime};

use super::ListenAddress;
use crate::plan::TunnelId;
use crate::topology::{ForwardId, HostId};

/// A run at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The whole.
    pub state: RunState,
    /// When the run started.
    pub since: SystemTime,
    /// Each tunnel, in plan order.
    pub tunnels: Vec<TunnelSnapshot>,
    /// Each forward, in plan order.
    pub forwards: Vec<ForwardSnapshot>,
}

/// The whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Being built.
    Connecting,
    /// Every required forward was proved.
    Up,
    /// It was up, but not every forward is: something is being rebuilt, or was given up.
    Degraded,
    /// It was up, and is being asked whether it still is: this machine slept, or somebody wants to know.
    Verifying,
    /// Being taken down.
    Closing,
    /// Gone.
    Down,
}

impl RunState {
    /// The word of `hopper.status/1`.
    pub fn as_str(self) -> &'static str {
        match self {
            RunState::Connecting => "connecting",
            RunState::Up => "up",
            RunState::Degraded => "degraded",
            RunState::Verifying => "verifying",
            RunState::Closing => "closing",
            RunState::Down => "down",
        }
    }
}

/// A tunnel at one moment.
#[derive(Debug, Clone)]
pub struct TunnelSnapshot {
    /// The tunnel.
    pub id: TunnelId,
    /// The tunnel it rides.
    pub through: Option<TunnelId>,
    /// The host logged in to.
    pub server: HostId,
    /// Where it stands.
    pub state: TunnelState,
    /// Round trip of the last answered probe, through every layer below.
    pub rtt: Option<Duration>,
    /// Times it was rebuilt.
    pub reconnects: u64,
    /// Why it is not up.
    pub cause: Option<String>,
    /// The error code of that.
    pub code: Option<&'static str>,
}

/// Where a tunnel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TunnelState {
    /// Waits for the tunnel below, or for its next try.
    Pending,
    /// Not opened before a forward needs it.
    Standby,
    /// Being opened.
    Connecting,
    /// Logged in.
    Up,
    /// Being closed.
    Closing,
    /// Failed; see the cause.
    Failed,
    /// Gone.
    Down,
}

impl TunnelState {
    /// The word of `hopper.status/1`.
    pub fn as_str(self) -> &'static str {
        match self {
            TunnelState::Pending => "pending",
            TunnelState::Standby => "standby",
            TunnelState::Connecting => "connecting",
            TunnelState::Up => "up",
            TunnelState::Closing => "closing",
            TunnelState::Failed => "failed",
            TunnelState::Down => "down",
        }
    }
}

/// A forward at one moment.
#[derive(Debug, Clone)]
pub struct ForwardSnapshot {
    /// The forward.
    pub id: ForwardId,
    /// The tunnel to its target, else the one to where it listens; `None` when it rides none.
    pub via: Option<TunnelId>,
    /// Where programs connect; `None` until bound.
    pub listen: Option<ListenAddress>,
    /// The target as the file writes it.
    pub to: String,
    /// The protocol spoken, for a URL.
    pub protocol: Option<String>,
    /// Where it stands.
    pub state: ForwardState,
    /// Connections open now.
    pub clients: u64,
    /// Connections ever accepted.
    pub connections: u64,
    /// Bytes from clients to the target.
    pub bytes_up: u64,
    /// Bytes from the target to clients.
    pub bytes_down: u64,
    /// When the far end last answered its check.
    pub proved_at: Option<SystemTime>,
    /// Connections ever cut because what carried them broke.
    pub lost: u64,
    /// Why it is not up.
    pub cause: Option<String>,
    /// The error code of that.
    pub code: Option<&'static str>,
    /// The standby way that it takes; `None` while it takes the one that it prefers.
    pub standby: Option<Standby>,
}

/// A standby way that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standby {
    /// Its number; the preferred one is 0.
    pub way: usize,
    /// The hosts that it passes and the preferred way does not.
    pub by: Vec<HostId>,
    /// The hosts that the preferred way passes and this one does not.
    pub instead_of: Vec<HostId>,
    /// Why the preferred one was left.
    pub cause: String,
    /// The error code of that.
    pub code: &'static str,
}

/// Where a forward stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardState {
    /// Waits for its tunnel, or for its next try. Clients wait with it.
    Pending,
    /// The far end is being asked; or it did not answer when it was asked again, and serves on.
    Checking,
    /// Proved.
    Up,
    /// Could not be proved.
    Failed,
    /// Gone.
    Down,
}

impl ForwardState {
    /// The word of `hopper.status/1`.
    pub fn as_str(self) -> &'static str {
        match self {
            ForwardState::Pending => "pending",
            ForwardState::Checking => "checking",
            ForwardState::Up => "up",
            ForwardState::Failed => "failed",
            ForwardState::Down => "down",
        }
    }
}
