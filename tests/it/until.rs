//! Waiting for a condition with a deadline: the only file of these tests that pauses.

use std::time::{Duration, Instant};

/// Long enough for anything that works on a loaded machine; what does not work fails after it.
pub const SOON: Duration = Duration::from_secs(60);

/// Asks again and again until the answer is yes; says whether it came in time.
pub fn until(mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + SOON;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
