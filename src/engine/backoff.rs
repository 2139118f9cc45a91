//! When to try again: at once what had held, later and later what did not. Pure: time and chance come in.

use std::time::Duration;

use crate::topology::Reconnect;

/// What stood for at least this long had held: its next break starts from the beginning.
const HELD: Duration = Duration::from_secs(10);

/// When one thing that broke may be tried again.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    terms: Reconnect,
    chance: Chance,
    /// Breaks since it last held.
    breaks: u32,
    /// The wait before the last try.
    waited: Duration,
    up_since: Option<Duration>,
    /// The first of those breaks.
    broken_since: Option<Duration>,
    /// Breaks in all.
    ever: u32,
}

impl Backoff {
    /// Nothing has broken yet. The same seed gives the same waits.
    pub fn new(terms: Reconnect, seed: u64) -> Self {
        Backoff {
            terms,
            chance: Chance(seed),
            breaks: 0,
            waited: Duration::ZERO,
            up_since: None,
            broken_since: None,
            ever: 0,
        }
    }

    /// The same past, on the terms of another one from now on.
    pub fn on_terms_of(&self, other: &Backoff) -> Self {
        Backoff { terms: other.terms, ..self.clone() }
    }

    /// It works, from this moment on.
    pub fn up(&mut self, now: Duration) {
        self.up_since = Some(now);
    }

    /// It is not tried any more for now: how long that lasts does not count.
    pub fn rest(&mut self) {
        self.broken_since = None;
    }

    /// It ended and was not broken: the next break is the first. How often it was begun still counts.
    pub fn forget(&mut self) {
        (self.breaks, self.waited) = (0, Duration::ZERO);
        (self.broken_since, self.up_since) = (None, None);
    }

    /// It broke, or could not be brought up: how long to wait before the next try. `None` when it was
    /// tried for long enough.
    pub fn broke(&mut self, now: Duration) -> Option<Duration> {
        let stood = self.up_since.take().map_or(Duration::ZERO, |since| now.saturating_sub(since));
        if stood >= HELD.max(self.waited) {
            self.breaks = 0;
            self.broken_since = None;
        }
        self.ever = self.ever.saturating_add(1);
        if self.is_spent() {
            return None;
        }
        let broken_since = *self.broken_since.get_or_insert(now);
        let left = self.terms.give_up.map(|limit| (broken_since + limit).saturating_sub(now));
        if self.breaks > 0 && left == Some(Duration::ZERO) {
            return None;
        }
        let wait = self.wait();
        self.breaks = self.breaks.saturating_add(1);
        // The last try is made when time is up, not some time after that.
        self.waited = left.map_or(wait, |left| wait.min(left));
        Some(self.waited)
    }

    /// Whether it was begun as often as it may be: the first time, and once after each break before the last.
    pub fn is_spent(&self) -> bool {
        self.terms.max_starts.is_some_and(|most| self.ever >= most)
    }

    fn wait(&mut self) -> Duration {
        let Some(earlier) = self.breaks.checked_sub(1) else { return Duration::ZERO };
        let Reconnect { first, max, factor, jitter, .. } = self.terms;
        // Past this many it is at its longest, whatever the factor; and no number overflows.
        let exponent = i32::try_from(earlier.min(64)).unwrap_or(64);
        let grown = first.as_secs_f64() * factor.as_f64().powi(exponent);
        let longest = max.as_secs_f64();
        let spread = 1.0 + jitter.as_f64() * (2.0 * self.chance.next() - 1.0);
        Duration::from_secs_f64(grown.min(longest) * spread)
    }
}

/// A row of numbers that looks like chance, after Steele, Lea and Flood's SplitMix.
#[derive(Debug, Clone)]
struct Chance(u64);

impl Chance {
    /// From 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        f64::from(u32::try_from(mixed >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn even() -> Reconnect {
        Reconnect { jitter: 0.0.into(), ..Reconnect::default() }
    }

    /// The waits, in whole seconds, of something that never comes up again.
    fn waits(terms: Reconnect, tries: usize) -> Vec<Option<u64>> {
        let (mut backoff, mut now) = (Backoff::new(terms, 1), Duration::ZERO);
        backoff.up(now);
        now += 60 * SECOND;
        let next = |_| {
            let wait = backoff.broke(now)?;
            now += wait;
            Some(wait.as_secs())
        };
        (0..tries).map(next).collect()
    }

    #[test]
    fn what_held_is_tried_at_once_and_then_ever_later() {
        let some = |waits: &[u64]| waits.iter().copied().map(Some).collect::<Vec<_>>();
        assert_eq!(waits(even(), 9), some(&[0, 1, 2, 4, 8, 16, 32, 60, 60]));
        let steady = Reconnect { factor: 1.0.into(), first: 5 * SECOND, ..even() };
        assert_eq!(waits(steady, 4), some(&[0, 5, 5, 5]));
    }

    #[test]
    fn the_last_try_is_made_when_time_is_up() {
        let limited = Reconnect { give_up: Some(10 * SECOND), ..even() };
        assert_eq!(waits(limited, 6), [Some(0), Some(1), Some(2), Some(4), Some(3), None]);
    }

    #[test]
    fn nothing_is_begun_more_often_than_it_may_be_however_well_it_held() {
        let limited = Reconnect { max_starts: Some(3), ..even() };
        let (mut backoff, mut now, mut begun) = (Backoff::new(limited, 1), Duration::ZERO, 0);
        loop {
            begun += 1;
            backoff.up(now);
            now += 3600 * SECOND;
            if backoff.broke(now).is_none() {
                break;
            }
        }
        assert_eq!((begun, backoff.is_spent()), (3, true));
    }

    #[test]
    fn what_comes_up_and_does_not_hold_is_not_tried_at_once() {
        let (mut backoff, mut now) = (Backoff::new(even(), 1), Duration::ZERO);
        let mut waits = Vec::new();
        for _ in 0..5 {
            backoff.up(now);
            now += 2 * SECOND;
            let wait = backoff.broke(now).unwrap();
            waits.push(wait.as_secs());
            now += wait;
        }
        assert_eq!(waits, [0, 1, 2, 4, 8]);
        backoff.up(now);
        assert_eq!(backoff.broke(now + 9 * SECOND), Some(16 * SECOND), "not long enough");
        backoff.up(now);
        assert_eq!(backoff.broke(now + 17 * SECOND), Some(Duration::ZERO), "it had held");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// However it comes and goes: never more than six tries in ten seconds, never a wait beyond the
        /// longest.
        #[test]
        fn nothing_makes_a_storm(seed: u64, stood in prop::collection::vec(0u64..30_000, 1..60)) {
            let terms = Reconnect::default();
            let (mut backoff, mut now, mut tries) = (Backoff::new(terms, seed), Duration::ZERO, Vec::new());
            for stood in stood {
                if stood > 2_000 {
                    backoff.up(now);
                    now += Duration::from_millis(stood);
                }
                let wait = backoff.broke(now).unwrap();
                prop_assert!(wait <= terms.max.mul_f64(1.0 + terms.jitter.as_f64()));
                now += wait;
                tries.push(now);
            }
            let burst = tries.windows(7).find(|tries| tries[6] - tries[0] < 10 * SECOND);
            prop_assert_eq!(burst, None);
        }
    }
}
