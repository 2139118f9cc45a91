//! Problems in a topology file, drawn for a person or listed for a program. Blots out every secret
//! of the text it quotes and everything in it that a terminal would act on; prints nothing itself.

mod crop;
mod lines;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use serde_json::{Value, json};

use self::crop::{Mark, crop};
use self::lines::Lines;
use super::page;
use super::style::{Style, columns};
use crate::plan::show::fold;
use crate::topology::{Label, Problem, code, is_unsafe, mask_secrets};

/// Problems that are drawn in full; a file with more has one cause that the first ones show.
const DRAWN: usize = 50;
/// Lines longer than this are named, not drawn.
const LONGEST_LINE: usize = 400;

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether to colour.
    pub colour: bool,
    /// Whether to draw with box characters instead of ASCII.
    pub unicode: bool,
}

impl Look {
    fn style(self) -> Style {
        Style { colour: self.colour, unicode: self.unicode, width: self.width }
    }
}

/// Draws the problems of the file at `path` with this text, and how many there are.
pub fn render(problems: &[Problem], path: &str, text: &str, look: Look) -> String {
    let path = escaped(path);
    let page = Page::new(problems, &path, text);
    let mut out = String::new();
    for problem in problems.iter().take(DRAWN) {
        let drawing = page.drawable(problem).then(|| draw(problem, &page, look)).flatten();
        out.push_str(&drawing.unwrap_or_else(|| tell(problem, &page, look)));
        out.push('\n');
    }
    if let Some(more @ 1..) = problems.len().checked_sub(DRAWN) {
        out.push_str(&format!("… and {more} more.\n"));
    }
    let s = if problems.len() == 1 { "" } else { "s" };
    out.push_str(&format!("{} problem{s}. Nothing was started.\n", problems.len()));
    // The problems' own words know nothing of how they are drawn.
    if look.unicode { out } else { out.replace('…', "...") }
}

/// The problems as an array for editors and scripts. Lines and columns count from 1, columns in
/// characters; `range` is in bytes of the file.
pub fn problems_json(problems: &[Problem], path: &str, text: &str) -> Value {
    let lines = Lines::new(text);
    let one = |problem: &Problem| {
        let (line, column) = lines.place(text, problem.label.range.start);
        let related: Vec<Value> = problem.related.iter().map(|label| labelled(&lines, text, label)).collect();
        json!({
            "code": problem.code,
            "message": problem.message,
            "file": path,
            "line": line,
            "column": column,
            "range": [problem.label.range.start, problem.label.range.end],
            "label": problem.label.text,
            "related": related,
            "help": problem.help,
        })
    };
    problems.iter().map(one).collect()
}

fn labelled(lines: &Lines, text: &str, label: &Label) -> Value {
    let (line, column) = lines.place(text, label.range.start);
    json!({
        "line": line,
        "column": column,
        "range": [label.range.start, label.range.end],
        "label": label.text,
    })
}

/// The text as it may be shown, and how its ranges differ from the file's.
struct Page {
    path: String,
    text: String,
    lines: Lines,
    /// Bytes that the file has in front of the shown text.
    skipped: usize,
}

impl Page {
    fn new(problems: &[Problem], path: &str, text: &str) -> Self {
        let mut bytes = mask_secrets(text).into_bytes();
        // What the reader found is blotted out as well: it sees through escapes, the mask does not.
        for problem in problems.iter().filter(|problem| problem.code == code::SECRET) {
            let range = &problem.label.range;
            if text.is_char_boundary(range.start) && text.is_char_boundary(range.end) {
                let inside = &mut bytes[range.clone()];
                inside
                    .iter_mut()
                    .filter(|byte| !matches!(**byte, b'"' | b'\n'))
                    .for_each(|byte| *byte = b'*');
            }
        }
        let masked = String::from_utf8_lossy(&bytes);
        let shown: String = masked.trim_start_matches('\u{feff}').chars().map(harmless).collect();
        let skipped = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let lines = Lines::new(&shown);
        Page { path: path.to_owned(), text: shown, lines, skipped }
    }

    fn range(&self, range: &Range<usize>) -> Range<usize> {
        range.start.saturating_sub(self.skipped)..range.end.saturating_sub(self.skipped)
    }

    /// Whether every line that a drawing would quote is of a size to look at.
    fn drawable(&self, problem: &Problem) -> bool {
        let labels = std::iter::once(&problem.label).chain(&problem.related);
        !self.text.is_empty()
            && labels.map(|label| self.range(&label.range)).all(|range| {
                let line = self.lines.line(range.start);
                range.end <= self.text.len()
                    && (line.saturating_sub(1)..=line + 1).all(|line| self.lines.length(line) <= LONGEST_LINE)
            })
    }
}

