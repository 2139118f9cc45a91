//! A running forward: a local listener, and a splice for each client.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::budget::{Budget, Overrun};
use super::dialer::Dialer;
use super::meter::Meter;
use super::refusal::LastRefusal;
use super::splice::{Ending, splice};
use crate::ssh::{DialError, socket};
use crate::topology::Listen;

/// A listener that is bound and not served yet: clients that connect wait.
pub struct Bound {
    listener: TcpListener,
    local: SocketAddr,
}

/// A served listener.
pub struct Relay {
    local: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
    refusal: LastRefusal,
}

impl Bound {
    /// Binds a listener.
    ///
    /// # Errors
    /// As the operating system reports them; `AddrInUse` above all.
    pub async fn bind(listen: Listen) -> io::Result<Self> {
        let listener = TcpListener::bind(listen.socket_addr()).await?;
        let local = listener.local_addr()?;
        Ok(Bound { listener, local })
    }

    /// Where it listens, with the port the system chose for `auto`.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Starts to serve: each client gets a far end of its own from `dialer`, within `limit`.
    pub fn serve(self, dialer: Dialer, meter: Arc<Meter>, terms: Terms) -> Relay {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let refusal = LastRefusal::default();
        let relay =
            Relay { local: self.local, stop: stop.clone(), tasks: tasks.clone(), refusal: refusal.clone() };
        let service = Service { dialer, meter, terms, stop, refusal };
        let accepting = accept(self.listener, service, tasks.clone());
        tasks.spawn(accepting.in_current_span());
        relay
    }
}

/// On what terms clients are served.
#[derive(Clone)]
pub struct Terms {
    /// How long opening a far end may take.
    pub limit: Duration,
    /// The memory all streams share.
    pub budget: Budget,
    /// What happens to a client that is too slow.
    pub overrun: Overrun,
}

impl Relay {
    /// Where it listens.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Why the last client that got no far end got none.
    pub fn refusal(&self) -> Option<DialError> {
        self.refusal.get()
    }

    /// Stops listening, resets the clients that are left, and waits until all are gone.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[derive(Clone)]
struct Service {
    dialer: Dialer,
    meter: Arc<Meter>,
    terms: Terms,
    stop: CancellationToken,
    refusal: LastRefusal,
}

async fn accept(listener: TcpListener, service: Service, tasks: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = service.stop.cancelled() => return,
        };
        match accepted {
            Ok((client, from)) => {
                let service = service.clone();
                let span = tracing::debug_span!("client", %from);
                tasks.spawn(serve(service, client, from).instrument(span));
            }
            // The client gave up, or descriptors ran out: a pause lets some come free, and keeps this
            // loop from spinning.
            Err(error) => {
                tracing::warn!(%error, "could not accept a client");
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(100)) => {}
                    () = service.stop.cancelled() => return,
                }
            }
        }
    }
}

async fn serve(service: Service, mut client: TcpStream, from: SocketAddr) {
    let Service { dialer, meter, terms, stop, refusal } = service;
    meter.accepted();
    let served = async {
        socket::prepare(&client).ok()?;
        let far = match dialer.dial(Some(from), terms.limit).await {
            Ok(far) => far,
            Err(error) => {
                refusal.note(error);
                return None;
            }
        };
        let held = terms.budget.open(terms.overrun, dialer.crowd());
        Some(splice(&mut client, far, &meter, &held).await)
    };
    let ending = tokio::select! {
        ending = served => ending.unwrap_or(Ending::Broken),
        () = stop.cancelled() => Ending::Broken,
    };
    tracing::debug!(?ending, "client gone");
    if ending != Ending::Whole {
        socket::reset_on_close(&client);
    }
    meter.ended();
}
