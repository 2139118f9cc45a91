//! Runs one forward: accept here or there, connect there or here, splice; and proves that the far end is there.
//!
//! It knows neither plans nor layers: whoever starts a forward says where it listens and who dials.

mod budget;
mod check;
mod dialer;
mod go_round;
mod lane_choice;
mod lane_pace;
mod lanes;
mod meter;
mod openness;
mod refusal;
mod relay;
mod remote;
mod splice;
mod visit;

pub use budget::Budget;
pub use check::{CheckError, prove};
pub use dialer::{Dialer, Far};
pub use go_round::LoopError;
pub use lanes::{Lanes, NoLane, Opener};
pub use meter::{Meter, Reading};
pub use openness::Openness;
pub use relay::{Bound, Relay, Terms};
pub use remote::RemoteRelay;
