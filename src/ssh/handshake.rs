//! The beginning of a session: version, key exchange, and the judgement of the host key. Up to here the server
//! has heard nothing about the person.

use std::sync::{Arc, Once};
use std::time::Duration;

use russh::client::{Handle, connect_stream};
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;

use super::channel::ceiling;
use super::config::client_config;
use super::expectation::Expectation;
use super::gatekeeper::Gatekeeper;
use super::lending::Lending;
use super::listening::Listening;
use super::login::Login;
use super::notes::Notes;
use super::open_error::{OpenError, Step, handshake_error};
use super::wire::{Wire, WireHandle};
use crate::topology::Host;

/// What is needed to open a session.
pub struct Opening<'a> {
    /// Whom to log in to, and how patiently.
    pub host: &'a Host,
    /// The key it must show.
    pub expectation: Expectation,
    /// What to log in with.
    pub login: &'a Login,
    /// How long the version exchange and the key exchange may take together.
    pub banner: Duration,
    /// Told at the beginning of each step.
    pub on_step: &'a (dyn Fn(Step) + Send + Sync),
}

/// A server whose key is the right one.
pub(super) struct Met {
    pub handle: Handle<Gatekeeper>,
    pub notes: Arc<Notes>,
    pub listening: Listening,
    pub lending: Lending,
    /// Cuts the wire when it is dropped.
    pub guard: DropGuard,
}

impl Met {
    /// Version, keys, and the judgement of the host key, under one deadline, which stands still while a person is
    /// asked. Dropping the future cuts the wire.
    pub async fn shake_hands(wire: Wire, below: &WireHandle, opening: Opening<'_>) -> Result<Met, OpenError> {
        let Opening { host, expectation, login, banner, on_step } = opening;
        let guard = below.cut.clone().drop_guard();
        let notes = Arc::new(Notes::default());
        let config = client_config(&expectation, &host.algorithms, host.keepalive);
        below.gauge.set_ceiling(ceiling(0));
        let listening = Listening::default();
        let (newcomers, mut unsettled) = mpsc::channel(1);
        let lending = Lending::default();
        let gatekeeper = Gatekeeper {
            expectation,
            notes: notes.clone(),
            listening: listening.clone(),
            lending: lending.clone(),
            newcomers,
        };

        on_step(Step::Banner);
        let keys = Once::new();
        let handshake = connect_stream(Arc::new(config), wire, gatekeeper);
        let heard = async {
            below.gauge.first_words().await;
            keys.call_once(|| on_step(Step::Keys));
            std::future::pending::<()>().await;
        };
        let settling = async {
            while let Some(newcomer) = unsettled.recv().await {
                newcomer.settle(host.id.as_str(), login).await;
            }
            std::future::pending::<()>().await;
        };
        let connected = tokio::select! {
            connected = login.within(banner, handshake) => connected,
            () = heard => unreachable!("waits for ever"),
            () = settling => unreachable!("waits for ever"),
        };
        let step = if below.gauge.heard() { Step::Keys } else { Step::Banner };
        if step == Step::Keys {
            // A quick server has its first word and its last one here before anybody looks.
            keys.call_once(|| on_step(Step::Keys));
        }
        let handle = match connected {
            None => return Err(OpenError::TimedOut(step)),
            Some(Err(error)) => return Err(handshake_error(step, &error, &notes, &below.gauge.greeting())),
            Some(Ok(handle)) => handle,
        };
        Ok(Met { handle, notes, listening, lending, guard })
    }
}
