//! What is known of the traffic of a wire: whether and when the peer spoke, its first words, and how much waits to be
//! read. Counts and keeps, and never interprets a byte.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// So many of the first bytes are kept: a few lines before the version (RFC 4253, section 4.2).
const GREETING: usize = 1024;

/// What a wire counts.
pub struct Gauge {
    /// Whether the peer ever said anything.
    heard: CancellationToken,
    /// When the peer last sent something, in milliseconds since `born`.
    heard_at: AtomicU64,
    born: Instant,
    /// The first bytes that the peer sent.
    greeting: Mutex<Vec<u8>>,
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
            greeting: Mutex::default(),
            queued: AtomicUsize::new(0),
            ceiling: AtomicUsize::new(0),
        }
    }

    /// These bytes came.
    ///
    /// # Errors
    /// When more is queued than may be.
    pub(super) fn came(&self, bytes: &[u8]) -> Result<(), TooMuch> {
        let mut greeting = self.greeting.lock().unwrap_or_else(PoisonError::into_inner);
        let left = GREETING - greeting.len();
        greeting.extend_from_slice(&bytes[..left.min(bytes.len())]);
        drop(greeting);
        self.heard.cancel();
        let now = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard_at.store(now, Ordering::Relaxed);
        let queued = self.queued.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len();
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

    /// All that the peer said, as text; foreign. Nothing where more came than is kept.
    pub(super) fn greeting(&self) -> String {
        let greeting = self.greeting.lock().unwrap_or_else(PoisonError::into_inner);
        if greeting.len() < GREETING {
            String::from_utf8_lossy(&greeting).into_owned()
        } else {
            String::new()
        }
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
