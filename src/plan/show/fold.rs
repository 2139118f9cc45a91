//! Prose in lines that fit. Breaks between words only: file names, addresses and whatever else a person
//! may copy stay whole.

use unicode_width::UnicodeWidthStr;

/// The text in lines of at most `width` columns. The first one has `used` columns in front of it that are
/// not part of the text; each further one begins with `indent` spaces. A word that is wider than a line
/// has one of its own.
pub fn fold(text: &str, used: usize, indent: usize, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let (mut at, mut first) = (used, true);
    for word in text.split(' ') {
        let wide = word.width();
        if word.is_empty() && first && lines.len() > 1 {
            continue;
        }
        if !first && at + 1 + wide > width {
            lines.last_mut().into_iter().for_each(|line| line.truncate(line.trim_end().len()));
            lines.push(" ".repeat(indent));
            (at, first) = (indent, true);
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if first { "" } else { " " });
            line.push_str(word);
        }
        at += wide + usize::from(!first);
        first = false;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn lines_break_between_words_and_a_long_word_stays_whole() {
        assert_eq!(fold("one two three", 4, 2, 11), ["one two", "  three"]);
        assert_eq!(fold("a /very/long/path b", 0, 2, 8), ["a", "  /very/long/path", "  b"]);
        assert_eq!(fold("columns   apart", 0, 2, 10), ["columns", "  apart"]);
        assert_eq!(fold("a   b", 0, 0, 80), ["a   b"]);
        assert_eq!(fold("all of it", 0, 0, 80), ["all of it"]);
        assert_eq!(fold("", 0, 0, 80), [""]);
    }
}
