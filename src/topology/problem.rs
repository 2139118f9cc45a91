//! A problem in a topology file: what is wrong, where, and what to write instead. Knows no rendering.

use std::ops::Range;

/// One thing wrong with a topology file. Rendering belongs to `report`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable code, `H01xx`; the list is in `docs/errors/`.
    pub code: &'static str,
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// The place, with what to say there. Never empty of meaning: a whole-file problem points at its start.
    pub label: Label,
    /// Other places that matter, such as the first of two definitions.
    pub related: Vec<Label>,
    /// What to write instead, such as a did-you-mean.
    pub help: Option<String>,
}

/// A place in the file and what to say there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Byte range in the file's text.
    pub range: Range<usize>,
    /// What to say there.
    pub text: String,
}

impl Problem {
    /// A problem at one place. Foreign text in `message` and `label` has been through `quoted`.
    pub fn new(
        code: &'static str,
        range: Range<usize>,
        label: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Problem {
            code,
            message: message.into(),
            label: Label { range, text: label.into() },
            related: Vec::new(),
            help: None,
        }
    }

    /// Says what to write instead.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Points at another place that matters.
    pub fn also(mut self, range: Range<usize>, text: impl Into<String>) -> Self {
        self.related.push(Label { range, text: text.into() });
        self
    }
}
