//! The lanes of one tunnel: its own session, and others to the same server beside it. A session delivers to
//! all its streams or to none, so whoever comes while clients are behind gets a lane where nobody is.
//!
//! It knows neither plans nor layers: whoever makes the lanes says how another session is opened.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::lane_choice::{Choice, Standing, choose};
use super::lane_pace::Pace;
use crate::ssh::{Member, Session};

/// So many sessions a tunnel may have beside its own.
const MOST: usize = 8;
/// How long a client waits for a lane that is being opened, before it takes one where others are behind.
const WAIT: Duration = Duration::from_secs(3);
/// Clients that stay behind for so long want a spare lane: the next client should find it open.
const GRACE: Duration = Duration::from_millis(100);
/// A lane that nobody used for so long is closed.
const IDLE: Duration = Duration::from_secs(60);

/// Opens another session to the same server, without a person.
pub type Opener = Arc<dyn Fn() -> Opening + Send + Sync>;

/// A lane on its way.
type Opening = Pin<Box<dyn Future<Output = Result<Session, NoLane>> + Send>>;

/// Why there is no other lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLane {
    /// It may be had later.
    Now,
    /// It cannot be had as long as this tunnel stands: asking again could have the person banned.
    Ever,
}

/// The sessions of one tunnel.
#[derive(Clone)]
pub struct Lanes(Arc<Inner>);

struct Inner {
    own: Arc<Session>,
    /// Whether other tunnels ride its own session: then that must never wait for a client.
    ridden: AtomicBool,
    opener: Option<Opener>,
    /// How many there are beside its own, for whoever wants to see.
    count: Arc<AtomicUsize>,
    state: Mutex<State>,
    changed: Notify,
    closing: CancellationToken,
    tasks: TaskTracker,
}

struct State {
    others: Vec<Arc<Session>>,
    opening: bool,
    pace: Pace,
}

impl Lanes {
    /// A tunnel's session, and `opener` for others like it. `count` is kept at how many others there are. Needs a
    /// runtime.
    pub fn new(own: Arc<Session>, ridden: bool, opener: Option<Opener>, count: Arc<AtomicUsize>) -> Lanes {
        let state = State { others: Vec::new(), opening: false, pace: Pace::default() };
        let (closing, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (state, changed) = (Mutex::new(state), Notify::new());
        let ridden = AtomicBool::new(ridden);
        let inner = Arc::new(Inner { own, ridden, opener, count, state, changed, closing, tasks });
        if inner.opener.is_some() {
            inner.tasks.spawn(inner.clone().tend(inner.own.clone()));
        }
        Lanes(inner)
    }

    /// A session that gets no others.
    pub fn only(own: Arc<Session>) -> Lanes {
        Lanes::new(own, false, None, Arc::default())
    }

    /// The tunnel's own session.
    pub(super) fn own(&self) -> &Arc<Session> {
        &self.0.own
    }

    /// Whether somebody uses one of the others.
    pub fn are_used(&self) -> bool {
        self.0.state().others.iter().any(|lane| !lane.crowd().is_empty())
    }

    /// From now on other tunnels ride its own session, or none does.
    pub fn set_ridden(&self, ridden: bool) {
        self.0.ridden.store(ridden, Ordering::Relaxed);
        self.0.changed.notify_waiters();
    }

    /// Whether nobody can be carried any more, since the tunnel's own session has ended.
    pub fn is_over(&self) -> bool {
        self.0.own.is_over()
    }

    /// A lane for one more stream; waits for one that is being opened, at most `within`. The place must be kept until
    /// the stream has one of its own.
    pub(super) async fn pick(&self, within: Duration) -> (Arc<Session>, Member) {
        let patience = tokio::time::sleep(within.min(WAIT));
        tokio::pin!(patience);
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(place) = self.0.place(true) {
                return place;
            }
            tokio::select! {
                () = changed => {}
                () = &mut patience => if let Some(place) = self.0.place(false) {
                    return place;
                },
                () = self.0.own.ended().cancelled_owned() => if let Some(place) = self.0.place(false) {
                    return place;
                },
            }
        }
    }

    /// Closes the other lanes; each may take this long to say goodbye.
    pub async fn close(&self, patience: Duration) {
        self.0.closing.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
        // They stay in the list until they are gone: whoever is in a hurry cuts them there.
        let others = self.0.state().others.clone();
        let closing = others.into_iter().map(|lane| tokio::spawn(async move { lane.close(patience).await }));
        for closed in closing.collect::<Vec<_>>() {
            // Fails only when it panicked; the session is cut with its last owner all the same.
            let _ = closed.await;
        }
        self.0.state().others.clear();
        self.0.count.store(0, Ordering::Relaxed);
    }

