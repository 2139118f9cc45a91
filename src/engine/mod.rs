//! Makes the world match the plan.

mod event;
mod failure;
mod snapshot;

pub use event::{Event, Stage};
pub use failure::{Exit, Failure, Phase};
pub use snapshot::{ForwardSnapshot, ForwardState, RunState, Snapshot, TunnelSnapshot, TunnelState};
