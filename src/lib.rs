//! hopper plans and builds telescoping SSH tunnels. This is the map of the house.
//!
//! Imports go one way, top to bottom; `tests/house.rs` holds it and `docs/house.md` explains it.

pub mod control;
pub mod engine;
pub mod plan;
pub mod report;
pub mod ssh;
pub mod topology;
