//! A running forward: a local listener, and a splice for each client.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::budget::Budget;
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
    closing: CancellationToken,
    stop: CancellationToken,
    tasks: TaskTracker,
    refusal: LastRefusal,
    door: watch::Sender<Option<Opening>>,
    waiters: watch::Sender<usize>,
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

    /// Starts to serve: each client gets a far end of its own from `dialer`, within `limit`. While there is
    /// nobody to dial, a client waits up to `hold` and is reset then.
    pub fn serve(self, dialer: Dialer, meter: Arc<Meter>, terms: Terms, hold: Duration) -> Relay {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let closing = stop.child_token();
        let refusal = LastRefusal::default();
        let (door, entrance) = watch::channel(Some(Opening::new(dialer)));
        let waiters = watch::Sender::new(0);
        let (stops, refusals, waits) = (stop.clone(), refusal.clone(), waiters.clone());
        let service =
            Service { entrance, hold, meter, terms, stop: stops, refusal: refusals, waiters: waits };
        let accepting = accept(self.listener, service, tasks.clone(), closing.clone());
        tasks.spawn(accepting.in_current_span());
        Relay { local: self.local, closing, stop, tasks, refusal, door, waiters }
    }
}

/// On what terms clients are served.
#[derive(Clone)]
pub struct Terms {
    /// How long opening a far end may take.
    pub limit: Duration,
    /// The memory all streams share.
    pub budget: Budget,
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

    /// Goes on listening with nobody to dial: resets the clients that are left, and waits until their streams
    /// are gone. Those who connect from now on wait.
    pub async fn suspend(&self) {
        if let Some(opening) = self.door.send_replace(None) {
            opening.shut().await;
        }
    }

    /// Resolves when a client waits for somebody who dials; `false` when none ever will.
    pub fn wanted(&self) -> impl Future<Output = bool> + Send + use<> {
        let mut waiters = self.waiters.subscribe();
        async move { waiters.wait_for(|&waiting| waiting > 0).await.is_ok() }
    }

    /// Dials by this one from now on, also for those who wait. To be called after [`Relay::suspend`].
    pub fn resume(&self, dialer: Dialer) {
        self.door.send_replace(Some(Opening::new(dialer)));
    }

    /// Stops listening, gives the clients that are left up to `drain` to end by themselves, resets them then, and
    /// waits until all are gone.
    pub async fn stop(&self, drain: Duration) {
        self.closing.cancel();
        self.tasks.close();
        // Whoever is left is reset next.
        let _ = tokio::time::timeout(drain, self.tasks.wait()).await;
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Who dials for now.
#[derive(Clone)]
struct Opening {
    dialer: Dialer,
    cut: CancellationToken,
    streams: TaskTracker,
}

impl Opening {
    fn new(dialer: Dialer) -> Self {
        Opening { dialer, cut: CancellationToken::new(), streams: TaskTracker::new() }
    }

    /// Cuts every stream that it opened, and waits until they are gone.
    async fn shut(self) {
        self.cut.cancel();
        self.streams.close();
        self.streams.wait().await;
    }
}

#[derive(Clone)]
struct Service {
    entrance: watch::Receiver<Option<Opening>>,
    hold: Duration,
    meter: Arc<Meter>,
    terms: Terms,
    stop: CancellationToken,
    refusal: LastRefusal,
    waiters: watch::Sender<usize>,
}

/// A client that waits, until dropped.
struct Waits(watch::Sender<usize>);

impl Waits {
    fn among(waiters: &watch::Sender<usize>) -> Waits {
        waiters.send_modify(|waiting| *waiting += 1);
        Waits(waiters.clone())
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

async fn accept(listener: TcpListener, service: Service, tasks: TaskTracker, closing: CancellationToken) {
    let mut short = false;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = closing.cancelled() => return,
        };
        match accepted {
            Ok((client, from)) => {
                short = false;
                let service = service.clone();
                let span = tracing::debug_span!("client", %from);
                tasks.spawn(serve(service, client, from).instrument(span));
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            // Descriptors ran out: a pause lets some come free, and keeps this loop from spinning. Who connects
            // waits meanwhile.
            Err(error) => {
                if !std::mem::replace(&mut short, true) {
                    tracing::warn!(%error, "cannot accept clients");
                }
                tokio::select! {
                    () = tokio::time::sleep(socket::SHORTAGE) => {}
                    () = closing.cancelled() => return,
                }
            }
        }
    }
}

async fn serve(service: Service, mut client: TcpStream, from: SocketAddr) {
    service.meter.accepted();
    // From the start: when this process is killed, the system closes the socket, and that must not look whole.
    socket::reset_on_close(&client);
    let ending = tokio::select! {
        ending = service.clone().join(&mut client, from) => ending.unwrap_or(Ending::Broken),
        () = service.stop.cancelled() => Ending::Broken,
    };
    tracing::debug!(?ending, "client gone");
    if ending == Ending::Whole {
        socket::end_on_close(&client);
    }
    service.meter.ended();
}

impl Service {
    /// Gives a client a far end and joins the two. A far end that is lost before it is there is waited for
    /// like one that never was.
    async fn join(mut self, client: &mut TcpStream, from: SocketAddr) -> Option<Ending> {
        socket::prepare(client).ok()?;
        let give_up_at = Instant::now() + self.hold;
        loop {
            let opening = self.opening(give_up_at).await?;
            let _counted = opening.streams.token();
            let Opening { dialer, cut, .. } = &opening;
            let dialled = tokio::select! {
                dialled = dialer.dial(Some(from), self.terms.limit) => dialled,
                () = cut.cancelled() => Err(DialError::SessionLost),
            };
            let far = match dialled {
                Ok(far) => far,
                Err(DialError::SessionLost) => continue,
                Err(error) => {
                    self.refusal.note(error);
                    return None;
                }
            };
            let (held, over) = (self.terms.budget.open(far.crowd()), far.over());
            let ending = tokio::select! {
                ending = splice(client, far, &self.meter, &held) => ending,
                () = cut.cancelled() => Ending::Broken,
            };
            if ending == Ending::Broken && (cut.is_cancelled() || over.is_cancelled()) {
                self.meter.lost();
            }
            return Some(ending);
        }
    }

    /// Somebody who can dial; `None` when nobody could until then.
    async fn opening(&mut self, give_up_at: Instant) -> Option<Opening> {
        let can_dial = |opening: &Option<Opening>| {
            opening.as_ref().is_some_and(|it| !it.cut.is_cancelled() && !it.dialer.is_over())
        };
        // From the start: who dials may be gone in the very next moment.
        let _waits = Waits::among(&self.waiters);
        let waiting = self.entrance.wait_for(can_dial);
        let opening = tokio::time::timeout_at(give_up_at, waiting).await.ok()?.ok()?;
        opening.clone()
    }
}