/// The same character, or one of the same length in bytes that does nothing.
fn harmless(c: char) -> char {
    match (c, c.len_utf8()) {
        ('\n' | '\t', _) => c,
        ('\r', _) => ' ',
        _ if !is_unsafe(c) => c,
        (_, 1) => '?',
        (_, 2) => '\u{b7}',
        (_, 3) => char::REPLACEMENT_CHARACTER,
        _ => '\u{1fbc4}',
    }
}

fn draw(problem: &Problem, page: &Page, look: Look) -> Option<String> {
    let mut characters = match look.unicode {
        true => ThemeCharacters::unicode(),
        false => ThemeCharacters::ascii(),
    };
    // What the library writes as its first line is replaced: it breaks lines within words.
    characters.error = String::new();
    let styles = if look.colour { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let mut out = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_wrap_lines(false)
        .with_urls(false)
        .without_cause_chain()
        .without_syntax_highlighting()
        .render_report(&mut out, &Drawing::new(problem, page, look))
        .ok()?;
    let (_, drawing) = out.split_once('\n')?;
    Some(page::head(problem.code, &problem.message, look.style()) + drawing)
}

/// The problem without its line: for lines that are no use on a screen.
fn tell(problem: &Problem, page: &Page, look: Look) -> String {
    let mut out = page::head(problem.code, &problem.message, look.style());
    for label in std::iter::once(&problem.label).chain(&problem.related) {
        let (line, column) = page.lines.place(&page.text, page.range(&label.range).start);
        out.push_str(&format!("  at {}:{line}:{column}: {}\n", page.path, label.text));
    }
    if let Some(help) = &problem.help {
        out.push_str(&format!("  help: {}\n", wrap(help, look).replace('\n', "\n        ")));
    }
    out
}

/// A help text in lines: the drawing library breaks file names and options at their dashes, and a person
/// copies what stands there.
fn wrap(text: &str, look: Look) -> String {
    const INDENT: usize = "  help: ".len();
    fold(text, 0, 0, look.width.saturating_sub(INDENT).max(32)).join("\n")
}

fn escaped(path: &str) -> String {
    crate::topology::escape(path)
}

/// A problem over its lines, as far as these fit.
struct Drawing<'p> {
    problem: &'p Problem,
    page: &'p Page,
    text: Cow<'p, str>,
    /// Where the labels are in the text, the primary one first.
    ranges: Vec<Range<usize>>,
    help: Option<String>,
}

impl<'p> Drawing<'p> {
    fn new(problem: &'p Problem, page: &'p Page, look: Look) -> Self {
        let labels: Vec<&Label> = std::iter::once(&problem.label).chain(&problem.related).collect();
        let ranges: Vec<Range<usize>> = labels.iter().map(|label| page.range(&label.range)).collect();
        let marks = labels.iter().zip(&ranges);
        let marks: Vec<Mark> =
            marks.map(|(label, range)| Mark { range: range.clone(), text: columns(&label.text) }).collect();
        // Beside the highest line number that may be quoted stand two spaces and a bar with its space.
        let lines = ranges.iter().map(|range| page.lines.line(range.end) + 2).max().unwrap_or(1);
        let room = look.width.saturating_sub(lines.to_string().len() + 4);
        let cut = crop(&page.text, &page.lines, &marks, room, look.style().pick("…", "..."));
        let help = problem.help.as_ref().map(|help| wrap(help, look));
        let (text, ranges) = cut
            .map_or((Cow::Borrowed(page.text.as_str()), ranges), |(text, ranges)| (Cow::Owned(text), ranges));
        Drawing { problem, page, text, ranges, help }
    }

    /// The column in the file, from 0, of a label that begins here in the text.
    fn column(&self, at: usize) -> usize {
        let labels = std::iter::once(&self.problem.label).chain(&self.problem.related);
        let label = labels.zip(&self.ranges).find(|(_, range)| range.start == at);
        let place =
            |label: &Label| self.page.lines.place(&self.page.text, self.page.range(&label.range).start);
        label.map_or(0, |(label, _)| place(label).1 - 1)
    }
}

impl SourceCode for Drawing<'_> {
    /// As the text itself does it, but with the file's name and with columns in characters, not bytes.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let found = self.text.as_ref().read_span(span, lines_before, lines_after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.page.path.clone(),
            found.data(),
            *found.span(),
            found.line(),
            self.column(found.span().offset()),
            found.line_count(),
        )))
    }
}

impl fmt::Debug for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Drawing<'_> {}

impl Diagnostic for Drawing<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = std::iter::once(&self.problem.label).chain(&self.problem.related).zip(&self.ranges);
        let spans = labels.enumerate().map(|(place, (label, range))| match place {
            0 => LabeledSpan::new_primary_with_span(Some(label.text.clone()), range.clone()),
            _ => LabeledSpan::new_with_span(Some(label.text.clone()), range.clone()),
        });
        Some(Box::new(spans))
    }
}

#[cfg(test)]
mod tests;
