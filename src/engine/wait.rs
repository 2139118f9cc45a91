//! Waiting for a listener that another machine's hopper keeps: told once, tried again and again. Knows nothing
//! of what is dialled.

use std::time::Duration;

use super::act::Scene;
use super::event::{Event, Waiter};
use crate::topology::{HostId, escape};

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
            self.scene.tell(Event::Waiting { who, listener: escape(&listener), keeper });
        }
        tokio::time::sleep(AGAIN).await;
        true
    }
}

/// How long somebody else is given before their listener is tried again.
const AGAIN: Duration = Duration::from_millis(500);

impl Scene {
    /// How to wait for a listener of another machine's hopper, if it is one; `what` is told when it is not there.
    pub fn wait_for<'s, F>(&'s self, elsewhere: bool, what: F) -> Wait<'s, F>
    where
        F: FnOnce() -> (Waiter, String, HostId),
    {
        Wait { scene: self, elsewhere, what: Some(what) }
    }
}
