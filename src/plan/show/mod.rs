//! A plan made visible: as text for people, as JSON for programs, as commands for ssh, as diagrams for
//! those who draw them, as grants for those who run the hosts. Shows, never decides.

mod diagram;
mod difference;
mod dot;
mod fold;
mod grants;
mod grants_json;
mod graph_json;
mod json;
mod listing;
mod mermaid;
mod outline;
mod picture;
mod pictures;
mod ssh;
mod standby;
mod svg;
mod text;
mod warnings;
mod why;
mod why_json;

pub use diagram::Diagram;
pub use difference::{difference, difference_done, difference_json};
pub use dot::dot;
pub use fold::fold;
pub use grants::grants;
pub use grants_json::grants_json;
pub use graph_json::graph_json;
pub use json::json;
pub use mermaid::mermaid;
pub use outline::outline;
pub use ssh::ssh;
pub use svg::svg;
pub use text::text;
pub use warnings::warnings;
pub use why::why;
pub use why_json::why_json;

use crate::topology::escape;

/// How text is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// The characters at hand.
    pub glyphs: Glyphs,
    /// Columns; what is wider is folded.
    pub width: usize,
}

/// The characters at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyphs {
    /// Box drawing and arrows.
    Unicode,
    /// Nothing beyond ASCII.
    Ascii,
}

impl Default for Style {
    fn default() -> Self {
        Style { glyphs: Glyphs::Unicode, width: 80 }
    }
}

/// A number with its noun.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A line that shells and configurations pass over. Nothing in the text can end it.
fn comment(text: &str) -> String {
    format!("{}\n", format!("# {}", escape(text)).trim_end())
}

/// Words in a row, as one says them.
fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
