//! How much may wait in memory for slow clients. An SSH session delivers to all its streams or to
//! none, so bytes for a slow client are set aside here instead of holding up its neighbours.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, Notify};

use crate::ssh::Crowd;

/// What one stream may set aside before its session is asked to wait, in bytes.
const STREAM: usize = 16 << 20;
/// What all streams of the process may set aside together, in bytes.
const TOTAL: usize = 256 << 20;
/// A stream that holds less than this is never the one to be cut, in bytes.
const FAIR_SHARE: usize = 1 << 20;

/// What all streams of a run set aside together.
#[derive(Debug, Clone, Default)]
pub struct Budget(Arc<AtomicUsize>);

/// What happens to a stream whose client is too slow for the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overrun {
    /// The session waits for it as long as no other stream is there: lossless, and harmless where no
    /// tunnel rides the session. With company it is as for `Cut`.
    Pause,
    /// The stream is cut: other tunnels ride the session and must not wait.
    Cut,
}

/// What one stream has set aside. Gives everything back when dropped.
pub(super) struct Held {
    total: Budget,
    own: AtomicUsize,
    shrunk: Notify,
    overrun: Overrun,
    crowd: Crowd,
    /// Held while the session waits.
    turn: Arc<Mutex<()>>,
}

/// The stream must be cut.
#[derive(Debug)]
pub(super) struct OverBudget;

impl Budget {
    /// A stream's share. `crowd` are the streams that wait with it when it waits.
    pub(super) fn open(&self, overrun: Overrun, crowd: Crowd) -> Held {
        self.open_in_turn(overrun, crowd, Arc::default())
    }

    /// The shares of a stream between two sessions, one for each direction. Only one of the sessions
    /// waits at a time: one that waits hears of no windows either, and so each could wait for the other.
    pub(super) fn open_between(&self, overrun: Overrun, sessions: [Crowd; 2]) -> [Held; 2] {
        let turn = Arc::default();
        sessions.map(|crowd| self.open_in_turn(overrun, crowd, Arc::clone(&turn)))
    }

    fn open_in_turn(&self, overrun: Overrun, crowd: Crowd, turn: Arc<Mutex<()>>) -> Held {
        let (own, shrunk) = (AtomicUsize::new(0), Notify::new());
        Held { total: self.clone(), own, shrunk, overrun, crowd, turn }
    }
}

impl Held {
    /// Counts bytes that were set aside, and waits while there are too many.
    pub(super) async fn add(&self, bytes: usize) -> Result<(), OverBudget> {
        let own = self.own.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let total = self.total.0.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let fits = own <= STREAM && (total <= TOTAL || own <= FAIR_SHARE);
        if self.overrun == Overrun::Pause
            && !fits
            && let Ok(_turn) = self.turn.try_lock()
        {
            self.until_halved().await;
        }
        let own = self.own.load(Ordering::Relaxed);
        let total = self.total.0.load(Ordering::Relaxed);
        if total > TOTAL && own > FAIR_SHARE { Err(OverBudget) } else { Ok(()) }
    }

    /// Counts bytes that reached the client.
    pub(super) fn remove(&self, bytes: usize) {
        self.own.fetch_sub(bytes, Ordering::Relaxed);
        self.total.0.fetch_sub(bytes, Ordering::Relaxed);
        self.shrunk.notify_one();
    }

    /// Waits until this stream has passed on half of what it may hold (waking for every chunk would make
    /// a slow client slower), or until somebody else comes who must not wait.
    async fn until_halved(&self) {
        let enough = (self.own.load(Ordering::Relaxed) / 2).min(STREAM / 2);
        let _waiting = self.crowd.hold_up();
        loop {
            let joined = self.crowd.joined();
            tokio::pin!(joined);
            joined.as_mut().enable();
            if !self.crowd.is_alone() || self.own.load(Ordering::Relaxed) <= enough {
                return;
            }
            tokio::select! {
                () = self.shrunk.notified() => {}
                () = &mut joined => {}
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.total.0.fetch_sub(*self.own.get_mut(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pausing_stream_waits_until_half_has_left() {
        let budget = Budget::default();
        let held = budget.open(Overrun::Pause, Crowd::default());
        held.add(STREAM).await.unwrap();
        let mut waiting = Box::pin(held.add(1));
        assert!(futures_poll(&mut waiting).await.is_none());
        held.remove(STREAM / 2);
        assert!(futures_poll(&mut waiting).await.is_none());
        held.remove(1);
        assert!(futures_poll(&mut waiting).await.is_some());
    }

    #[tokio::test]
    async fn two_sessions_never_wait_for_each_other() {
        let [there, back] = Budget::default().open_between(Overrun::Pause, Default::default());
        there.add(STREAM).await.unwrap();
        back.add(STREAM).await.unwrap();
        let mut waiting = Box::pin(there.add(1));
        assert!(futures_poll(&mut waiting).await.is_none());
        assert!(futures_poll(&mut Box::pin(back.add(1))).await.is_some());
        there.remove(STREAM);
        assert!(futures_poll(&mut waiting).await.is_some());
        assert!(futures_poll(&mut Box::pin(back.add(1))).await.is_none());
    }

    #[tokio::test]
    async fn a_stream_on_a_carrier_is_cut_only_when_all_memory_is_used() {
        let budget = Budget::default();
        let (greedy, modest) =
            (budget.open(Overrun::Cut, Crowd::default()), budget.open(Overrun::Cut, Crowd::default()));
        greedy.add(TOTAL).await.unwrap();
        assert!(modest.add(FAIR_SHARE).await.is_ok());
        assert!(greedy.add(1).await.is_err());
        drop(greedy);
        assert!(modest.add(FAIR_SHARE).await.is_ok());
    }

    /// Polls once after letting everything else run.
    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            done = future => Some(done),
            () = tokio::task::yield_now() => None,
        }
    }
}
