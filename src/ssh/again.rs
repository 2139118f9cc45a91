//! Another session to a server that let us in before: with the key that it showed, and what it took. Asks nobody
//! anything, and tries nothing that could be refused.

use super::expectation::{Expectation, Trusted};
use super::handshake::Opening;
use super::login::{LoggedIn, Login};
use super::open_error::OpenError;
use super::session::Session;
use super::wire::{Wire, WireHandle};
use crate::topology::Host;

/// How a session was opened, to open another to the same server without a person: it shows the same key, and
/// takes what it took.
#[derive(Clone)]
pub struct Again {
    accepted: Vec<String>,
    shown: Trusted,
}

impl Again {
    /// As it was opened: what was taken, and the key that was shown.
    pub(super) fn new(logged_in: &LoggedIn, shown: Trusted) -> Self {
        Again { accepted: logged_in.accepted.clone(), shown }
    }

    /// What the server took, as a login notes it.
    pub(super) fn accepted(&self) -> &[String] {
        &self.accepted
    }
}

impl Session {
    /// How to open another one like it; `None` where that takes a person.
    pub fn again(&self) -> Option<Again> {
        self.again.clone()
    }

    /// Opens another session like the one that `again` is of, over a wire of its own. Asks nobody anything, and
    /// offers nothing but what was taken then. The host must meet `expectation`, read
    /// now, and show the key that it showed then, unless an authority certified that. Dropping the future cuts the wire.
    ///
    /// # Errors
    /// What stood in the way.
    pub async fn open_again(
        wire: Wire,
        below: WireHandle,
        (host, login): (&Host, &Login),
        expectation: Expectation,
        again: &Again,
    ) -> Result<Self, OpenError> {
        let expectation = expectation.again(&again.shown);
        let opening = Opening { host, expectation, login, banner: host.timeout.banner, on_step: &|_| {} };
        Self::log_in(wire, below, opening, Some(again)).await
    }
}
