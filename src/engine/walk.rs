//! A walk to hosts for the sake of their keys: from local outwards, through each host to the next, one at a
//! time. Logs in only to a host that something else is behind, once its key is the right one; forwards nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::blame::{self, TunnelBlame};
use super::{Failure, World};
use crate::plan::{Plan, Tunnel, TunnelId};
use crate::ssh::{Fingerprint, Grounds, OpenError, Opening, Session, Wire, WireHandle};
use crate::topology::{Endpoint, HostId};

/// A host that showed the right key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The host.
    pub host: HostId,
    /// The key it showed.
    pub key: Fingerprint,
    /// Why that is the right one.
    pub grounds: Grounds,
}

/// What came of a walk.
#[derive(Debug, Default)]
pub struct Walked {
    /// The hosts whose keys are right, in the order of the walk.
    pub seen: Vec<Seen>,
    /// What stood in the way. Hosts behind such a place were not walked to.
    pub failures: Vec<Failure>,
    /// Those hosts.
    pub missed: Vec<HostId>,
}

/// How long a session may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// Walks to every host that the plan logs in to from local. `told` hears of each at once.
pub async fn walk(plan: &Plan, world: &World, mut told: impl FnMut(&Seen)) -> Walked {
    let mut walked = Walked::default();
    let mut open: BTreeMap<&TunnelId, Session> = BTreeMap::new();
    for tunnel in plan.tunnels.iter().filter(|tunnel| tunnel.client.is_local()) {
        let below = match &tunnel.through {
            None => None,
            Some(id) => match open.get(id) {
                Some(session) => Some(session),
                None => {
                    walked.missed.push(tunnel.server.id.clone());
                    continue;
                }
            },
        };
        match visit(plan, tunnel, world, below).await {
            Ok((seen, session)) => {
                told(&seen);
                walked.seen.push(seen);
                if let Some(session) = session {
                    open.insert(&tunnel.id, session);
                }
            }
            Err((seen, failure)) => {
                if let Some(seen) = seen {
                    told(&seen);
                    walked.seen.push(seen);
                }
                walked.failures.push(failure);
            }
        }
    }
    // The innermost first: each still needs those below it for its goodbye.
    for tunnel in plan.tunnels.iter().rev() {
        if let Some(session) = open.remove(&tunnel.id) {
            session.close(GOODBYE).await;
        }
    }
    walked
}

/// Looks at the key of a host; stays there when another tunnel leads through it. A host whose key is right may
/// still not let us in.
async fn visit(
    plan: &Plan,
    tunnel: &Tunnel,
    world: &World,
    below: Option<&Session>,
) -> Result<(Seen, Option<Session>), (Option<Seen>, Failure)> {
    let blame = TunnelBlame { plan, tunnel };
    let host = &tunnel.server;
    let (trust, server) = (world.trust.clone(), host.clone());
    let expectation = tokio::task::spawn_blocking(move || trust.expectation(&server)).await;
    let expectation = expectation
        .map_err(|_| (None, blame::own_fault()))?
        .map_err(|refusal| (None, blame.host_key(&refusal)))?;
    let leads_on = plan.tunnels.iter().any(|other| other.through.as_ref() == Some(&tunnel.id));
    let expectation = if leads_on { expectation } else { expectation.without_login() };
    let (wire, handle) = dial(tunnel, world, below, &blame).await.map_err(|failure| (None, failure))?;
    let trusted = expectation.trusted();
    let opening =
        Opening { host, expectation, login: &world.login, banner: host.timeout.banner, on_step: &|_| {} };
    let session = match leads_on {
        true => Session::open(wire, handle, opening).await.map(Some),
        false => Session::look(wire, handle, opening).await.map(|()| None),
    };
    let seen = trusted.get().map(|(key, grounds)| Seen {
        host: host.id.clone(),
        key: key.clone(),
        grounds: *grounds,
    });
    match (session, seen) {
        (Ok(session), Some(seen)) => Ok((seen, session)),
        (Ok(_), None) => Err((None, blame.open(OpenError::ClosedSilently))),
        (Err(error), seen) => Err((seen, blame.open(error))),
    }
}

async fn dial(
    tunnel: &Tunnel,
    world: &World,
    below: Option<&Session>,
    blame: &TunnelBlame<'_>,
) -> Result<(Wire, WireHandle), Failure> {
    let limit = tunnel.server.timeout.connect;
    if let Some(session) = below {
        let endpoint = Endpoint::Tcp(tunnel.target.clone());
        let channel = session.dial(&endpoint, None, limit).await.map_err(|error| blame.dial(&error))?;
        return Ok(Wire::over_channel(channel));
    }
    let dialling = world.network.dial(&tunnel.server.id, &tunnel.target);
    let dialled = tokio::time::timeout(limit, dialling).await;
    let dialled = dialled.map_err(|_| blame.connect_timed_out(limit))?;
    dialled.and_then(|dialled| Wire::over_dialled(dialled, None)).map_err(|error| blame.unreachable(&error))
}
