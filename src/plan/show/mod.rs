//! A plan made visible: as text for people, as JSON for programs, as commands for ssh, as diagrams for
//! those who draw them. Shows, never decides.

mod diagram;
mod dot;
mod fold;
mod json;
mod listing;
mod mermaid;
mod picture;
mod ssh;
mod text;

pub use dot::dot;
pub use fold::fold;
pub use json::json;
pub use mermaid::mermaid;
pub use ssh::ssh;
pub use text::text;

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
