//! How much may wait in memory for slow clients. An SSH session delivers to all its streams or to
//! none, so bytes for a slow client are set aside here. Where a session has nobody left who would miss
//! anything, it waits; a stream is cut only where others would have to wait for it and memory is used up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::ssh::{Crowd, Mark, WINDOW};

/// The most that one stream may set aside before its session is asked to wait, in bytes.
const STREAM: usize = 16 << 20;
/// What all streams of the process may set aside together, in bytes.
const TOTAL: usize = 256 << 20;
/// However many streams there are, no session is asked to wait before one of its streams holds this, in bytes.
const LEAST: usize = 256 << 10;
/// From this on a client counts as behind, in bytes. No stream that holds less is cut.
const BEHIND: usize = 1 << 20;
/// A client that waits so long to send, and reads nothing meanwhile, may read nothing before it has sent.
const UNREAD: Duration = Duration::from_secs(1);
/// A stream may take this part of what is left, so that something is left for whoever comes next.
const PART: usize = 8;

/// What all streams of a run set aside together.
#[derive(Clone, Default)]
pub struct Budget(Arc<Pool>);

#[derive(Default)]
struct Pool {
    total: AtomicUsize,
    /// How many streams have something set aside.
    fed: AtomicUsize,
    /// The shares of clients that are behind, by number.
    behind: Mutex<BTreeMap<u64, Share>>,
    numbers: AtomicU64,
}

/// What one stream has set aside, and the order to cut it.
#[derive(Clone, Default)]
struct Share {
    own: Arc<AtomicUsize>,
    cut: CancellationToken,
}

/// Which sessions may wait for a stream.
enum Patience {
    /// The stream's, as long as no other stream on it would miss anything.
    Client,
    /// One of the two that the stream joins, as long as it is alone there; held while that waits.
    Between(Arc<tokio::sync::Mutex<()>>),
}

/// One stream's place in the budget. Gives everything back when dropped.
pub(super) struct Held {
    pool: Budget,
    number: u64,
    share: Share,
    shrunk: Notify,
    crowd: Crowd,
    patience: Patience,
    marks: Mutex<Marks>,
}

#[derive(Default)]
struct Marks {
    /// Whether the client waits to send, and takes nothing meanwhile: to send, it needs its session.
    waits: bool,
    fed: bool,
    told: Option<Mark>,
    behind: Option<Mark>,
}

/// The stream must be cut.
#[derive(Debug)]
pub(super) struct OverBudget;

/// What one stream may set aside before its session is asked to wait, when all together have set aside `total`
/// and so many streams have something set aside: each of those has up to a window more on its way.
fn limit(total: usize, fed: usize) -> usize {
    let used = total.saturating_add(fed.saturating_mul(WINDOW as usize));
    (TOTAL.saturating_sub(used) / PART).clamp(LEAST, STREAM)
}

impl Budget {
    /// A stream's place. `crowd` are the streams of its session.
    pub(super) fn open(&self, crowd: Crowd) -> Held {
        self.open_with(crowd, Patience::Client)
    }

    /// The places of a stream between two sessions, one for each direction. Only one of the sessions
    /// waits at a time: one that waits hears of no windows either, and so each could wait for the other.
    pub(super) fn open_between(&self, sessions: [Crowd; 2]) -> [Held; 2] {
        let turn = Arc::default();
        sessions.map(|crowd| self.open_with(crowd, Patience::Between(Arc::clone(&turn))))
    }

    fn open_with(&self, crowd: Crowd, patience: Patience) -> Held {
        let number = self.0.numbers.fetch_add(1, Ordering::Relaxed);
        let (share, shrunk, marks) = (Share::default(), Notify::new(), Mutex::default());
        Held { pool: self.clone(), number, share, shrunk, crowd, patience, marks }
    }

    fn behind(&self) -> MutexGuard<'_, BTreeMap<u64, Share>> {
        self.0.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn total(&self) -> usize {
        self.0.total.load(Ordering::Relaxed)
    }

    /// Has the greediest stream cut, one at a time: what it held must be free before the next one has to go.
    fn cut_greediest(&self) {
        let behind = self.behind();
        if behind.values().any(|share| share.cut.is_cancelled()) {
            return;
        }
        if let Some(greediest) = behind.values().max_by_key(|share| share.own.load(Ordering::Relaxed)) {
            greediest.cut.cancel();
        }
    }
}

