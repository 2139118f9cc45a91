//! Proves one forward: its far end answers, and where another host listens for it, that host does so for those
//! who may connect. Decides nothing; what comes of it goes back to the driver.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::act::Scene;
use super::wait::Waiter;
use super::{Failure, blame};
use crate::forward::{self, CheckError, Dialer};
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
}
