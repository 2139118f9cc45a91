//! What happened, as the engine tells it to whoever watches: reports, the control socket, tests.

mod log;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Failure, ListenAddress, Waiter};
use crate::plan::{Plan, TunnelId};
use crate::topology::{ForwardId, HostId};

/// One thing that happened in a run.
#[derive(Debug, Clone)]
pub enum Event {
    /// A tunnel reached the next stage of being opened.
    Stage {
        /// The tunnel being opened.
        tunnel: TunnelId,
        /// What it does now.
        stage: Stage,
    },
    /// A listener that another machine's hopper keeps is not there yet. Told once; it is tried again and again.
    Waiting {
        /// Who waits.
        who: Waiter,
        /// What is dialled, and by whom; escaped.
        listener: String,
        /// The machine whose hopper keeps it.
        keeper: HostId,
    },
    /// Something listens already where another host was to listen. Told once; it is asked for again.
    Taken {
        /// The forward.
        forward: ForwardId,
        /// Where.
        at: ListenAddress,
        /// For how long it is asked for again.
        within: Duration,
    },
    /// A host that nothing was recorded of showed this key, which was accepted and recorded.
    KeyRecorded {
        /// The tunnel to that host.
        tunnel: TunnelId,
        /// The key: its type and its fingerprint.
        key: String,
    },
    /// A tunnel's session is logged in and can carry.
    TunnelUp {
        /// The tunnel.
        tunnel: TunnelId,
        /// Since it started to connect.
        elapsed: Duration,
        /// Algorithms and login method, for the eye: `curve25519-sha256 · aes256-gcm@openssh.com · key`.
        detail: String,
    },
    /// A carrier's listener is bound (`port` carriers only).
    CarrierListening {
        /// The tunnel whose session connects through it.
        tunnel: TunnelId,
        /// Where it listens.
        local: SocketAddr,
    },
    /// A forward's listener is bound; nothing is proved yet.
    ForwardListening {
        /// The forward.
        forward: ForwardId,
        /// Where programs connect, with the port the system chose for `auto`.
        at: ListenAddress,
    },
    /// The far end is being asked for its check.
    ForwardChecking {
        /// The forward.
        forward: ForwardId,
    },
    /// The far end answered its check.
    ForwardUp {
        /// The forward.
        forward: ForwardId,
        /// Where programs connect.
        at: ListenAddress,
        /// What the far end said, escaped, when the check listens for words.
        answer: Option<String>,
        /// From the first byte of the check to its answer.
        elapsed: Duration,
    },
    /// A tunnel was lost, and is rebuilt with what stands on it.
    TunnelLost {
        /// The tunnel to blame.
        tunnel: TunnelId,
        /// Why.
        failure: Failure,
        /// How many tunnels stand on it.
        above: usize,
    },
    /// A tunnel's server ends what nobody uses: it is left closed, with what stands on it, until somebody connects.
    TunnelRests {
        /// The tunnel.
        tunnel: TunnelId,
        /// How long nobody had used it when its server ended it.
        unused: Duration,
    },
    /// A forward serves nobody for as long as what carries it is rebuilt; who connects waits.
    ForwardHeld {
        /// The forward.
        forward: ForwardId,
        /// How many of its streams were cut.
        streams: u64,
    },
    /// Something could not be rebuilt, for a reason that was not told before; it is tried again and again.
    Retry {
        /// What could not be rebuilt.
        who: Waiter,
        /// Why.
        failure: Failure,
        /// Until the next try.
        wait: Duration,
    },
    /// A forward takes its next way; who connects meanwhile waits.
    FailedOver {
        /// The forward.
        forward: ForwardId,
        /// The hosts of that way that the one it leaves does not pass.
        by: Vec<HostId>,
        /// The hosts that it does not pass any more.
        instead_of: Vec<HostId>,
        /// Why the other one is left.
        failure: Failure,
    },
    /// A forward takes the way again that it prefers, and works.
    WentBack {
        /// The forward.
        forward: ForwardId,
        /// Hosts from local to the target's host, both included.
        route: Vec<HostId>,
    },
    /// All that was not given up works again.
    Restored {
        /// Since something broke.
        elapsed: Duration,
    },
    /// Nothing is known for certain any more, so everything is asked whether it is still there.
    Verifying {
        /// Why.
        doubt: Doubt,
    },
    /// Everything that was asked has answered.
    Verified {
        /// Since it was doubted.
        elapsed: Duration,
    },
    /// A tunnel is given up, with what stands on it; the run goes on without.
    TunnelFailed {
        /// The tunnel to blame.
        tunnel: TunnelId,
        /// Why.
        failure: Failure,
    },
    /// A forward is given up; the run goes on without it.
    ForwardFailed {
        /// The forward.
        forward: ForwardId,
        /// Why.
        failure: Failure,
    },
    /// Every required forward is up.
    Up {
        /// Since the run started.
        elapsed: Duration,
    },
    /// The run has lasted as long as its file allows.
    Expired {
        /// Since the run started.
        elapsed: Duration,
    },
    /// Nothing is left of what another plan does not have, and that plan is obeyed from now on.
    Replanned {
        /// The plan.
        plan: Arc<Plan>,
    },
    /// What another plan brought is up, or is known not to be.
    Reloaded {
        /// Since that plan is obeyed.
        elapsed: Duration,
    },
    /// Another plan was asked for, and there is none that could be obeyed: everything stays as it was.
    NotReloaded {
        /// Why.
        failure: Failure,
    },
    /// Teardown began.
    Closing,
    /// A forward no longer listens and its streams are gone.
    ForwardClosed {
        /// The forward.
        forward: ForwardId,
    },
    /// A tunnel's session is gone.
    TunnelClosed {
        /// The tunnel.
        tunnel: TunnelId,
    },
    /// The run ends because of this; told once, the lowest cause only.
    Failed(Failure),
    /// Nothing is left.
    Down,
}

/// Why nothing is known for certain any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// This machine slept or stood still for so long.
    Slept(Duration),
    /// This machine would go another way now to a host that it dialled.
    NetworkChanged,
    /// Somebody wants to know.
    Asked,
}

/// What a tunnel that is being opened does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Opening TCP, or the carrier's channel.
    Connect,
    /// Waiting for the server's version line.
    Banner,
    /// Key exchange and the judgement of the host key.
    Keys,
    /// Logging in.
    Login,
    /// Opening what rides it.
    Forward,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Stage; 5] = [Stage::Connect, Stage::Banner, Stage::Keys, Stage::Login, Stage::Forward];

    /// The word machines read.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Connect => "connect",
            Stage::Banner => "banner",
            Stage::Keys => "keys",
            Stage::Login => "login",
            Stage::Forward => "forward",
        }
    }
}
