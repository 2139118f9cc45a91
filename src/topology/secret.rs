//! Where a topology text holds secrets, found without a parser so that broken files are covered too.
//! Never returns a secret's text: callers get ranges, or a copy with the secrets blotted out.

use std::ops::Range;

/// The text with every secret replaced by `*`, byte for byte, so that ranges keep their meaning.
pub fn mask_secrets(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for range in ranges(text) {
        for byte in &mut bytes[range] {
            if *byte != b'\n' && *byte != b'\r' {
                *byte = b'*';
            }
        }
    }
    // Ranges begin and end on character boundaries, so this replaces whole characters only.
    String::from_utf8(bytes).unwrap_or_else(|broken| "*".repeat(broken.as_bytes().len()))
}

/// Whether a key by this name asks for a secret.
pub(super) fn is_secret_key(key: &str) -> bool {
    const NAMES: [&str; 12] = [
        "password",
        "passwd",
        "passphrase",
        "pass",
        "pwd",
        "token",
        "totp",
        "otp",
        "pin",
        "privatekey",
        "apikey",
        "secretkey",
    ];
    let plain: String = key.chars().filter(|c| !matches!(c, '_' | '-')).collect();
    NAMES.contains(&plain.to_ascii_lowercase().as_str())
}

/// Whether a string holds key material.
pub(super) fn holds_key(text: &str) -> bool {
    text.contains("-----BEGIN")
}

/// The password in `user:password@host`, as a range of that string.
pub(super) fn password_in_address(text: &str) -> Option<Range<usize>> {
    let at = text.rfind('@')?;
    // In `scheme://user:password@host` the colon that counts is after the slashes.
    let start = text[..at].find("//").map_or(0, |slashes| slashes + 2);
    let colon = start + text[start..at].find(':')?;
    Some(colon + 1..at)
}

/// Every secret in the text: values of secret keys, passwords in addresses, strings with a PEM header.
fn ranges(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut rest = Strings { text, at: 0 };
    // While inside the value of a secret key: how deep in its brackets.
    let mut secret: Option<usize> = None;
    while let Some(token) = rest.next_token() {
        match token {
            Token::Key(range) => {
                let key = &text[range];
                if secret.is_none() && (is_secret_key(key) || key.eq_ignore_ascii_case("secret")) {
                    secret = Some(0);
                }
            }
            Token::Value(range) => {
                let value = &text[range.clone()];
                if secret.is_some() || holds_key(value) {
                    found.push(range);
                } else if let Some(part) = password_in_address(value) {
                    found.push(range.start + part.start..range.start + part.end);
                }
                secret = secret.filter(|depth| *depth > 0);
            }
            Token::Open => secret = secret.map(|depth| depth + 1),
            Token::Close => secret = secret.and_then(|depth| depth.checked_sub(1)).filter(|depth| *depth > 0),
            Token::Comma => secret = secret.filter(|depth| *depth > 0),
        }
    }
    found
}

enum Token {
    Key(Range<usize>),
    Value(Range<usize>),
    Open,
    Close,
    Comma,
}

struct Strings<'a> {
    text: &'a str,
    at: usize,
}

impl Strings<'_> {
    fn next_token(&mut self) -> Option<Token> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            let start = self.at;
            match byte {
                quote @ (b'"' | b'\'') => {
                    let end = self.end_of_string(start + 1, quote);
                    self.at = (end + 1).min(bytes.len());
                    let after = self.text[self.at..].trim_start();
                    return Some(match after.starts_with(':') {
                        true => Token::Key(start + 1..end),
                        false => Token::Value(start + 1..end),
                    });
                }
                b'/' if bytes.get(start + 1) == Some(&b'/') => {
                    self.at = self.text[start..].find('\n').map_or(bytes.len(), |n| start + n);
                }
                b'{' | b'[' => {
                    self.at += 1;
                    return Some(Token::Open);
                }
                b'}' | b']' => {
                    self.at += 1;
                    return Some(Token::Close);
                }
                b',' => {
                    self.at += 1;
                    return Some(Token::Comma);
                }
                b':' | b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                _ => {
                    let word = self.text[start..].find(|c: char| "{}[],:\"'\n".contains(c));
                    self.at = word.map_or(bytes.len(), |n| start + n);
                    let bare = start..start + self.text[start..self.at].trim_end().len();
                    return Some(match self.text[self.at..].starts_with(':') {
                        true => Token::Key(bare),
                        false => Token::Value(bare),
                    });
                }
            }
        }
        None
    }

    /// A string that nobody closed ends with its line: better to blot out too much than too little.
    fn end_of_string(&self, from: usize, quote: u8) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\\' => at += 2,
                b'\n' => return at,
                _ if byte == quote => return at,
                _ => at += 1,
            }
        }
        bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::mask_secrets;

    #[test]
    fn secrets_are_blotted_out_and_nothing_else_moves() {
        for (text, seen) in [
            (r#"{"password": "hunter2", "a": "b"}"#, r#"{"password": "*******", "a": "b"}"#),
            (r#"{"pass": 12345, "a": 1}"#, r#"{"pass": *****, "a": 1}"#),
            (r#"{"api_key": ["x", "yz"], "a": "b"}"#, r#"{"api_key": ["*", "**"], "a": "b"}"#),
            (r#"{"secret": {"file": "k"}, "a": "b"}"#, r#"{"secret": {"file": "*"}, "a": "b"}"#),
            (r#"["alice:pw@gate:22"]"#, r#"["alice:**@gate:22"]"#),
            (r#"["-----BEGIN KEY"]"#, r#"["**************"]"#),
            ("{\"password\": \"open\n\"a\": 1}", "{\"password\": \"****\n\"a\": 1}"),
            ("{\"password\": \"é\"}", "{\"password\": \"**\"}"),
            (r#"{password: 'x'}"#, r#"{password: '*'}"#),
        ] {
            assert_eq!(mask_secrets(text), seen);
        }
    }

    proptest::proptest! {
        #[test]
        fn masking_keeps_every_length(text in "(?s)[{}\\[\\]:,\"'\\\\/ \npasword@é]{0,60}") {
            proptest::prop_assert_eq!(mask_secrets(&text).len(), text.len());
        }
    }
}
