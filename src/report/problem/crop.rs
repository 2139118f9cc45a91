//! Lines that are wider than the terminal, cut down to what is around the labels: a drawing that wraps
//! points at nothing.

use std::collections::BTreeSet;
use std::ops::Range;

use super::lines::Lines;
use crate::report::style::columns;

/// The most to keep on either side of a label.
const MARGIN: usize = 160;
/// A label longer than this may lose its middle.
const LONG_LABEL: usize = 40;
/// How much of each end such a label keeps.
const ENDS: usize = 14;
/// Columns between the middle of a label and the text that hangs on it.
const HOOK: usize = 4;

/// A label: what it marks, and how wide its text is.
pub(super) struct Mark {
    pub(super) range: Range<usize>,
    pub(super) text: usize,
}

/// The text with every quoted line cut to `room` columns, and where the marks are in it; `None` when
/// nothing has to be cut, or a mark spans lines. `dots` stand for what was left out.
pub(super) fn crop(
    text: &str,
    lines: &Lines,
    marks: &[Mark],
    room: usize,
    dots: &str,
) -> Option<(String, Vec<Range<usize>>)> {
    if marks.iter().any(|mark| lines.line(mark.range.start) != lines.line(mark.range.end)) {
        return None;
    }
    let quoted: BTreeSet<usize> = marks
        .iter()
        .map(|mark| lines.line(mark.range.start))
        .flat_map(|line| [line.saturating_sub(1), line, line + 1])
        .collect();
    let mut out = String::with_capacity(text.len());
    let mut ranges: Vec<Range<usize>> = marks.iter().map(|mark| mark.range.clone()).collect();
    let (mut at, mut cut_any) = (0, false);
    for line in quoted {
        let Some(span) = lines.span(line) else { continue };
        let own = text[span.clone()].trim_end_matches('\n');
        out.push_str(&text[at..span.start]);
        let here: Vec<usize> =
            (0..marks.len()).filter(|i| lines.line(marks[*i].range.start) == line).collect();
        let inner: Vec<Mark> = here
            .iter()
            .map(|i| {
                let range = &marks[*i].range;
                let end = (range.end - span.start).min(own.len());
                Mark { range: (range.start - span.start).min(end)..end, text: marks[*i].text }
            })
            .collect();
        let cut = Cut::fitting(own, &inner, room, dots);
        for (i, mark) in here.iter().zip(&inner) {
            ranges[*i] = out.len() + cut.at(mark.range.start)..out.len() + cut.at(mark.range.end);
        }
        cut_any |= cut.text != own;
        out.push_str(&cut.text);
        at = span.start + own.len();
    }
    out.push_str(&text[at..]);
    cut_any.then_some((out, ranges))
}

/// A line with pieces left out.
struct Cut {
    text: String,
    /// Where each character of the line, and its end, is in the text.
    places: Vec<(usize, usize)>,
}

impl Cut {
    /// As much of a line as fits, with the texts that hang on its marks.
    fn fitting(line: &str, marks: &[Mark], room: usize, dots: &str) -> Self {
        let whole = Cut::new(line, dots, |_| true);
        if whole.fits(marks, room) {
            return whole;
        }
        if marks.is_empty() {
            let mut used = columns(dots);
            return Cut::new(line, dots, |at| {
                used += line[at..].chars().next().map_or(0, |c| columns(c.encode_utf8(&mut [0; 4])));
                used <= room
            });
        }
        let around = |before: usize, after: usize| {
            Cut::new(line, dots, |at| {
                marks.iter().any(|Mark { range, .. }| {
                    let near = |range: Range<usize>| at + before >= range.start && at < range.end + after;
                    match range.len() {
                        ..=LONG_LABEL => near(range.clone()),
                        _ => near(range.start..range.start + ENDS) || near(range.end - ENDS..range.end),
                    }
                })
            })
        };
        // What is behind a label is kept as far as it fits; what is before it also moves its text.
        let fits = |before: usize, after: usize| around(before, after).fits(marks, room);
        let before = (0..MARGIN).rev().find(|margin| fits(*margin, *margin)).unwrap_or(0);
        let after = (before..MARGIN).take_while(|after| fits(before, *after)).last().unwrap_or(before);
        around(before, after)
    }

    /// The characters to keep, by their place in bytes; a gap not wider than the dots is kept as well.
    fn new(line: &str, dots: &str, mut keep: impl FnMut(usize) -> bool) -> Self {
        let mut kept: Vec<(usize, char, bool)> =
            line.char_indices().map(|(at, c)| (at, c, keep(at))).collect();
        for gap in kept.chunk_by_mut(|a, b| a.2 == b.2).filter(|gap| gap.len() <= columns(dots)) {
            gap.iter_mut().for_each(|(_, _, keep)| *keep = true);
        }
        let all = kept.iter().all(|(_, _, keep)| *keep);
        let (mut text, mut places, mut gap) = (String::new(), Vec::with_capacity(kept.len() + 1), false);
        for (at, c, keep) in kept {
            places.push((at, text.len()));
            match keep {
                // A tab would need to know its column.
                true => text.push(if c == '\t' && !all { ' ' } else { c }),
                false if !gap => text.push_str(dots),
                false => {}
            }
            gap = !keep;
        }
        places.push((line.len(), text.len()));
        Cut { text, places }
    }

    /// Where a byte of the line is in the text.
    fn at(&self, byte: usize) -> usize {
        let place = self.places.partition_point(|(at, _)| *at < byte);
        self.places.get(place).map_or(self.text.len(), |(_, to)| *to)
    }

    fn fits(&self, marks: &[Mark], room: usize) -> bool {
        let wide = |text: &str| columns(text) + 3 * text.matches('\t').count();
        wide(&self.text) <= room
            && marks.iter().all(|mark| {
                let (start, end) = (self.at(mark.range.start), self.at(mark.range.end));
                wide(&self.text[..start]) + wide(&self.text[start..end]) / 2 + HOOK + mark.text <= room
            })
    }
}
