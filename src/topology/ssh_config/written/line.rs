//! A line of an ssh configuration: its keyword, and the words after it, by the rules of quoting that `ssh` has.

/// A line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The keyword in lower case.
    pub keyword: String,
    /// Everything after it, as it stands.
    pub rest: String,
    /// The same, word by word, up to a comment.
    pub words: Vec<String>,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// Empty, or a comment.
    Nothing,
    /// Something.
    Line(Line),
    /// Neither: what is wrong with it. `ssh` refuses the whole configuration for it.
    Wrong(&'static str),
}

/// What stands between words.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

impl Line {
    /// Reads one.
    pub fn read(text: &str) -> Read {
        let mut rest = Some(text.trim_end_matches([' ', '\t', '\r', '\n', '\x0c']));
        let mut keyword = word(&mut rest);
        if keyword.as_deref() == Some("") {
            keyword = word(&mut rest);
        }
        let keyword = match keyword {
            Some(keyword) if !keyword.is_empty() && !keyword.starts_with('#') => keyword.to_ascii_lowercase(),
            _ => return Read::Nothing,
        };
        let rest = rest.unwrap_or_default().trim_start_matches(SPACE);
        if rest.is_empty() {
            return Read::Wrong("nothing stands after the keyword");
        }
        match words(rest) {
            Some(words) => Read::Line(Line { keyword, rest: rest.to_owned(), words }),
            None => Read::Wrong("a quotation mark is not closed"),
        }
    }
}

/// The next word, in the way of keywords and of `Match`: up to a space or one `=`; what is quoted is one word.
/// `None` at the end, and where a quotation mark is not closed.
pub fn word(rest: &mut Option<&str>) -> Option<String> {
    let text = rest.take()?;
    let Some(at) = text.find(|c| SPACE.contains(&c) || c == '"' || c == '=') else {
        return Some(text.to_owned());
    };
    let (before, after) = (&text[..at], &text[at + 1..]);
    if text[at..].starts_with('"') {
        let (quoted, after) = after.split_once('"')?;
        *rest = Some(after.trim_start_matches(SPACE));
        return Some(format!("{before}{quoted}"));
    }
    let mut after = after.trim_start_matches(SPACE);
    if !text[at..].starts_with('=')
        && let Some(behind) = after.strip_prefix('=')
    {
        after = behind.trim_start_matches(SPACE);
    }
    *rest = Some(after);
    Some(before.to_owned())
}

/// All words up to a comment, with quotes and backslashes taken away; `None` where a quotation mark is not closed.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(&first) = letters.peek() {
        if first == ' ' || first == '\t' {
            letters.next();
            continue;
        }
        if first == '#' {
            break;
        }
        let (mut word, mut quote) = (String::new(), None);
        while let Some(letter) = letters.next() {
            match (letter, quote) {
                ('\\', _) => match letters.peek().copied() {
                    Some(next) if ['\'', '"', '\\'].contains(&next) || (next == ' ' && quote.is_none()) => {
                        letters.next();
                        word.push(next);
                    }
                    _ => word.push('\\'),
                },
                (' ' | '\t', None) => break,
                ('"' | '\'', None) => quote = Some(letter),
                (_, Some(open)) if open == letter => quote = None,
                _ => word.push(letter),
            }
        }
        if quote.is_some() {
            return None;
        }
        words.push(word);
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Vec<String>) {
        match Line::read(text) {
            Read::Line(line) => (line.keyword, line.words),
            other => panic!("{text:?} is {other:?}"),
        }
    }

    #[test]
    fn keyword_and_words_are_told_apart_as_ssh_does() {
        for (text, keyword, words) in [
            ("Host a b", "host", vec!["a", "b"]),
            ("\t hostNAME =  a # b", "hostname", vec!["a"]),
            ("Port=22\r", "port", vec!["22"]),
            ("User = = b", "user", vec!["=", "b"]),
            ("\"User\" b", "user", vec!["b"]),
            ("User 'a b'\"c d\"", "user", vec!["a bc d"]),
            (r"User a\ b\x\\", "user", vec![r"a b\x\"]),
            ("User a#b", "user", vec!["a#b"]),
            ("User #b", "user", vec![]),
            (r#"User "a\"b""#, "user", vec!["a\"b"]),
        ] {
            assert_eq!(read(text), (keyword.to_owned(), words.iter().map(ToString::to_string).collect()));
        }
    }

    #[test]
    fn what_says_nothing_and_what_is_wrong_is_told() {
        for text in ["", "   ", "# Host a", "\t#"] {
            assert_eq!(Line::read(text), Read::Nothing, "{text:?}");
        }
        for text in ["Host", "Port =", "User \"a", "User 'a\""] {
            assert!(matches!(Line::read(text), Read::Wrong(_)), "{text:?}");
        }
    }
}
