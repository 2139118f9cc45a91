//! A running forward whose listener is on a session's server: a far end, and a splice, for each client
//! that comes there. The far end is dialled by local, or by the same or another session.
//!
//! Never takes a client before its far end is there: until then the server holds what it says.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::dialer::Dialer;
use super::meter::Meter;
use super::refusal::LastRefusal;
use super::relay::Terms;
use super::splice::Ending;
use super::visit::{self, Shares};
use crate::ssh::{Crowd, DialError, Incoming, ListenError, Listener, Session};

/// How many clients are served at a time: a server can bring them faster than anybody could connect
/// here. More wait at the listener, which refuses what is too much for it.
const CLIENTS: usize = 1024;

/// A served listener on a server.
pub struct RemoteRelay {
    address: String,
    port: u16,
    closing: CancellationToken,
    stop: CancellationToken,
    tasks: TaskTracker,
    accepting: JoinHandle<Result<Listener, ListenError>>,
    refusal: LastRefusal,
}

impl RemoteRelay {
    /// Starts to serve `listener`, which is one of `session`: each client gets a far end of its own from
    /// `dialer`.
    pub fn serve(
        listener: Listener,
        session: &Session,
        dialer: Dialer,
        meter: Arc<Meter>,
        terms: Terms,
    ) -> RemoteRelay {
        let (stop, tasks, refusal) = (CancellationToken::new(), TaskTracker::new(), LastRefusal::default());
        let (address, port) = (listener.address().to_owned(), listener.port());
        let (crowd, over) = (session.crowd(), session.ended());
        let service =
            Service { crowd, over, dialer, meter, terms, stop: stop.clone(), refusal: refusal.clone() };
        let closing = stop.child_token();
        let accepting = accept(listener, service, tasks.clone(), closing.clone());
        let accepting = tokio::spawn(accepting.in_current_span());
        RemoteRelay { address, port, closing, stop, tasks, accepting, refusal }
    }

    /// The address as the server was asked for it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The port at the server.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Why the last client that got no far end got none.
    pub fn refusal(&self) -> Option<DialError> {
        self.refusal.get()
    }

    /// Whether it no longer listens, since its session is lost.
    pub fn is_lost(&self) -> bool {
        self.accepting.is_finished()
    }

    /// Gives the listener back, gives the clients that are left up to `drain` to end by themselves, cuts them then,
    /// and waits until all are gone.
    ///
    /// # Errors
    /// What the server answered, or that it did not within `within`.
    pub async fn stop(mut self, within: Duration, drain: Duration) -> Result<(), ListenError> {
        self.closing.cancel();
        let given_back = match (&mut self.accepting).await.unwrap_or(Err(ListenError::SessionLost)) {
            Ok(listener) => listener.close(within).await,
            Err(error) => Err(error),
        };
        self.tasks.close();
        // Whoever is left is cut next.
        let _ = tokio::time::timeout(drain, self.tasks.wait()).await;
        self.stop.cancel();
        self.tasks.wait().await;
        given_back
    }
}

impl Drop for RemoteRelay {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[derive(Clone)]
struct Service {
    /// The streams of the session that clients come over.
    crowd: Crowd,
    /// Fires when that session has ended.
    over: CancellationToken,
    dialer: Dialer,
    meter: Arc<Meter>,
    terms: Terms,
    stop: CancellationToken,
    refusal: LastRefusal,
}

/// Serves until told to stop; then hands back the listener.
async fn accept(
    mut listener: Listener,
    service: Service,
    tasks: TaskTracker,
    closing: CancellationToken,
) -> Result<Listener, ListenError> {
    let places = Arc::new(Semaphore::new(CLIENTS));
    loop {
        let coming = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, incoming) = tokio::select! {
            (place, incoming) = coming => (place, incoming?),
            () = closing.cancelled() => return Ok(listener),
        };
        let service = service.clone();
        let span = tracing::debug_span!("client", from = ?incoming.originator());
        let serving = async move {
            serve(service, incoming).await;
            drop(place);
        };
        tasks.spawn(serving.instrument(span));
    }
}

async fn serve(service: Service, incoming: Incoming) {
    let Service { crowd, over, dialer, meter, terms, stop, refusal } = service;
    meter.accepted();
    let mut lane_over = CancellationToken::new();
    let served = async {
        match dialer.dial(incoming.originator(), terms.limit).await {
            Ok(far) => {
                lane_over = far.over();
                let shares = Shares::open(&terms.budget, crowd, far.crowd());
                Some(visit::receive(incoming.take().await, far, &meter, &shares).await)
            }
            Err(error) => {
                refusal.note(error);
                incoming.refuse().await;
                None
            }
        }
    };
    let ending = tokio::select! {
        ending = served => ending,
        () = stop.cancelled() => None,
    };
    tracing::debug!(?ending, "client gone");
    if ending == Some(Ending::Broken) && (over.is_cancelled() || lane_over.is_cancelled()) {
        meter.lost();
    }
    meter.ended();
}
