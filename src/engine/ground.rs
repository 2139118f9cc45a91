//! What tunnels stand on, and which of it broke: the lowest that no longer answers is to blame for
//! everything above it.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::far_client::FarClient;
use crate::plan::Plan;
use crate::ssh::Session;

/// What a tunnel stands on.
#[derive(Default)]
pub(super) struct Ground {
    /// The session that it rides.
    pub below: Option<Arc<Session>>,
    /// The session over which its client is started.
    pub control: Option<Arc<Session>>,
}

/// What a tunnel is once it is open.
#[derive(Clone)]
pub(super) enum Live {
    /// A session of our own.
    Session(Arc<Session>),
    /// A client on another host.
    Client(Arc<FarClient>),
}

impl Live {
    /// Fires when it has ended.
    pub fn ended(&self) -> CancellationToken {
        match self {
            Live::Session(session) => session.ended(),
            Live::Client(client) => client.ended(),
        }
    }

    /// Ends it at once.
    pub fn cut(self) {
        match self {
            Live::Session(session) => session.cut(),
            // Its input ends with it.
            Live::Client(client) => drop(client),
        }
    }
}

/// The lowest of these tunnels and those under them that no longer answers, and why. `alive` holds what
/// is open, in plan order.
pub(super) async fn broken_ground(
    plan: &Plan,
    tops: &[usize],
    alive: &[Option<Live>],
) -> Option<(usize, String)> {
    const PATIENCE: Duration = Duration::from_secs(2);
    const NEWS: Duration = Duration::from_secs(1);
    for t in ground(plan, tops) {
        let session = match &alive[t] {
            Some(Live::Session(session)) => session,
            // It cannot be asked. But what rides it hears of its death before we do.
            Some(Live::Client(client)) => {
                if tokio::time::timeout(NEWS, client.ended().cancelled()).await.is_ok() {
                    return Some((t, client.ending().await));
                }
                continue;
            }
            None => continue,
        };
        if session.is_over() {
            return Some((t, session.ending()));
        }
        if !session.is_alive(PATIENCE).await {
            let ending = if session.is_over() { session.ending() } else { "it stopped answering".to_owned() };
            return Some((t, ending));
        }
    }
    None
}

/// These tunnels and everything that they stand on, the lowest first.
fn ground(plan: &Plan, tops: &[usize]) -> Vec<usize> {
    let mut stands = vec![false; plan.tunnels.len()];
    tops.iter().for_each(|&top| stands[top] = true);
    // Build order puts a tunnel after what it needs.
    for t in (0..plan.tunnels.len()).rev() {
        if stands[t] {
            let needs = plan.tunnels[t].needs().filter_map(|id| plan.place(id));
            needs.for_each(|under| stands[under] = true);
        }
    }
    (0..stands.len()).filter(|&t| stands[t]).collect()
}
