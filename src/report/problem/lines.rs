//! Lines and columns of places in a text. Knows where lines begin; never holds the text.

use std::ops::Range;

/// How far apart the counted characters are remembered: a file may be one line of a mebibyte, with a
/// problem at every few bytes of it.
const STRIDE: usize = 1024;

/// Where lines begin.
pub(super) struct Lines {
    starts: Vec<usize>,
    /// Characters before every `STRIDE`th byte.
    counted: Vec<usize>,
    end: usize,
}

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let mut counted = vec![0];
        for block in text.as_bytes().chunks(STRIDE) {
            counted.push(counted[counted.len() - 1] + characters(block));
        }
        Lines { starts: std::iter::once(0).chain(breaks).collect(), counted, end: text.len() }
    }

    /// The line of a byte, from 0.
    pub(super) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at) - 1
    }

    /// The bytes of a line with its end, if there is such a line.
    pub(super) fn span(&self, line: usize) -> Option<Range<usize>> {
        let start = *self.starts.get(line)?;
        Some(start..self.starts.get(line + 1).copied().unwrap_or(self.end))
    }

    /// The length of a line in bytes; 0 when there is no such line.
    pub(super) fn length(&self, line: usize) -> usize {
        self.span(line).map_or(0, |span| span.len())
    }

    /// Line and column of a byte of this text, from 1; a byte order mark has no column.
    pub(super) fn place(&self, text: &str, at: usize) -> (usize, usize) {
        let at = at.min(self.end);
        let line = self.line(at);
        let mark = usize::from(line == 0 && at > 0 && text.starts_with('\u{feff}'));
        (line + 1, self.before(text, at) - self.before(text, self.starts[line]) - mark + 1)
    }

    fn before(&self, text: &str, at: usize) -> usize {
        let block = at / STRIDE;
        self.counted[block] + characters(&text.as_bytes()[block * STRIDE..at])
    }
}

/// Characters that begin in these bytes.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn columns_are_counted_in_characters_however_long_the_line() {
        let text = format!("a\n{}x\r\n", "é".repeat(3000));
        let lines = Lines::new(&text);
        assert_eq!(lines.place(&text, 0), (1, 1));
        assert_eq!(lines.place(&text, 2), (2, 1));
        assert_eq!(lines.place(&text, 6002), (2, 3001));
        assert_eq!(lines.place(&text, text.len()), (3, 1));
    }

    #[test]
    fn an_empty_text_has_one_place() {
        assert_eq!(Lines::new("").place("", 7), (1, 1));
    }
}
