//! Foreign text made harmless for a terminal. The one gate for what a server or a file says.

/// The most bytes of foreign text that are shown.
const MOST: usize = 4096;

/// The text without what moves a cursor or reorders a line: C0 but line ends and tabs, DEL, C1, and
/// bidirectional controls. At most 4 KiB, cut between characters, with `…` where it was cut. A caller
/// that shows one line replaces line ends and tabs itself.
pub fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(MOST));
    for c in text.chars().filter(|c| is_harmless(*c)) {
        if shown.len() + c.len_utf8() > MOST {
            shown.push('…');
            break;
        }
        shown.push(c);
    }
    shown
}

/// As [`escape`], in one line: line ends and tabs become spaces.
pub(super) fn escape_line(text: &str) -> String {
    escape(text).replace(['\n', '\t'], " ")
}

fn is_harmless(c: char) -> bool {
    match c {
        '\n' | '\t' => true,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        c => !c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_or_reorders_a_line_passes() {
        let nasty = "a\x1b]0;title\x07b\x1b[2Jc\u{9b}31md\u{202e}e\x7ff\rg\0h\u{2066}i\u{2028}j";
        assert_eq!(escape(nasty), "a]0;titleb[2Jc31mdefghij");
        assert_eq!(escape("two\nlines\tand a tab, é 🦀 שלום"), "two\nlines\tand a tab, é 🦀 שלום");
        assert_eq!(escape_line("two\nlines"), "two lines");
    }

    #[test]
    fn no_more_than_4_kib_and_no_half_character() {
        let long = escape(&"é".repeat(1 << 20));
        assert_eq!(long.len(), MOST + '…'.len_utf8());
        assert_eq!(escape(&"x".repeat(MOST)).len(), MOST);
        assert!(escape(&format!("x{}", "🦀".repeat(5000))).ends_with("🦀…"));
    }
}
