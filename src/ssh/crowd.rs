//! The streams of one session, counted: a session delivers to all of them or to none, so whoever makes
//! it wait must know whether anybody else is there, and whether they have what they need.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

/// The streams that one session carries, and how they stand.
#[derive(Clone, Default)]
pub struct Crowd(Arc<Counts>);

struct Counts {
    streams: AtomicUsize,
    fed: AtomicUsize,
    stalled: AtomicUsize,
    waiting: AtomicUsize,
    /// Somebody joined, or is no longer fed.
    hunger: Notify,
    /// When the last stream went; before any came, when the session began.
    left: Mutex<Instant>,
    /// The first stream came, the last one went, or the number of stalled ones changed to or from none.
    news: Notify,
}

/// One stream's membership, given up when dropped.
pub struct Member(Arc<Counts>);

/// What a stream says of itself, until dropped.
pub struct Mark {
    counts: Arc<Counts>,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Fed,
    Stalled,
    Waiting,
}

impl Default for Counts {
    fn default() -> Self {
        let (hunger, news) = (Notify::new(), Notify::new());
        let [streams, fed, stalled, waiting] = std::array::from_fn(|_| AtomicUsize::new(0));
        Counts { streams, fed, stalled, waiting, hunger, left: Mutex::new(Instant::now()), news }
    }
}

impl Counts {
    fn of(&self, what: What) -> &AtomicUsize {
        match what {
            What::Fed => &self.fed,
            What::Stalled => &self.stalled,
            What::Waiting => &self.waiting,
        }
    }
}

impl Crowd {
    /// Counts one more stream, from before it is opened.
    pub fn join(&self) -> Member {
        if self.0.streams.fetch_add(1, Ordering::Relaxed) == 0 {
            self.0.news.notify_waiters();
        }
        self.0.hunger.notify_waiters();
        Member(self.0.clone())
    }

    /// How many streams there are.
    pub fn len(&self) -> usize {
        self.0.streams.load(Ordering::Relaxed)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How long there has been none; `None` while there is one.
    pub fn unused_for(&self) -> Option<Duration> {
        let left = *self.0.left.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_empty().then(|| left.elapsed())
    }

    /// Whether there is at most one stream.
    pub fn is_alone(&self) -> bool {
        self.len() <= 1
    }

    /// Whether some stream makes the session wait: then its silence proves nothing.
    pub fn is_held_up(&self) -> bool {
        self.0.waiting.load(Ordering::Relaxed) > 0
    }

    /// Whether some stream would miss what the session does not deliver. One that never says that it is fed
    /// always would.
    pub fn is_hungry(&self) -> bool {
        self.len() > self.0.fed.load(Ordering::Relaxed)
    }

    /// Whether some stream's client is behind, or makes the session wait.
    pub fn is_stalled(&self) -> bool {
        self.is_held_up() || self.0.stalled.load(Ordering::Relaxed) > 0
    }

    /// Resolves when a stream joins, or is no longer fed, after this was enabled.
    pub fn hunger(&self) -> Notified<'_> {
        self.0.hunger.notified()
    }

    /// Resolves when it begins or ceases to be empty or stalled after this was enabled.
    pub fn news(&self) -> Notified<'_> {
        self.0.news.notified()
    }

    /// Says that the caller has something in hand that its client has not taken yet.
    pub fn feed(&self) -> Mark {
        self.mark(What::Fed)
    }

    /// Says that the caller's client is behind.
    pub fn stall(&self) -> Mark {
        self.mark(What::Stalled)
    }

    /// Says that the caller makes the session wait from now on.
    pub fn hold_up(&self) -> Mark {
        self.mark(What::Waiting)
    }

    fn mark(&self, what: What) -> Mark {
        let before = self.0.of(what).fetch_add(1, Ordering::Relaxed);
        if before == 0 && !matches!(what, What::Fed) {
            self.0.news.notify_waiters();
        }
        Mark { counts: self.0.clone(), what }
    }
}

impl Member {
    /// The streams that it is one of.
    pub fn crowd(&self) -> Crowd {
        Crowd(self.0.clone())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        *self.0.left.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        if self.0.streams.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.news.notify_waiters();
        }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let before = self.counts.of(self.what).fetch_sub(1, Ordering::Relaxed);
        match self.what {
            What::Fed => self.counts.hunger.notify_waiters(),
            What::Stalled | What::Waiting if before == 1 => self.counts.news.notify_waiters(),
            What::Stalled | What::Waiting => {}
        }
    }
}
