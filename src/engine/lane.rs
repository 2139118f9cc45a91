//! Opens another session of a tunnel that is up: to the same host, on the same ground, without a person. Decides
//! nothing: `forward::Lanes` asks for it.

use std::sync::Arc;

use super::act::{Scene, patience};
use crate::forward::{NoLane, Opener};
use crate::plan::{Carrier, Tunnel};
use crate::ssh::{Again, LoginError, OpenError, Session, Wire, WireHandle};
use crate::topology::{Endpoint, escape};

/// What opens further sessions of tunnel `t`, which rides `below`.
pub(super) fn opener(scene: Arc<Scene>, t: usize, below: Option<Arc<Session>>, again: Again) -> Opener {
    let again = Arc::new(again);
    Arc::new(move || {
        let (scene, below, again) = (scene.clone(), below.clone(), again.clone());
        Box::pin(async move { scene.open_lane(&scene.plan.tunnels[t], below, &again).await })
    })
}

impl Scene {
    async fn open_lane(
        &self,
        tunnel: &Tunnel,
        below: Option<Arc<Session>>,
        again: &Again,
    ) -> Result<Session, NoLane> {
        let (id, server) = (&tunnel.id, &tunnel.server);
        // As for the tunnel itself: what was revoked since binds a lane too.
        let (trust, host) = (self.world.trust.clone(), server.clone());
        let expected = tokio::task::spawn_blocking(move || trust.expectation(&host)).await;
        let Ok(Ok(expectation)) = expected else {
            tracing::warn!(tunnel = %id, server = %server.id, ?expected, "no further session: what is known of its key cannot be read");
            return Err(NoLane::Now);
        };
        let (wire, handle) = self.lane_transport(tunnel, below).await.map_err(|cause| {
            tracing::warn!(tunnel = %id, server = %server.id, cause, "no further session: it cannot be reached");
            NoLane::Now
        })?;
        match Session::open_again(wire, handle, (server, &self.world.login), expectation, again).await {
            Ok(session) => {
                tracing::info!(tunnel = %id, server = %server.id, "a further session is open, for others than clients that are behind");
                Ok(session)
            }
            Err(error) => {
                let never = match &error {
                    OpenError::Login(error) => matches!(error, LoginError::Refused(_)),
                    OpenError::HostKey(_) => true,
                    _ => false,
                };
                tracing::warn!(tunnel = %id, server = %server.id, ?error, never, "no further session");
                Err(if never { NoLane::Ever } else { NoLane::Now })
            }
        }
    }

    /// A byte stream of its own to the server of a tunnel, inside the one below, whatever carries the tunnel itself.
    async fn lane_transport(
        &self,
        tunnel: &Tunnel,
        below: Option<Arc<Session>>,
    ) -> Result<(Wire, WireHandle), String> {
        let limit = tunnel.server.timeout.connect;
        if let Some(session) = below {
            let channel = session.dial(&Endpoint::Tcp(tunnel.target.clone()), None, limit).await;
            return channel.map(Wire::over_channel).map_err(|error| error.to_string());
        }
        let dialling = match &tunnel.carrier {
            Some(Carrier::Entry(entry)) => self.world.network.dial(&entry.host, &entry.dial),
            _ => self.world.network.dial(&tunnel.server.id, &tunnel.target),
        };
        let dialled = tokio::time::timeout(limit, dialling).await.map_err(|_| "timed out".to_owned())?;
        let wire = dialled.and_then(|dialled| Wire::over_dialled(dialled, patience(tunnel)));
        wire.map_err(|error| escape(&error.to_string()))
    }
}
