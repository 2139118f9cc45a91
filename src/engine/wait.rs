//! Waiting for a listener that another machine's hopper keeps: told once, tried again and again.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::error::Elapsed;

use super::Failure;
use super::act::{Opened, Scene};
use super::event::Event;
use crate::plan::{Tunnel, TunnelId};
use crate::ssh::{Dialled, Session};
use crate::topology::{ForwardId, HostId, escape};

/// Who waits: for a listener of another machine's hopper, or for the next try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiter {
    /// A tunnel.
    Tunnel(TunnelId),
    /// A forward.
    Forward(ForwardId),
}

/// Tells who waits for another machine's hopper.
pub(super) type Waits = Box<dyn Fn(&Waiter) + Send + Sync>;

/// Waits for a listener that another machine's hopper keeps.
pub(super) struct Wait<'s, F> {
    scene: &'s Scene,
    elsewhere: bool,
    what: Option<F>,
}

impl<F: FnOnce() -> (Waiter, String, HostId)> Wait<'_, F> {
    /// Whether to try again, once it is time to.
    pub async fn again(&mut self) -> bool {
        if !self.elsewhere {
            return false;
        }
        if let Some(what) = self.what.take() {
            let (who, listener, keeper) = what();
            (self.scene.waits)(&who);
            self.scene.tell(Event::Waiting { who, listener: escape(&listener), keeper });
        }
        tokio::time::sleep(AGAIN).await;
        true
    }
}

/// How long somebody else is given before their listener, or the port they have, is tried again.
pub(super) const AGAIN: Duration = Duration::from_millis(500);

impl Scene {
    /// How to wait for a listener of another machine's hopper, if it is one; `what` is told when it is not there.
    pub fn wait_for<'s, F>(&'s self, elsewhere: bool, what: F) -> Wait<'s, F>
    where
        F: FnOnce() -> (Waiter, String, HostId),
    {
        Wait { scene: self, elsewhere, what: Some(what) }
    }

    /// What is dialled for a tunnel whose server another machine's hopper lets in.
    pub fn kept(&self, tunnel: &Tunnel) -> (Waiter, String, HostId) {
        let below = tunnel.through.as_ref().and_then(|id| self.plan.tunnel(id));
        let dialler = below.map_or("here", |below| below.server.id.as_str());
        let keeper = tunnel.kept.as_ref().map_or_else(HostId::local, |kept| kept.at.clone());
        (Waiter::Tunnel(tunnel.id.clone()), format!("{} from {dialler}", tunnel.target), keeper)
    }

    /// Opens a session of our own. Where another machine's hopper lets it in, one that ends without a word is
    /// tried again: that hopper turns everybody away while it finds out who can connect to its listener.
    pub async fn open_when_kept(
        &self,
        tunnel: &Tunnel,
        below: Option<Arc<Session>>,
    ) -> Result<Opened, Failure> {
        let mut wait = self.wait_for(tunnel.kept.is_some(), || self.kept(tunnel));
        loop {
            match self.open_session(tunnel, below.clone()).await {
                Err(not) if not.silently && wait.again().await => {}
                opened => return opened.map_err(|not| not.failure),
            }
        }
    }

    /// Local dials a server. A listener that another machine's hopper keeps is waited for.
    ///
    /// # Errors
    /// When `limit` has passed without an answer.
    pub async fn dial_from_here(
        &self,
        tunnel: &Tunnel,
        limit: Duration,
    ) -> Result<io::Result<Dialled>, Elapsed> {
        let mut wait = self.wait_for(tunnel.kept.is_some(), || self.kept(tunnel));
        loop {
            let dialling = self.world.network.dial(&tunnel.server.id, &tunnel.target);
            match tokio::time::timeout(limit, dialling).await? {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && wait.again().await => {}
                dialled => return Ok(dialled),
            }
        }
    }
}
