//! Which lane a client takes, by how each stands, and how large lanes are. Opens and closes none.

use crate::ssh::WINDOW;

/// How one lane stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub stalled: bool,
    pub ridden: bool,
    pub streams: usize,
    /// The receive window of each of its channels, in bytes.
    pub window: u32,
}

impl Standing {
    /// Whether one more client may be sent there without a thought. Where no lane is, another one is due.
    pub fn is_free(&self) -> bool {
        self.carries(room(self.window))
    }

    /// Whether one more client may be sent there rather than wait for a lane that is being opened.
    fn is_roomy(&self) -> bool {
        self.carries(room(self.window) * 3 / 2)
    }

    fn carries(&self, most: usize) -> bool {
        !self.stalled && !self.ridden && self.streams < most
    }
}

/// What a session should have on its way at most while it has to wait, in bytes: a window for each stream.
const ON_THEIR_WAY: usize = 32 << 20;

/// How many streams a session with this window carries before the next one gets another, if that can be had.
pub(super) fn room(window: u32) -> usize {
    ON_THEIR_WAY / window as usize
}

/// The receive window for the nth session beside a tunnel's own, in bytes. Who needs many has many streams, and
/// what all of them hold must have an end.
pub(super) fn window(nth: usize) -> u32 {
    if nth == 1 { WINDOW / 2 } else { WINDOW / 4 }
}

/// Where a client goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// To this lane.
    Take(usize),
    /// To one that is yet to be opened.
    Open,
}

/// The first lane with room where nobody has to wait for anybody; else one with a little more than that; else a new one;
/// else the one where it matters least.
pub(super) fn choose(lanes: &[Standing], may_open: bool) -> Choice {
    match lanes.iter().position(Standing::is_free).or_else(|| lanes.iter().position(Standing::is_roomy)) {
        Some(free) => Choice::Take(free),
        None if may_open => Choice::Open,
        None => {
            let harm = |lane: &Standing| (lane.stalled, lane.ridden, lane.streams);
            Choice::Take((0..lanes.len()).min_by_key(|at| harm(&lanes[*at])).unwrap_or_default())
        }
    }
}
