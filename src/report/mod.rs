//! Shows what happens, how it stands and why it failed, to a person or a program.
//!
//! Knows looks and words; decides nothing. Everything here reads engine and plan values, and nothing
//! outside needs it to run. Progress and failures are talk (stderr), [`status`] and JSON are data.

mod bars;
pub mod explain;
pub mod failure;
mod hop;
mod json;
mod names;
pub mod no_plan;
mod page;
mod plain;
pub mod problem;
mod reporter;
mod row;
#[cfg(test)]
mod sample;
pub mod status;
mod style;
pub mod taken;
pub mod trust;
mod url;
mod words;

pub use reporter::{Mode, Reporter, Sink};
pub use style::{ColourChoice, Style};
pub use url::url;
