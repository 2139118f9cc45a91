//! When another lane may be asked for: not soon after one that could not be had, or that did not last, and ever more
//! rarely. Knows no lane.

use std::time::Duration;

use tokio::time::Instant;

/// How long to wait after a lane that could not be opened; twice as long each time.
const PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// When another lane may be asked for.
pub(super) struct Pace {
    /// Before this none is; `None` is never again.
    not_before: Option<Instant>,
    pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { not_before: Some(Instant::now()), pause: PAUSE }
    }
}

impl Pace {
    /// Whether one may be asked for now.
    pub fn allows(&self) -> bool {
        self.not_before.is_some_and(|time| time <= Instant::now())
    }

    /// None is asked for for a while, each time for longer; for never it stays.
    pub fn put_off(&mut self) {
        self.not_before = self.not_before.map(|_| Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// None is asked for any more.
    pub fn stop(&mut self) {
        self.not_before = None;
    }

    /// One lasted: the next pause is a short one again.
    pub fn lasted(&mut self) {
        self.pause = PAUSE;
    }
}
