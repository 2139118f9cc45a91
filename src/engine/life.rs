//! What is alive of a tunnel and of a forward: the things that must be gone after a run.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::far_client::FarClient;
use super::ground::Live;
use super::way::Way;
use crate::forward::{Bound, Lanes, Meter, Relay, RemoteRelay};
use crate::ssh::{ListenError, Session};

/// What is alive of a tunnel.
#[derive(Default)]
pub(super) struct TunnelLife {
    /// How often it was opened: what was found out about an earlier one says nothing about this one.
    pub generation: u64,
    /// The task that opens it.
    pub opening: Option<Work>,
    /// Its session, once logged in.
    pub session: Option<Arc<Session>>,
    /// That session, and others beside it.
    pub lanes: Option<Lanes>,
    /// Its client on another host, once that listens.
    pub client: Option<Arc<FarClient>>,
    /// The listener it was opened through, for a `port` carrier.
    pub carrier: Option<Relay>,
    /// How long nobody had used it when it ended by itself, if nobody did.
    pub unused: Option<Duration>,
    /// The way to the machine that local dialled for it, also while it is away.
    pub way: Option<Way>,
}

impl TunnelLife {
    /// Takes out what is alive, to be ended.
    pub fn end(&mut self) -> TunnelLife {
        let (generation, way) = (self.generation, self.way.clone());
        std::mem::replace(self, TunnelLife { generation, way, ..TunnelLife::default() })
    }

    /// Notes whether its server ended it because nobody used it, as it seems, in the moment in which it ended.
    pub fn note_end(&mut self) {
        let ended_there = self.session.as_ref().filter(|session| !session.was_ended_here());
        self.unused = ended_there.filter(|_| !self.has_used_lanes()).and_then(|it| it.crowd().unused_for());
    }

    /// Whether somebody uses a session beside its own.
    pub fn has_used_lanes(&self) -> bool {
        self.lanes.as_ref().is_some_and(Lanes::are_used)
    }

    /// What there is of it, once it is open.
    pub fn live(&self) -> Option<Live> {
        let session = self.session.clone().map(Live::Session);
        session.or_else(|| self.client.clone().map(Live::Client))
    }

    /// Keeps what was opened.
    pub fn take(&mut self, live: Live) {
        match live {
            Live::Session(session) => {
                self.way = session.peer().map(Way::to);
                self.session = Some(session);
            }
            Live::Client(client) => self.client = Some(client),
        }
    }
}

/// What is alive of a forward.
#[derive(Default)]
pub(super) struct ForwardLife {
    /// Counts for as long as the run lives.
    pub meter: Arc<Meter>,
    /// How often it was proved, like the generation of a tunnel.
    pub generation: u64,
    /// Its listener, before it is served for the first time.
    pub bound: Option<Bound>,
    /// The task that proves it.
    pub proving: Option<Work>,
    /// The task that waits for somebody to come, while it rests.
    pub resting: Option<AbortOnDropHandle<()>>,
    /// Its listener, being served, or with nobody to dial for a while.
    pub served: Option<Served>,
    /// The port of its listener on another host, to be asked for again.
    pub port: Option<u16>,
    /// How many cut streams were told of so far.
    pub told_lost: u64,
}

/// A listener that is being served.
pub(super) enum Served {
    /// On this machine. Its listener stays bound while what it dials through is rebuilt.
    Here(Arc<Relay>),
    /// On another host.
    There(RemoteRelay),
}

impl Served {
    /// Stops listening, gives the clients that are left up to `drain` to end by themselves, cuts them then, and
    /// waits until all are gone. Another host is waited for up to `within`.
    pub async fn stop(self, within: Duration, drain: Duration) {
        match self {
            Served::Here(relay) => relay.stop(drain).await,
            Served::There(relay) => match relay.stop(within, drain).await {
                // With its session the listener is gone as well.
                Ok(()) | Err(ListenError::SessionLost) => {}
                Err(error) => tracing::warn!(%error, "a listener on another host was not given back"),
            },
        }
    }
}

/// A task that can be called off.
pub(super) struct Work {
    call_off: CancellationToken,
    task: JoinHandle<()>,
}

impl Work {
    /// Starts a task.
    pub fn start(task: impl Future<Output = ()> + Send + 'static) -> Work {
        let call_off = CancellationToken::new();
        let called_off = call_off.clone();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = task => {}
                () = called_off.cancelled() => {}
            }
        });
        Work { call_off, task }
    }

    /// Calls the task off and waits until nothing of it is left.
    pub async fn call_off(self) {
        self.call_off.cancel();
        // Fails only when the task panicked, and its promise was kept all the same.
        let _ = self.task.await;
    }
}

/// The promise that a task makes to the driver: it reports in any case, even when it panics or is
/// called off. A task that never reported would leave the run waiting for ever.
pub(super) struct Promise<R> {
    reports: UnboundedSender<R>,
    otherwise: Option<R>,
}

impl<R> Promise<R> {
    /// Promises a report; `otherwise` is sent when the task ends without one.
    pub fn new(reports: &UnboundedSender<R>, otherwise: R) -> Self {
        Promise { reports: reports.clone(), otherwise: Some(otherwise) }
    }

    /// Reports.
    pub fn keep(mut self, report: R) {
        self.otherwise = Some(report);
    }
}

impl<R> Drop for Promise<R> {
    fn drop(&mut self) {
        if let Some(report) = self.otherwise.take() {
            // The driver is gone: nobody waits any more.
            drop(self.reports.send(report));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_or_is_called_off_reports_all_the_same() {
        let (reports, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let promise = Promise::new(&reports, "otherwise");
        let panics = Work::start(async move {
            let _promise = promise;
            panic!("as the test wants it");
        });
        assert_eq!(heard.recv().await, Some("otherwise"));
        panics.call_off().await;
        let promise = Promise::new(&reports, "called off");
        let waits = Work::start(async move {
            let _promise = promise;
            std::future::pending().await
        });
        waits.call_off().await;
        assert_eq!(heard.recv().await, Some("called off"));
        Promise::new(&reports, "otherwise").keep("kept");
        assert_eq!(heard.recv().await, Some("kept"));
    }
}
