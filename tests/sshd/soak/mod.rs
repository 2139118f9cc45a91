//! Runs that live long: what thousands of clients and faults at random leave behind.
//!
//! The suite has faults at random for half a minute. `tests/run --soak MINUTES [SEED]` runs the long one: it sets [`MINUTES`] and
//! [`SEED`].

mod chance;
mod leaks;
mod random;

use std::fs;
use std::time::Duration;

use super::bed::Bed;
use super::until::until;

/// How many minutes the soak is to last.
const MINUTES: &str = "HOPPER_SOAK";
/// What chance begins with; without it, the clock says.
const SEED: &str = "HOPPER_SOAK_SEED";

/// How long the soak is to last, when one was asked for.
fn asked() -> Option<Duration> {
    let minutes = std::env::var(MINUTES).ok()?;
    let minutes: u64 = minutes.parse().unwrap_or_else(|e| panic!("{MINUTES}={minutes}: {e}"));
    Some(Duration::from_secs(60 * minutes))
}

/// What a process and the hosts it is logged in to occupy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Footprint {
    /// Resident memory in KiB.
    memory: u64,
    descriptors: usize,
    threads: u64,
    /// Processes that serve sessions, on all hosts together.
    servers: usize,
}

/// How much more memory a run may hold after any number of clients and faults, in KiB.
const MORE: u64 = 8 * 1024;

impl Footprint {
    fn of(bed: &Bed, pid: u32) -> Footprint {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let word = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
            word.unwrap_or_else(|| panic!("no {name} in {status}"))
        };
        Footprint {
            memory: number("VmRSS:"),
            descriptors: fs::read_dir(format!("/proc/{pid}/fd")).expect("it lives").count(),
            threads: number("Threads:"),
            servers: (1..=bed.last()).map(|host| bed.sessions(host).len()).sum(),
        }
    }

    /// Waits until a process is back to this, and says what it occupies then.
    fn insist_again(self, bed: &Bed, pid: u32) -> Footprint {
        let mut now = self;
        let back = until(Duration::from_secs(30), || {
            now = Footprint::of(bed, pid);
            // Threads for what blocks come when needed and go after a while, so fewer is as good.
            now.memory <= self.memory + MORE
                && now.descriptors <= self.descriptors
                && now.threads <= self.threads
                && now.servers == self.servers
        });
        assert!(back, "it was {self:?} and is {now:?}");
        now
    }
}
