//! A session: one SSH connection, logged in, over any byte stream. Knows its own life and death;
//! knows nothing of the sessions below or above it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use russh::Disconnect;
use russh::client::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::again::Again;
use super::channel::Channels;
use super::crowd::Crowd;
use super::gatekeeper::Gatekeeper;
use super::handshake::{Met, Opening};
use super::lending::Lending;
use super::listening::Listening;
use super::login::LoggedIn;
use super::notes::Notes;
use super::nudge::Nudge;
use super::open_error::{OpenError, Step, login_error};
use super::rotation::Rotation;
use super::watchdog;
use super::wire::{Wire, WireHandle};

/// A live session. Ends when dropped, closed, or lost.
pub struct Session {
    handle: Arc<Handle<Gatekeeper>>,
    wire: WireHandle,
    notes: Arc<Notes>,
    crowd: Crowd,
    listening: Listening,
    lending: Lending,
    logged_in: LoggedIn,
    pub(super) again: Option<Again>,
    /// How long its server is silent at most.
    silence: Option<Duration>,
}

/// Why a question to the server has no answer.
pub(super) enum Unanswered {
    TimedOut,
    SessionLost,
}

impl Session {
    /// The machine that local dialled for it over a real network; `None` where it rides something else.
    pub fn peer(&self) -> Option<IpAddr> {
        self.wire.peer
    }

    /// How long its server may be silent before it counts as gone: `interval` × (`max` + 1) of its keepalive, and a
    /// second; `None` where nobody looks.
    pub fn silence(&self) -> Option<Duration> {
        self.silence
    }

    /// Opens a session over a wire: version, keys, judgement of the host key, login; each with its
    /// own deadline. Dropping the future cuts the wire.
    ///
    /// # Errors
    /// What stood in the way.
    pub async fn open(wire: Wire, below: WireHandle, opening: Opening<'_>) -> Result<Self, OpenError> {
        Self::log_in(wire, below, opening, None).await
    }

    /// As for [`Session::open`]; with `again`, like an earlier session and without a person.
    pub(super) async fn log_in(
        wire: Wire,
        below: WireHandle,
        opening: Opening<'_>,
        again: Option<&Again>,
    ) -> Result<Self, OpenError> {
        let (host, login, on_step) = (opening.host, opening.login, opening.on_step);
        let expectation = opening.expectation.clone();
        let Met { mut handle, notes, listening, lending, guard } =
            Met::shake_hands(wire, &below, opening).await?;
        on_step(Step::Login);
        let taken = again.map(Again::accepted);
        let logged_in = match login.run(&mut handle, host, host.timeout.login, taken).await {
            Ok(logged_in) => logged_in,
            Err(error) => {
                // Tells the server why, so that its log does not blame the network.
                let goodbye = async {
                    say_goodbye(&handle).await;
                    below.ended.cancelled().await;
                };
                let _ = tokio::time::timeout(Duration::from_millis(200), goodbye).await;
                return Err(OpenError::Login(login_error(error, &notes)));
            }
        };
        guard.disarm();
        let (handle, crowd) = (Arc::new(handle), Crowd::default());
        let (wire, watched, watcher) = (below.clone(), crowd.clone(), notes.clone());
        let keepalive = host.keepalive;
        tokio::spawn(async move { watchdog::watch(wire, watched, &watcher, keepalive).await });
        let shown = expectation.trusted();
        let (wire, followed) = (below.clone(), notes.clone());
        let rotation = Rotation { handle: Arc::downgrade(&handle), notes: followed, wire, expectation };
        tokio::spawn(rotation.follow());
        let again = logged_in.unattended.then(|| Again::new(&logged_in, shown));
        let silence = watchdog::limit(keepalive);
        Ok(Session { handle, wire: below, notes, crowd, listening, lending, logged_in, again, silence })
    }

    /// Goes as far as the server's key, says nothing about the person, and leaves.
    ///
    /// # Errors
    /// What stood in the way.
    pub async fn look(wire: Wire, below: WireHandle, opening: Opening<'_>) -> Result<(), OpenError> {
        let met = Met::shake_hands(wire, &below, opening).await?;
        let goodbye = async {
            say_goodbye(&met.handle).await;
            below.ended.cancelled().await;
        };
        let _ = tokio::time::timeout(Duration::from_millis(200), goodbye).await;
        Ok(())
    }

