//! Where `down` and `status` speak to a run: one socket per running topology, and the run's own files.
//!
//! Knows the socket, the lock, the folders and the messages (`docs/control.md`). Never builds or
//! closes anything itself: it asks the run through [`Hooks`]. The lock decides whether a run lives;
//! no process id is ever read from a file, and nothing is ever signalled.

mod claim;
mod client;
mod dirs;
mod down;
mod failure;
mod folder;
mod hooks;
mod line;
mod message;
mod place;
mod questions;
mod running;
mod server;
#[cfg(test)]
mod tests;

pub use claim::Claim;
pub use client::Client;
pub use dirs::Dirs;
pub use down::{Ended, Gone, down};
pub use hooks::Hooks;
pub use message::{Closed, Hello, Limits, Reason, Refusal, Reloaded, Reply, Request};
pub use place::Place;
pub use questions::{Asked, Questions};
pub use running::{Found, list_running};
pub use server::Server;
