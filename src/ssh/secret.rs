//! A secret in memory: wiped when dropped, never shown. Knows nothing of where it came from.

use std::fmt;

use zeroize::Zeroizing;

/// A password, a passphrase or a one-time code. `Debug` shows asterisks, the same for all.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text over.
    pub fn new(text: String) -> Self {
        Secret(Zeroizing::new(text))
    }

    /// The first line of what a program printed or a file holds, without its end; `None` when it is no
    /// text. The bytes are wiped.
    pub fn first_line(bytes: Vec<u8>) -> Option<Self> {
        let bytes = Zeroizing::new(bytes);
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        std::str::from_utf8(line).ok().map(|line| Secret::new(line.to_owned()))
    }

    /// The secret itself, for the one that it is given to.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn it_is_masked_whatever_it_is() {
        for text in ["", "hunter2", "a longer one"] {
            assert_eq!(format!("{:?}", Secret::new(text.to_owned())), "Secret(***)");
        }
    }

    #[test]
    fn only_the_first_line_counts() {
        for (bytes, wanted) in [
            (b"hunter2\nuser: alice\n".as_slice(), Some("hunter2")),
            (b"with spaces \r\n", Some("with spaces ")),
            (b"no end", Some("no end")),
            (b"\nsecond", Some("")),
            (b"\xff\xfe", None),
        ] {
            assert_eq!(Secret::first_line(bytes.to_vec()).as_ref().map(Secret::expose), wanted);
        }
    }
}