impl Held {
    /// Counts bytes that were set aside, and waits while there are too many and nobody else minds.
    pub(super) async fn add(&self, bytes: usize) -> Result<(), OverBudget> {
        self.share.own.fetch_add(bytes, Ordering::Relaxed);
        self.pool.0.total.fetch_add(bytes, Ordering::Relaxed);
        self.mark();
        if self.own() > self.limit() {
            match &self.patience {
                Patience::Client => self.until_taken(|| !self.crowd.is_hungry()).await,
                Patience::Between(turn) => {
                    if let Ok(_turn) = turn.try_lock() {
                        self.until_taken(|| self.crowd.is_alone()).await;
                    }
                }
            }
        }
        if self.pool.total() > TOTAL && self.own() > BEHIND {
            self.pool.cut_greediest();
        }
        if self.share.cut.is_cancelled() { Err(OverBudget) } else { Ok(()) }
    }

    /// Counts bytes that reached the client.
    pub(super) fn remove(&self, bytes: usize) {
        self.share.own.fetch_sub(bytes, Ordering::Relaxed);
        self.pool.0.total.fetch_sub(bytes, Ordering::Relaxed);
        self.mark();
        self.shrunk.notify_one();
    }

    /// Runs what sends for the client. A session that waits hears of no windows, so a client that would read only
    /// once all is sent must not be waited for.
    pub(super) async fn while_sending<T>(&self, sending: impl Future<Output = T>) -> T {
        tokio::pin!(sending);
        let mut own = self.own();
        let sent = loop {
            match tokio::time::timeout(UNREAD, &mut sending).await {
                Ok(sent) => break sent,
                Err(_) if own > 0 && self.own() >= own => self.wait_to_send(true),
                Err(_) => own = self.own(),
            }
        };
        self.wait_to_send(false);
        sent
    }

    fn wait_to_send(&self, waits: bool) {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).waits = waits;
        self.mark();
    }

    /// Resolves when the stream must be cut.
    pub(super) async fn cut(&self) {
        self.share.cut.cancelled().await;
    }

    fn own(&self) -> usize {
        self.share.own.load(Ordering::Relaxed)
    }

    fn limit(&self) -> usize {
        limit(self.pool.total(), self.pool.0.fed.load(Ordering::Relaxed))
    }

    /// Tells the others of the session how this stream stands.
    fn mark(&self) {
        let own = self.own();
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if (own > 0) != marks.fed {
            marks.fed = own > 0;
            let fed = &self.pool.0.fed;
            if marks.fed {
                fed.fetch_add(1, Ordering::Relaxed)
            } else {
                fed.fetch_sub(1, Ordering::Relaxed)
            };
        }
        // A stream between two sessions needs both of them to move at all.
        let tells = marks.fed && !marks.waits && matches!(self.patience, Patience::Client);
        if tells != marks.told.is_some() {
            marks.told = tells.then(|| self.crowd.feed());
        }
        if own >= BEHIND && marks.behind.is_none() {
            self.pool.behind().insert(self.number, self.share.clone());
            marks.behind = Some(self.crowd.stall());
        } else if own < BEHIND / 2 && marks.behind.is_some() {
            self.pool.behind().remove(&self.number);
            marks.behind = None;
        }
    }

    /// Has the session wait until this stream has passed on half of what it may hold (waking for every chunk
    /// would make a slow client slower), or until somebody minds.
    async fn until_taken(&self, nobody_minds: impl Fn() -> bool) {
        let enough = self.limit() / 2;
        let _waiting = self.crowd.hold_up();
        loop {
            let hunger = self.crowd.hunger();
            tokio::pin!(hunger);
            hunger.as_mut().enable();
            if !nobody_minds() || self.own() <= enough {
                return;
            }
            tokio::select! {
                () = self.shrunk.notified() => {}
                () = &mut hunger => {}
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.pool.0.total.fetch_sub(self.own(), Ordering::Relaxed);
        self.pool.behind().remove(&self.number);
        let marks = self.marks.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.pool.0.fed.fetch_sub(usize::from(marks.fed), Ordering::Relaxed);
    }
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
