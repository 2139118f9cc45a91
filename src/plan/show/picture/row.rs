//! A row of a picture, written column by column.

use unicode_width::UnicodeWidthStr;

/// A row that is written from left to right.
#[derive(Default)]
pub(super) struct Row {
    text: String,
    /// How many columns it has.
    pub(super) at: usize,
}

impl Row {
    /// Writes on.
    pub(super) fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.at += text.width();
    }

    /// Fills up to this column with something one column wide.
    pub(super) fn seek(&mut self, column: usize, fill: &str) {
        while self.at < column {
            self.put(fill);
        }
    }

    /// Writes the row out and starts the next.
    pub(super) fn end(&mut self, out: &mut String) {
        out.push_str(self.text.trim_end());
        out.push('\n');
        *self = Row::default();
    }
}