    /// Ends the other lanes at once.
    pub fn cut(&self) {
        self.0.closing.cancel();
        self.0.state().others.iter().for_each(|lane| lane.cut());
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self, state: &mut State) -> Vec<Standing> {
        state.others.retain(|lane| !lane.is_over());
        self.count.store(state.others.len(), Ordering::Relaxed);
        let one = |session: &Session, ridden| {
            let crowd = session.crowd();
            Standing { stalled: crowd.is_stalled(), ridden, streams: crowd.len() }
        };
        let others = state.others.iter().map(|lane| one(lane, false));
        std::iter::once(one(&self.own, self.ridden.load(Ordering::Relaxed))).chain(others).collect()
    }

    fn may_open(&self, state: &State) -> bool {
        let wanted = !self.closing.is_cancelled() && !self.own.is_over();
        self.opener.is_some() && state.pace.allows() && wanted && state.others.len() < MOST
    }

    /// A place for a stream; `None` when it should wait for a lane that is being opened, which only the patient do.
    fn place(self: &Arc<Self>, patient: bool) -> Option<(Arc<Session>, Member)> {
        let mut state = self.state();
        let standing = self.standing(&mut state);
        let may_open = patient && self.may_open(&state);
        let session = match choose(&standing, may_open) {
            Choice::Take(0) => self.own.clone(),
            Choice::Take(nth) => state.others[nth - 1].clone(),
            Choice::Open => {
                self.open(&mut state);
                return None;
            }
        };
        // Under the lock: a lane that is about to be closed for want of streams sees this one.
        let member = session.crowd().join();
        Some((session, member))
    }

    /// Opens another lane, unless one is being opened already.
    fn open(self: &Arc<Self>, state: &mut State) {
        let Some(opener) = self.opener.clone().filter(|_| !std::mem::replace(&mut state.opening, true))
        else {
            return;
        };
        let lanes = self.clone();
        self.tasks.spawn(async move {
            let opened = tokio::select! {
                biased;
                () = lanes.closing.cancelled() => Err(NoLane::Now),
                opened = opener() => opened,
            };
            let mut state = lanes.state();
            state.opening = false;
            match opened.map(Arc::new) {
                Ok(session) => {
                    state.others.push(session.clone());
                    lanes.tasks.spawn(lanes.clone().tend(session));
                }
                Err(NoLane::Now) => state.pace.put_off(),
                Err(NoLane::Ever) => state.pace.stop(),
            }
            lanes.count.store(state.others.len(), Ordering::Relaxed);
            lanes.changed.notify_waiters();
        });
    }

    /// Opens a spare lane while clients of this one are behind, and closes it when nobody used it for long.
    async fn tend(self: Arc<Self>, session: Arc<Session>) {
        let (crowd, ended, born) = (session.crowd(), session.ended(), Instant::now());
        let tending = async {
            loop {
                let news = crowd.news();
                tokio::pin!(news);
                news.as_mut().enable();
                if crowd.is_stalled() {
                    tokio::time::sleep(GRACE).await;
                    if crowd.is_stalled() {
                        self.spare();
                    }
                }
                if !crowd.is_empty() || Arc::ptr_eq(&session, &self.own) {
                    news.await;
                } else if tokio::time::timeout(IDLE, news).await.is_err() && self.let_go(&session) {
                    return;
                }
            }
        };
        tokio::select! {
            () = tending => tokio::select! {
                () = session.close(WAIT) => {}
                () = self.closing.cancelled() => session.cut(),
            },
            () = ended.cancelled() => self.has_ended(born.elapsed()),
            () = self.closing.cancelled() => {}
        }
    }

    /// A lane ended by itself. One that did not last counts like one that could not be opened: who ends sessions soon
    /// after they began is not asked for one after the other.
    fn has_ended(&self, lived: Duration) {
        let mut state = self.state();
        if lived >= IDLE {
            state.pace.lasted();
        } else {
            state.pace.put_off();
        }
        self.standing(&mut state);
        self.changed.notify_waiters();
    }

    /// Opens another lane when there is none that the next client could take.
    fn spare(self: &Arc<Self>) {
        let mut state = self.state();
        let standing = self.standing(&mut state);
        let may_open = self.may_open(&state);
        if choose(&standing, may_open) == Choice::Open {
            self.open(&mut state);
        }
    }

    /// Forgets a lane that nobody uses, unless it is the only one where nobody is behind.
    fn let_go(&self, session: &Arc<Session>) -> bool {
        let mut state = self.state();
        let free = self.standing(&mut state).iter().filter(|lane| !lane.stalled).count();
        let goes = session.crowd().is_empty() && free > 1;
        if goes {
            state.others.retain(|lane| !Arc::ptr_eq(lane, session));
            self.count.store(state.others.len(), Ordering::Relaxed);
        }
        goes
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
