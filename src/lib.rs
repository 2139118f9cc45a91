//! hopper plans and builds telescoping SSH tunnels. This is the map of the house.
//!
//! Imports go one way, in the order below; `tests/house.rs` holds it and `docs/house.md` explains it.
//! A topology becomes a plan, the engine makes the world match the plan, and everything else lets
//! people watch and steer.

#[rustfmt::skip]
pub mod topology; // pure: what is there
pub mod cli;
pub mod commands; // one thin file for each verb
pub mod control; // the socket where `down` and `status` speak
pub mod engine; // makes the world match the plan
pub mod forward; // accept here, connect there, splice
pub mod lab;
pub mod plan; // pure: what must be done
pub mod report; // events for people and programs
pub mod ssh; // a session over any byte stream // hosts and firewalls that hopper plays itself // what a person may type
