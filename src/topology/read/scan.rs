//! What is refused before the parser sees a byte: too large, too deep, and what the parser would let
//! pass (block comments, odd spaces, raw control characters). Linear, no recursion, never a tree.

use crate::topology::{Problem, code};

/// The largest file that is read, in bytes.
pub(super) const LARGEST: usize = 1 << 20;
/// The deepest nesting that is read.
pub(super) const DEEPEST: usize = 32;

/// Looks through the text once.
pub(super) fn check(text: &str) -> Result<(), Box<Problem>> {
    if text.len() > LARGEST {
        let message =
            format!("the file is {} KiB long; hopper reads up to 1024 KiB", text.len().div_ceil(1024));
        return Err(Box::new(
            Problem::new(code::LIMIT, 0..0, "this file", message)
                .help("a topology is hosts and links; is this the right file?"),
        ));
    }
    let mut scan = Scan { text, at: if text.starts_with('\u{feff}') { 3 } else { 0 }, depth: 0 };
    while scan.at < text.len() {
        // An odd quote, a stray backslash: the parser says it better, and stops there.
        if !scan.step()? {
            break;
        }
    }
    Ok(())
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Scan<'_> {
    fn step(&mut self) -> Result<bool, Box<Problem>> {
        let rest = &self.text[self.at..];
        let Some(c) = rest.chars().next() else { return Ok(false) };
        match c {
            '"' => return self.string(),
            '\'' => return Ok(false),
            '/' if rest.starts_with("//") => {
                self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
                return Ok(true);
            }
            '/' if rest.starts_with("/*") => {
                let place = self.at..self.at + 2;
                return Err(Box::new(
                    Problem::new(
                        code::SYNTAX,
                        place,
                        "a block comment begins here",
                        "comments are written with `//`",
                    )
                    .help("put `//` in front of each line of the comment"),
                ));
            }
            '{' | '[' => self.depth += 1,
            '}' | ']' => self.depth = self.depth.saturating_sub(1),
            ' ' | '\t' | '\n' | '\r' => {}
            _ if c.is_control() || c.is_whitespace() => {
                let message = format!("U+{:04X} is not a space that JSON knows", u32::from(c));
                return Err(self.here(
                    c,
                    "an invisible character",
                    message,
                    "replace it by an ordinary space",
                ));
            }
            _ => {}
        }
        if self.depth > DEEPEST {
            let message = format!("nested too deep: hopper reads {DEEPEST} levels");
            return Err(Box::new(
                Problem::new(code::LIMIT, self.at..self.at + 1, "one level too many", message)
                    .help("a topology needs no more than six"),
            ));
        }
        self.at += c.len_utf8();
        Ok(true)
    }

    fn string(&mut self) -> Result<bool, Box<Problem>> {
        let opening = self.at;
        self.at += 1;
        let mut escaped = false;
        while let Some(c) = self.text[self.at..].chars().next() {
            if c == '\n' || c == '\r' {
                let label = "this string is not closed on its line";
                return Err(Box::new(
                    Problem::new(code::SYNTAX, opening..opening + 1, label, "a string is never closed")
                        .help("add the missing `\"`; a line break inside a string is written \\n"),
                ));
            }
            if c.is_control() {
                let message = format!("U+{:04X} stands raw in a string", u32::from(c));
                let help = format!("write \\u{:04x}, or leave it out", u32::from(c));
                return Err(self.here(c, "a control character", message, &help));
            }
            self.at += c.len_utf8();
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    }

    fn here(&self, c: char, label: &str, message: String, help: &str) -> Box<Problem> {
        Box::new(Problem::new(code::SYNTAX, self.at..self.at + c.len_utf8(), label, message).help(help))
    }
}
