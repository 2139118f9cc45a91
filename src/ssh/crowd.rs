//! The streams of one session, counted: a session delivers to all of them or to none, so whoever makes
//! it wait must know whether anybody else is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// The streams that one session carries, and those that hold it up.
#[derive(Clone, Default)]
pub struct Crowd(Arc<Counts>);

#[derive(Default)]
struct Counts {
    streams: AtomicUsize,
    waiting: AtomicUsize,
    joined: Notify,
}

/// One stream's membership, given up when dropped.
pub struct Member(Arc<Counts>);

/// A stream that makes its session wait, until dropped.
pub struct Wait(Arc<Counts>);

impl Crowd {
    /// Counts one more stream, from before it is opened.
    pub(super) fn join(&self) -> Member {
        self.0.streams.fetch_add(1, Ordering::Relaxed);
        self.0.joined.notify_waiters();
        Member(self.0.clone())
    }

    /// How many streams there are.
    pub(super) fn len(&self) -> usize {
        self.0.streams.load(Ordering::Relaxed)
    }

    /// Whether some stream makes the session wait: then its silence proves nothing.
    pub(super) fn is_held_up(&self) -> bool {
        self.0.waiting.load(Ordering::Relaxed) > 0
    }

    /// Whether there is at most one stream.
    pub fn is_alone(&self) -> bool {
        self.len() <= 1
    }

    /// Resolves when a stream joins after this was enabled.
    pub fn joined(&self) -> Notified<'_> {
        self.0.joined.notified()
    }

    /// Says that the caller makes the session wait from now on.
    pub fn hold_up(&self) -> Wait {
        self.0.waiting.fetch_add(1, Ordering::Relaxed);
        Wait(self.0.clone())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
