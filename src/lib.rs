//! hopper plans and builds telescoping SSH tunnels. This is the map of the house.
//!
//! A topology becomes a plan, the engine makes the world match the plan, and everything else lets
//! people watch and steer. Imports go one way, downwards in this list; `tests/house.rs` holds it and
//! `docs/house.md` explains it.
//!
//! - [`topology`]: what is there (pure)
//! - [`plan`]: what must be done (pure)
//! - [`ssh`]: a session over any byte stream
//! - [`forward`]: accept here, connect there, splice
//! - [`engine`]: makes the world match the plan
//! - [`control`]: the socket where `down` and `status` speak
//! - [`report`]: what happens, for people and programs
//! - [`lab`]: hosts and firewalls that hopper plays itself; knows only topology and ssh
//! - [`commands`]: one thin file for each verb
//! - [`cli`]: what a person may type

pub mod cli;
pub mod commands;
pub mod control;
pub mod engine;
pub mod forward;
pub mod lab;
pub mod plan;
pub mod report;
pub mod ssh;
pub mod topology;
