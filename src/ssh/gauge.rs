//! What is known of the traffic of a wire: whether and when the peer spoke, and how much waits to be read. Counts, and
//! never interprets a byte.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a wire counts.
pub struct Gauge {
    /// Whether the peer ever said anything.
    heard: CancellationToken,
    /// When the peer last sent something, in milliseconds since `born`.
    heard_at: AtomicU64,
    born: Instant,
    /// Bytes taken from the stream and not yet read by the session.
    queued: AtomicUsize,
    /// The most that may be queued; 0 before the owner has set it.
    ceiling: AtomicUsize,
}

impl Gauge {
    pub(super) fn new() -> Self {
        Gauge {
            heard: CancellationToken::new(),
            heard_at: AtomicU64::new(0),
            born: Instant::now(),
            queued: AtomicUsize::new(0),
            ceiling: AtomicUsize::new(0),
        }
    }

    /// So many bytes came.
    ///
    /// # Errors
    /// When more is queued than may be.
    pub(super) fn came(&self, bytes: usize) -> Result<(), TooMuch> {
        self.heard.cancel();
        let now = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard_at.store(now, Ordering::Relaxed);
        let queued = self.queued.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let ceiling = self.ceiling.load(Ordering::Relaxed);
        if ceiling != 0 && queued > ceiling { Err(TooMuch { queued, ceiling }) } else { Ok(()) }
    }

    /// The session read so many of them.
    pub(super) fn read(&self, bytes: usize) {
        self.queued.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether the peer ever sent a byte.
    pub fn heard(&self) -> bool {
        self.heard.is_cancelled()
    }

    /// Resolves once the peer has sent its first byte.
    pub async fn first_words(&self) {
        self.heard.cancelled().await;
    }

    /// How long the peer has been silent.
    pub fn silence(&self) -> Duration {
        let heard_at = Duration::from_millis(self.heard_at.load(Ordering::Relaxed));
        self.born.elapsed().saturating_sub(heard_at)
    }

    /// Sets how many bytes the peer can rightfully have in flight. More means a peer that ignores
    /// the windows it was granted, and the wire is cut.
    pub fn set_ceiling(&self, bytes: usize) {
        self.ceiling.fetch_max(bytes, Ordering::Relaxed);
    }
}

/// More is queued than may be, in bytes.
pub(super) struct TooMuch {
    pub queued: usize,
    pub ceiling: usize,
}
