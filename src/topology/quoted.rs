//! Foreign text made fit for a message: quoted, shortened, without a byte that could move a cursor
//! or turn the reading direction, and without a password. Never decides what is allowed in a file.

use super::escape::is_unsafe;
use super::secret;

/// The text in double quotes, safe to show on a terminal.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    if secret::holds_key(text) {
        return "\"***\"".to_owned();
    }
    let hidden = secret::password_in_address(text);
    let mut shown = String::from("\"");
    for (i, (at, c)) in text.char_indices().enumerate() {
        if i == LONGEST {
            shown.push('…');
            break;
        }
        match &hidden {
            Some(range) if range.contains(&at) => shown.push('*'),
            _ if is_unsafe(c) => shown.extend(c.escape_unicode()),
            _ => shown.push(c),
        }
    }
    shown.push('"');
    shown
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_could_harm_a_terminal_is_spelled_out() {
        assert_eq!(quoted("a\u{1b}[2Jb"), r#""a\u{1b}[2Jb""#);
        assert_eq!(quoted("\u{202e}evil"), r#""\u{202e}evil""#);
        assert_eq!(quoted("grün"), "\"grün\"");
    }

    #[test]
    fn no_secret_gets_into_a_message() {
        assert_eq!(quoted("alice:pw@gate"), "\"alice:**@gate\"");
        assert!(!quoted("x-----BEGIN OPENSSH PRIVATE KEY-----b3BlbnNza").contains("b3B"));
        assert!(quoted(&"x".repeat(500)).len() < 80);
    }
}
