//! Text as a drawing has it: how wide it is, how much of it is shown, and what XML must not take for
//! its own. Knows nothing of what is drawn.

use unicode_width::UnicodeWidthStr;

/// Pixels from one line of text to the next.
pub(super) const LINE: usize = 16;

/// Columns of a text that are drawn; what is longer ends in an ellipsis.
const MOST: usize = 96;

/// How wide the text is when drawn, in pixels: a column of 12 pixels' monospace, rounded up.
pub(super) fn wide(text: &str) -> usize {
    (cut(text).width() * 73).div_ceil(10)
}

/// The text as it is drawn, safe between tags and between quotes.
pub(super) fn text(text: &str) -> String {
    all(&cut(text))
}

/// The whole text, safe between tags and between quotes.
pub(super) fn all(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // These two are no characters of XML, in no spelling.
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            _ => safe.push(c),
        }
    }
    safe
}

fn cut(text: &str) -> String {
    if text.width() <= MOST {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        short.push(c);
        if short.width() >= MOST {
            short.pop();
            break;
        }
    }
    short + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(text("<a href='x'>&\"\u{ffff}"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\u{fffd}");
    }

    #[test]
    fn long_texts_are_cut_and_wide_characters_count_twice() {
        let long = "日".repeat(100);
        assert!(text(&long).ends_with('…') && wide(&long) <= 710, "{}", wide(&long));
        assert_eq!((wide("ab"), wide("日")), (15, 15));
    }
}
