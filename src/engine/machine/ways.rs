//! The ways of one forward, and which of them it takes. When it takes another one is the business of
//! [`failover`](super::failover).

use std::time::Duration;

use super::Failure;
use super::part::Tunnel;

/// The ways of one forward, the preferred one first.
pub(super) struct Ways {
    pub all: Vec<Way>,
    /// The way that is taken.
    pub now: usize,
    /// The way that is taken once nothing stands on this one any more.
    pub next: Option<usize>,
    /// When this one was taken.
    pub since: Duration,
    /// Since when it is broken.
    pub broken_since: Option<Duration>,
    /// The way that worked before the preferred one was tried again, until that has worked.
    pub from: Option<usize>,
    /// When the preferred one was tried again last and did not work.
    pub missed: Duration,
    /// Why the preferred one was left, until it is taken again and works.
    pub left_for: Option<Failure>,
}

pub(super) struct Way {
    pub needs: Vec<usize>,
    /// Those, and what they stand on.
    pub under: Vec<usize>,
    /// Never to be taken again: its far end was refused for good.
    pub shut: bool,
    /// Left before the run was up.
    pub tried: bool,
}

impl Ways {
    /// Ways, as what each needs of these tunnels, which are in build order.
    pub fn new(all: impl Iterator<Item = Vec<usize>>, tunnels: &[Tunnel]) -> Self {
        let way = |needs: Vec<usize>| {
            let mut stands = vec![false; tunnels.len()];
            needs.iter().for_each(|&top| stands[top] = true);
            let under = under(&mut stands, tunnels);
            Way { needs, under, shut: false, tried: false }
        };
        Ways {
            all: all.map(way).collect(),
            now: 0,
            next: None,
            since: Duration::ZERO,
            broken_since: None,
            from: None,
            missed: Duration::ZERO,
            left_for: None,
        }
    }

    /// What the way that is taken needs.
    pub fn needs(&self) -> &[usize] {
        &self.all[self.now].needs
    }

    /// Whether another way is about to be taken.
    pub fn is_leaving(&self) -> bool {
        self.next.is_some()
    }

    /// Why the preferred way was left.
    pub fn left_for(&self) -> Option<&Failure> {
        self.left_for.as_ref()
    }

    /// The way that is taken is never to be taken again.
    pub fn shut(&mut self) {
        self.all[self.now].shut = true;
    }
}

/// Everything that these stand on, themselves included.
fn under(stands: &mut [bool], tunnels: &[Tunnel]) -> Vec<usize> {
    // Build order puts a tunnel after what it needs, so one pass from the end reaches all.
    for t in (0..tunnels.len()).rev() {
        if stands[t] {
            tunnels[t].needs.iter().for_each(|&below| stands[below] = true);
        }
    }
    (0..stands.len()).filter(|&t| stands[t]).collect()
}
