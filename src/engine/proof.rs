//! Proves one forward: its far end answers, and where another host listens for it, that host does so for those
//! who may connect. Decides nothing; what comes of it goes back to the driver.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::act::Scene;
use super::event::Waiter;
use super::{Failure, ListenAddress, blame};
use crate::forward::{self, CheckError, Dialer, Openness};
use crate::plan::PlannedForward;
use crate::ssh::{DialError, Listener, Session};
use crate::topology::HostId;

/// A forward that was proved.
pub(super) struct Proof {
    pub answer: Option<String>,
    pub elapsed: Duration,
    /// Its listener, where another host listens for it.
    pub listener: Option<Listener>,
}

impl Scene {
    /// Proves a forward's far end; then, where another host listens for it, has that host listen over this
    /// session: on `port`, where it did before.
    pub async fn prove(
        &self,
        forward: &PlannedForward,
        dialer: &Dialer,
        listens: Option<Arc<Session>>,
        port: Option<u16>,
    ) -> Result<Proof, Failure> {
        let started = Instant::now();
        let limit = self.limit_of(forward);
        // Local may only connect to a listener that another machine's hopper keeps.
        let keeper = forward.entry.as_ref().filter(|_| forward.via.is_none());
        let mut wait = self.wait_for(keeper.is_some(), || {
            let host = keeper.map_or_else(HostId::local, |entry| entry.host.clone());
            let listener = keeper.map(|entry| format!("{} from here", entry.dial)).unwrap_or_default();
            (Waiter::Forward(forward.forward.id.clone()), listener, host)
        });
        let answer = loop {
            match forward::prove(dialer, &forward.forward.check, limit).await {
                Err(CheckError::Dial(DialError::Failed(_))) if wait.again().await => {}
                Err(error) => return Err(blame::check(forward, &error)),
                Ok(answer) => break answer,
            }
        };
        let elapsed = started.elapsed();
        let listener = match (&forward.listener, listens) {
            (None, _) => None,
            (Some(_), None) => return Err(blame::own_fault()),
            (Some(_), Some(session)) => Some(self.listen_there(forward, &session, port).await?),
        };
        Ok(Proof { answer, elapsed, listener })
    }

    /// Proves the far end of a forward that is served.
    pub async fn verify(&self, forward: &PlannedForward, dialer: &Dialer) -> Result<(), Failure> {
        let limit = self.plan.probe.timeout.unwrap_or_else(|| self.limit_of(forward));
        let proved = forward::prove(dialer, &forward.forward.check, limit).await;
        proved.map(drop).map_err(|error| blame::check(forward, &error))
    }

    /// Has a host listen for a forward, and sees to it that it does so for those who may connect and no others.
    async fn listen_there(
        &self,
        forward: &PlannedForward,
        session: &Session,
        port: Option<u16>,
    ) -> Result<Listener, Failure> {
        let listen = forward.forward.listen;
        let limit = self.limit_of(forward);
        let listener = session.listen(&listen.address.to_string(), port.unwrap_or(listen.port), limit).await;
        let mut listener = listener.map_err(|error| blame::far_listen(forward, &error))?;
        let tunnel = forward.listener.as_ref().and_then(|listener| self.plan.tunnel(&listener.via));
        // An address of its own is what others would dial; else they know the host by its name.
        let own = match listen.address {
            any if any.is_unspecified() || any.is_loopback() => {
                tunnel.ok_or_else(blame::own_fault)?.server.address.host.clone()
            }
            one => one.to_string(),
        };
        let open = Openness::of(&mut listener, session, &own, limit).await;
        let wanted = !listen.address.is_loopback();
        tracing::debug!(forward = %forward.forward.id, ?open, wanted, "where the server listens");
        match open {
            Openness::Open if !wanted && !forward.forward.expose => Err(blame::bound_too_wide(forward)),
            Openness::Closed if wanted => Err(blame::bound_too_narrow(forward)),
            _ => Ok(listener),
        }
    }

    /// Where programs connect to a forward for which another host listens.
    pub fn listening(&self, forward: &PlannedForward, listener: &Listener) -> ListenAddress {
        let address = SocketAddr::new(forward.forward.listen.address, listener.port());
        ListenAddress { on: forward.listener.as_ref().map(|listener| listener.host.clone()), address }
    }
}
