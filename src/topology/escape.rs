//! Makes foreign text harmless before it meets a terminal or a log.

/// The most of a foreign text that is ever shown, in bytes.
const LIMIT: usize = 4096;

/// The text with control characters and bidirectional overrides spelled out, and cut at 4 KiB: what
/// a file or a server says must not be able to move a cursor or pose as hopper. Once escaped, it stays as
/// it is however often it is escaped again.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len().min(LIMIT));
    for c in text.chars() {
        let before = safe.len();
        if is_unsafe(c) {
            safe.extend(c.escape_unicode())
        } else {
            safe.push(c)
        }
        if safe.len() > LIMIT {
            safe.truncate(before);
            safe.push('…');
            break;
        }
    }
    safe
}

/// Whether a character could do something to a terminal or to the order of what is read there.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Mostly what does harm, and long enough to be cut at any place.
    fn hostile() -> impl Strategy<Value = String> {
        let worst =
            prop::sample::select(&['\u{1b}', '\u{9b}', '\u{202e}', '\u{e0041}', '\n', 'ü', '✔', '\\', '…']);
        let c = prop_oneof![3 => worst, 1 => any::<char>()];
        prop::collection::vec(c, 0..1500).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn whatever_is_escaped_is_harmless_bounded_and_stays_as_it_is(text in hostile()) {
            let safe = escape(&text);
            prop_assert!(!safe.chars().any(is_unsafe), "{:?}", safe);
            prop_assert!(safe.len() <= LIMIT + '…'.len_utf8());
            prop_assert_eq!(escape(&safe), safe);
        }

        #[test]
        fn what_does_no_harm_is_kept_as_it_is(text in "[ -~äöü✔日]{0,400}") {
            prop_assert_eq!(escape(&text), text);
        }
    }

    #[test]
    fn nothing_that_moves_a_cursor_survives() {
        let hostile = "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}abc\r\n\u{7f}";
        let safe = escape(hostile);
        assert!(!safe.chars().any(is_unsafe), "{safe:?}");
        assert!(safe.contains("abc"));
    }

    #[test]
    fn ordinary_text_is_kept_and_long_text_is_cut() {
        assert_eq!(escape("gate-b: größer ✔"), "gate-b: größer ✔");
        assert!(escape(&"x".repeat(1_000_000)).len() < 5000);
    }
}
