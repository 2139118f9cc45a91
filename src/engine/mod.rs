//! Makes the world match the plan: opens tunnels layer by layer, proves forwards, and takes it all
//! down from the inside out.
//!
//! The machine is pure and decides; the driver holds what is alive and has its actions done. Whoever
//! starts a run says in which world it happens: the real network, or the lab's.

mod act;
mod backoff;
mod blame;
mod board;
mod driver;
mod event;
mod failure;
mod far_client;
mod far_listener;
mod ground;
mod lane;
mod life;
mod listen_address;
mod machine;
mod proof;
mod sleep;
mod snapshot;
mod status;
mod wait;
mod walk;
mod way;

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use board::Board;
pub use driver::{Reload, Reloaded};
pub use event::{Doubt, Event, Stage};
pub use failure::{Exit, Failure, Phase};
pub use listen_address::ListenAddress;
pub use snapshot::{ForwardSnapshot, ForwardState, RunState, Snapshot, Standby, TunnelSnapshot, TunnelState};
pub use status::{FileStatus, ForwardStatus, StandbyStatus, Status, TunnelStatus, WaitsFor};
pub use wait::Waiter;
pub use walk::{Seen, Walked, walk};

use crate::forward::Meter;
use crate::plan::Plan;
use crate::ssh::{Login, Network, Trust};

/// Where a run happens, and as whom.
pub struct World {
    /// Where local's own dials go.
    pub network: Arc<dyn Network>,
    /// Which host keys are right.
    pub trust: Trust,
    /// What to log in with.
    pub login: Login,
}

/// How a run is told to end.
#[derive(Clone, Default)]
pub struct Controls {
    /// Take it down in order.
    pub leave: CancellationToken,
    /// Do not wait for anybody while taking it down.
    pub hurry: CancellationToken,
    /// Ask everything whether it is still there, and try at once what is away.
    pub verify: Arc<Notify>,
    /// Where the waits before each try take their chance from: the same seed, the same waits.
    pub seed: Option<u64>,
}

/// A run that was started.
pub struct Run {
    /// What happens, in order; ends with [`Event::Down`].
    pub events: UnboundedReceiver<Event>,
    /// How it stands.
    pub board: Board,
    /// Takes other plans for it.
    pub reloads: UnboundedSender<Reload>,
    /// Resolves once nothing is left.
    pub outcome: JoinHandle<Outcome>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// Why it ended, unless somebody asked for it.
    pub failure: Option<Failure>,
    /// Whether every required forward was proved at some time.
    pub was_up: bool,
    /// Whether it ended because its lifetime was over.
    pub expired: bool,
}

/// Starts to build a plan. The run goes on until it fails or `controls` say otherwise, and leaves
/// nothing behind either way. Needs a tokio runtime.
pub fn start(plan: Plan, world: World, controls: Controls) -> Run {
    let (sender, events) = unbounded_channel();
    let meters: Vec<_> = plan.forwards.iter().map(|_| Arc::new(Meter::default())).collect();
    let plan = Arc::new(plan);
    let board = Board::new(before(&plan), plan.clone(), &meters);
    let (reloads, wanted) = unbounded_channel();
    let driver = driver::Driver::new(plan, world, sender, board.clone(), meters, controls, wanted);
    Run { events, board, reloads, outcome: tokio::spawn(driver.run()) }
}

/// The standing of a run before anything happened.
fn before(plan: &Plan) -> Snapshot {
    Snapshot {
        state: RunState::Connecting,
        since: SystemTime::now(),
        tunnels: plan
            .tunnels
            .iter()
            .map(|tunnel| TunnelSnapshot {
                id: tunnel.id.clone(),
                through: tunnel.through.clone(),
                server: tunnel.server.id.clone(),
                state: TunnelState::Pending,
                rtt: None,
                reconnects: 0,
                lanes: 0,
                cause: None,
                code: None,
            })
            .collect(),
        forwards: plan
            .forwards
            .iter()
            .map(|planned| ForwardSnapshot {
                id: planned.forward.id.clone(),
                via: planned.needs().last().cloned(),
                listen: None,
                to: planned.forward.to.to_string(),
                protocol: planned.forward.protocol.clone(),
                state: ForwardState::Pending,
                clients: 0,
                connections: 0,
                bytes_up: 0,
                bytes_down: 0,
                proved_at: None,
                lost: 0,
                cause: None,
                code: None,
                standby: None,
            })
            .collect(),
    }
}
