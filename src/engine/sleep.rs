//! Notices that this machine slept, or that this process stood still: what was true before need not be true any
//! more. Looks at clocks, never at what they mean for anybody.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How often to look.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Less than this is a busy machine.
const STOOD_STILL: Duration = Duration::from_secs(5);
/// Less than this is how two clocks are read one after the other.
const SLEPT: Duration = Duration::from_secs(1);

/// Two clocks: one that goes on while the machine sleeps, and one that does not.
pub(super) struct Clocks {
    read: fn() -> [Duration; 2],
    last: [Duration; 2],
}

impl Clocks {
    /// The clocks of this machine.
    pub fn new() -> Self {
        Self::read_by(|| [ClockId::Boottime, ClockId::Monotonic].map(reading))
    }

    fn read_by(read: fn() -> [Duration; 2]) -> Self {
        Clocks { read, last: read() }
    }

    /// How much time was lost since the last look, if any worth telling.
    pub fn lost(&mut self) -> Option<Duration> {
        let last = std::mem::replace(&mut self.last, (self.read)());
        lost(last, self.last)
    }
}

fn lost(last: [Duration; 2], now: [Duration; 2]) -> Option<Duration> {
    let [lived, worked] = [0, 1].map(|clock| now[clock].saturating_sub(last[clock]));
    let slept = lived.saturating_sub(worked) >= SLEPT;
    (slept || worked >= STOOD_STILL + LOOK_EVERY).then(|| lived.max(worked))
}

fn reading(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    // Neither clock is ever negative.
    let [seconds, nanoseconds] = [time.tv_sec, time.tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_and_standing_still_are_told_from_a_busy_machine() {
        let at = |boot: u64, mono: u64| [boot, mono].map(Duration::from_millis);
        let start = at(100_000, 50_000);
        assert_eq!(lost(start, at(101_000, 51_000)), None);
        assert_eq!(lost(start, at(104_500, 54_500)), None, "busy");
        assert_eq!(lost(start, at(191_000, 51_000)), Some(Duration::from_secs(91)), "slept");
        assert_eq!(lost(start, at(110_000, 60_000)), Some(Duration::from_secs(10)), "stood still");
        assert_eq!(lost(start, at(99_000, 49_000)), None, "a clock that goes back says nothing");
    }

    #[test]
    fn the_clocks_of_this_machine_lose_nothing_between_two_looks() {
        assert_eq!(Clocks::new().lost(), None);
    }
}
