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

impl Snapshot {
    /// Calls nothing up that is not proved any more: no tunnel that is silent for too long, and no run that has one.
    pub(super) fn doubt_silent(&mut self, is_overdue: impl Fn(usize) -> bool) {
        for (t, tunnel) in self.tunnels.iter_mut().enumerate() {
            if tunnel.state == TunnelState::Up && is_overdue(t) {
                tunnel.state = TunnelState::Silent;
                if matches!(self.state, RunState::Up | RunState::Resting) {
                    self.state = RunState::Verifying;
                }
            }
        }
    }
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
    /// It was up, and nothing is wrong; but what its servers end when nobody uses it is left closed until somebody
    /// comes.
    Resting,
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
            RunState::Resting => "resting",
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
    /// Sessions that it has beside its own, for others than clients that are behind.
    pub lanes: usize,
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
    /// Closed, with what stands on it, until somebody comes: its server ends what nobody uses.
    Resting,
    /// Being opened.
    Connecting,
    /// Being opened, which waits for a listener that another machine's hopper keeps.
    Waiting,
    /// Logged in, and heard of within the time after which silence is noticed.
    Up,
    /// Logged in, and silent for longer than that; it is about to be asked, or taken for lost.
    Silent,
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
            TunnelState::Resting => "resting",
            TunnelState::Connecting => "connecting",
            TunnelState::Waiting => "waiting",
            TunnelState::Up => "up",
            TunnelState::Silent => "silent",
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
    /// Listens; what carries it rests until somebody comes.
    Resting,
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
            ForwardState::Resting => "resting",
            ForwardState::Checking => "checking",
            ForwardState::Up => "up",
            ForwardState::Failed => "failed",
            ForwardState::Down => "down",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::before;
    use crate::plan::{self, PlanOptions};
    use crate::topology;

    fn at(state: RunState, tunnels: [TunnelState; 2]) -> Snapshot {
        let text = r#"{ "hopper": 1, "hosts": { "a": {}, "b": {} }, "links": ["local -> a -> b"],
                        "forwards": { "f": "1 -> b/127.0.0.1:1" } }"#;
        let plan = plan::plan(&topology::parse(text, "m").unwrap(), &PlanOptions::default()).unwrap();
        let mut snapshot = before(&plan);
        snapshot.state = state;
        snapshot.tunnels.iter_mut().zip(tunnels).for_each(|(tunnel, state)| tunnel.state = state);
        snapshot
    }

    #[test]
    fn nothing_is_up_that_was_silent_for_too_long() {
        use TunnelState::{Pending, Silent, Up};
        let told = |state, tunnels, overdue: &[usize]| {
            let mut snapshot = at(state, tunnels);
            snapshot.doubt_silent(|t| overdue.contains(&t));
            (snapshot.state, [snapshot.tunnels[0].state, snapshot.tunnels[1].state])
        };
        assert_eq!(told(RunState::Up, [Up, Up], &[]), (RunState::Up, [Up, Up]));
        assert_eq!(told(RunState::Up, [Up, Up], &[1]), (RunState::Verifying, [Up, Silent]));
        assert_eq!(told(RunState::Resting, [Up, Pending], &[0]), (RunState::Verifying, [Silent, Pending]));
        // What is known to be broken stays so, and what is not there cannot be silent.
        assert_eq!(told(RunState::Degraded, [Up, Pending], &[0, 1]), (RunState::Degraded, [Silent, Pending]));
    }
}
