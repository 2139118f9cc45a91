//! A Rust file as text: without comments, literals and tests, and the paths that are left.

/// A Rust file, of which only the code that ships counts.
pub struct Source {
    /// Where it is, from the root of the project.
    pub file: String,
    /// Everything but comments and what literals hold.
    code: String,
    /// The same without what `#[cfg(test)]` marks.
    shipped: String,
}

/// What marks the next item as a test's.
const TEST: &str = "#[cfg(test)]";

impl Source {
    /// Reads the text of a file.
    pub fn new(file: &str, text: &str) -> Self {
        let code = bare(text);
        let shipped = without_tests(&code);
        Source { file: file.to_owned(), code, shipped }
    }

    /// The room it belongs to: the folder below `src`, or its own name.
    pub fn room(&self) -> String {
        let inner = self.file.trim_start_matches("src/");
        inner.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned()
    }

    /// The files and folders of modules that only tests compile, without `.rs`.
    pub fn test_modules(&self) -> Vec<String> {
        let folder = self.file.trim_end_matches(".rs");
        let folder = match folder.rsplit_once('/') {
            Some((parent, "mod" | "lib" | "main")) => parent,
            _ => folder,
        };
        let marked = self.code.split(TEST).skip(1).filter_map(|rest| {
            let item = &rest[..rest.find([';', '{'])?];
            let name = item.split_once("mod ")?.1.trim();
            rest[item.len()..].starts_with(';').then(|| format!("{folder}/{name}"))
        });
        marked.collect()
    }

    /// Whether the shipped code has this text where no longer name ends with it.
    pub fn calls(&self, what: &str) -> bool {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        self.shipped.match_indices(what).any(|(at, _)| !self.shipped[..at].ends_with(is_name))
    }

    /// Every path in the shipped code: from `use`, groups opened up, and from expressions. `self` and
    /// `super` are replaced by what they stand for.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        let mut rest = self.shipped.as_str();
        let mut other = String::new();
        while let Some(at) = find_word(rest, "use") {
            other.push_str(&rest[..at]);
            other.push(' ');
            let end = rest[at..].find(';').map_or(rest.len(), |end| at + end);
            open_up("", &rest[at + 3..end], &mut paths);
            rest = &rest[end..];
        }
        other.push_str(rest);
        paths.extend(chains(&other));
        paths.into_iter().map(|path| self.absolute(&path)).collect()
    }

    /// The path with `self` and `super` resolved against this file's module.
    fn absolute(&self, path: &str) -> String {
        let mut parts: Vec<&str> = path.split("::").collect();
        if !matches!(parts[0], "self" | "super") {
            return path.to_owned();
        }
        let inner = self.file.trim_start_matches("src/").trim_end_matches(".rs");
        let mut module: Vec<&str> = inner.split('/').filter(|part| !matches!(*part, "mod" | "lib")).collect();
        while let Some(&first) = parts.first() {
            match first {
                "self" => {}
                "super" => _ = module.pop(),
                _ => break,
            }
            parts.remove(0);
        }
        [vec!["crate"], module, parts].concat().join("::")
    }
}

/// Adds every path of a `use` tree: `a::{b, c::d}` becomes `a::b` and `a::c::d`.
fn open_up(before: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim().trim_start_matches("::");
    if let Some((head, group)) = tree.split_once('{') {
        let group = group.trim_end().trim_end_matches('}');
        let (mut depth, mut start) = (0, 0);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    open_up(&format!("{before}{}", head.trim()), &group[start..at], paths);
                    start = at + 1;
                }
                _ => {}
            }
        }
        open_up(&format!("{before}{}", head.trim()), &group[start..], paths);
    } else if !tree.is_empty() {
        let name = tree.split_whitespace().next().unwrap_or_default();
        paths.push(format!("{before}{name}"));
    }
}

/// Every chain of names joined by `::`.
fn chains(code: &str) -> Vec<String> {
    let mut chains = Vec::new();
    for word in code.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':') {
        let word = word.trim_matches(':');
        if word.contains("::") {
            chains.push(word.to_owned());
        }
    }
    chains
}

/// Where a keyword stands on its own.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).map(|(at, _)| at).find(|&at| {
        !text[..at].ends_with(is_name) && text[at + word.len()..].starts_with(char::is_whitespace)
    })
}

/// The code without the items that are marked as tests.
fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some(at) = rest.find(TEST) {
        kept.push_str(&rest[..at]);
        rest = &rest[at + TEST.len()..];
        let Some(stop) = rest.find([';', '{']) else { return kept };
        let mut end = stop + 1;
        if rest[stop..].starts_with('{') {
            let mut depth = 0;
            end = rest.len();
            for (at, c) in rest[stop..].char_indices() {
                depth += i32::from(c == '{') - i32::from(c == '}');
                if depth == 0 {
                    end = stop + at + 1;
                    break;
                }
            }
        }
        rest = &rest[end..];
    }
    kept.push_str(rest);
    kept
}

/// The text with comments left out and literals emptied; line breaks outside them stay.
fn bare(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let named = out.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if c == '"' {
            1 + quoted(&rest[1..], '"')
        } else if !named && let Some(hashes) = raw(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = rest.find('"').unwrap_or_default() + 1;
            rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len())
        } else if c == '\'' && is_char(rest) {
            1 + quoted(&rest[1..], '\'')
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        out.push(' ');
        rest = &rest[skip..];
    }
    out
}

/// How many bytes a literal takes up to and with its closing quote.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// How many `#` a raw string that begins here has.
fn raw(text: &str) -> Option<usize> {
    let text = text.strip_prefix('b').unwrap_or(text).strip_prefix('r')?;
    let rest = text.trim_start_matches('#');
    rest.starts_with('"').then(|| text.len() - rest.len())
}

/// Whether a quote begins a character, not a lifetime.
fn is_char(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    chars.next() == Some('\\') || chars.next() == Some('\'')
}

#[test]
fn groups_tests_comments_and_literals_are_seen_for_what_they_are() {
    let text = "//! x
use crate::{a::{self, B}, c::D as E};
pub use super::super::ssh::Key; // use tokio::x;
fn f<'a>(c: char) -> bool { c == '\"' || russh::Sig::x(r#\"clap::X \"quoted\"\"#) }
#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests { use tokio::net; fn g() { petgraph::x() } }
fn h() { std::fs::read(\"a//b\"); }
";
    let source = Source::new("src/plan/show/text.rs", text);
    let wanted = [
        "crate::a::self",
        "crate::a::B",
        "crate::c::D",
        "crate::plan::ssh::Key",
        "russh::Sig::x",
        "std::fs::read",
    ];
    assert_eq!(source.paths(), wanted);
    assert_eq!(source.test_modules(), ["src/plan/show/text/laws"]);
    assert!(source.calls("read(") && !source.calls("ead(") && !source.calls("g("));
}
