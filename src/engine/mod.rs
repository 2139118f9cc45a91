//! Makes the world match the plan.

mod event;
mod failure;
mod snapshot;
mod status;

pub use event::{Event, Stage};
pub use failure::{Exit, Failure, Phase};
pub use snapshot::{ForwardSnapshot, ForwardState, RunState, Snapshot, TunnelSnapshot, TunnelState};
pub use status::{ForwardStatus, Status, TunnelStatus};
