//! Which lane a client takes, by how each stands. Opens and closes none.

/// How one lane stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub stalled: bool,
    pub ridden: bool,
    pub streams: usize,
}

/// Where a client goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// To this lane.
    Take(usize),
    /// To one that is yet to be opened.
    Open,
}

/// The first lane where nobody has to wait for anybody; else a new one; else the one where it matters least.
pub(super) fn choose(lanes: &[Standing], may_open: bool) -> Choice {
    match lanes.iter().position(|lane| !lane.stalled && !lane.ridden) {
        Some(free) => Choice::Take(free),
        None if may_open => Choice::Open,
        None => {
            let harm = |lane: &Standing| (lane.stalled, lane.ridden, lane.streams);
            Choice::Take((0..lanes.len()).min_by_key(|at| harm(&lanes[*at])).unwrap_or_default())
        }
    }
}