    /// Asks the server something, in a task of its own: were the caller's future dropped while waiting,
    /// what the server opens late would stay open at both ends, and a late refusal would leave its
    /// words to somebody else. What comes too late is dropped, and must close itself then.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        within: Duration,
        asking: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Unanswered> {
        let (answer, answered) = oneshot::channel();
        let ended = self.wire.ended.clone();
        tokio::spawn(async move {
            tokio::select! {
                biased;
                given = asking => drop(answer.send(given)),
                () = ended.cancelled() => {}
            }
        });
        match tokio::time::timeout(within, answered).await {
            Err(_) => Err(Unanswered::TimedOut),
            Ok(given) => given.map_err(|_| Unanswered::SessionLost),
        }
    }

    pub(super) fn handle(&self) -> Arc<Handle<Gatekeeper>> {
        self.handle.clone()
    }

    pub(super) fn notes(&self) -> Arc<Notes> {
        self.notes.clone()
    }

    pub(super) fn listening(&self) -> Listening {
        self.listening.clone()
    }

    pub(super) fn lending(&self) -> Lending {
        self.lending.clone()
    }

    pub(super) fn channels(&self) -> Channels {
        Channels::new(self.crowd(), self.nudge(), self.wire.clone())
    }

    /// Speaks up without waiting: a request that the server does not know, and says so (RFC 4254,
    /// section 4). It must ask for an answer: russh expects one to every request.
    fn nudge(&self) -> Nudge {
        let handle = Arc::downgrade(&self.handle);
        Nudge::new(move || {
            if let Some(handle) = handle.upgrade() {
                // Fails only when the session is gone, which every writer notices by itself.
                tokio::spawn(async move { drop(handle.send_keepalive(true).await) });
            }
        })
    }

    /// The streams it carries.
    pub fn crowd(&self) -> Crowd {
        self.crowd.clone()
    }

    /// The time until the server answers a probe, through every layer below.
    ///
    /// `None` when it did not answer within the limit.
    pub async fn ping(&self, limit: Duration) -> Option<Duration> {
        let start = Instant::now();
        let answered = tokio::select! {
            pong = tokio::time::timeout(limit, self.handle.send_ping()) => matches!(pong, Ok(Ok(()))),
            () = self.wire.ended.cancelled() => false,
        };
        // A ping also returns when the session dies while it waits.
        (answered && !self.is_over()).then(|| start.elapsed())
    }

    /// Whether it is alive: it answers a probe within the limit, or one of our own clients holds it up, whose fault
    /// its silence is.
    pub async fn is_alive(&self, limit: Duration) -> bool {
        let held_up = || self.crowd.is_held_up() && !self.is_over();
        held_up() || self.ping(limit).await.is_some() || held_up()
    }

    /// What the server took at login, and the algorithms: `curve25519-sha256 · aes256-gcm@openssh.com · agent …`.
    pub fn detail(&self) -> String {
        let algorithms = self.notes.algorithms().unwrap_or_default();
        format!("{algorithms} · {}", self.logged_in.accepted.join(" + "))
    }

    /// Whether its server has been silent for longer than one that lives is: nothing proves any more that it is there. What
    /// waits for a slow client hears of nobody, and proves nothing by that.
    pub fn is_overdue(&self) -> bool {
        let overdue = self.silence.is_some_and(|limit| self.wire.gauge.silence() > limit);
        overdue && !self.crowd.is_held_up()
    }

    /// Whether the session has ended.
    pub fn is_over(&self) -> bool {
        self.wire.ended.is_cancelled()
    }

    /// Fires when the session has ended, for whatever reason.
    pub fn ended(&self) -> CancellationToken {
        self.wire.ended.clone()
    }

    /// Why it ended, as far as it is known.
    pub fn ending(&self) -> String {
        self.notes.ending().unwrap_or_else(|| "the connection was closed".to_owned())
    }

    /// Whether it ended because hopper found something wrong with it: silence, or a key that it could not prove.
    pub fn was_ended_here(&self) -> bool {
        self.notes.was_ended_here()
    }

    /// Ends the session: says goodbye, waits up to `patience` for it to go, then cuts it.
    pub async fn close(&self, patience: Duration) {
        let goodbye = async {
            say_goodbye(&self.handle).await;
            self.wire.ended.cancelled().await;
        };
        if tokio::time::timeout(patience, goodbye).await.is_err() {
            self.wire.cut.cancel();
            // A cut wire ends its session at once; the limit only keeps a mistake from hanging the end.
            let _ = tokio::time::timeout(Duration::from_secs(5), self.wire.ended.cancelled()).await;
        }
    }

    /// Ends the session at once.
    pub fn cut(&self) {
        self.wire.cut.cancel();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.wire.cut.cancel();
    }
}

async fn say_goodbye(handle: &Handle<Gatekeeper>) {
    // Fails only when the session is gone already.
    let _ = handle.disconnect(Disconnect::ByApplication, "", "").await;
}
