//! How text may look on one stream: colour, characters, width. Reads the environment once, at the
//! start, and keeps nothing.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How text may look on one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences for colour may be written.
    pub colour: bool,
    /// Whether characters beyond ASCII may be written.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

/// What `--color` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColourChoice {
    /// The environment and the stream decide.
    #[default]
    Auto,
    /// Colour everywhere.
    Always,
    /// Colour nowhere.
    Never,
}

/// What a piece of text means, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Busy,
    Bad,
    Dim,
    Loud,
}

impl Style {
    /// Neither colour nor more than ASCII, 80 columns: for files, pipes and tests.
    pub const PLAIN: Style = Style { colour: false, unicode: false, width: 80 };

    /// The style of standard output.
    pub fn stdout(choice: ColourChoice, ascii: bool) -> Self {
        Self::of(&io::stdout(), choice, ascii)
    }

    /// The style of standard error.
    pub fn stderr(choice: ColourChoice, ascii: bool) -> Self {
        Self::of(&io::stderr(), choice, ascii)
    }

    fn of(stream: &(impl IsTerminal + AsFd), choice: ColourChoice, ascii: bool) -> Self {
        let terminal = stream.is_terminal();
        let columns = rustix::termios::tcgetwinsize(stream).map_or(0, |size| usize::from(size.ws_col));
        Self::judge(terminal, columns, choice, ascii, |name| std::env::var(name).ok())
    }

    fn judge(
        terminal: bool,
        columns: usize,
        choice: ColourChoice,
        ascii: bool,
        env: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let set = |name| env(name).filter(|value| !value.is_empty());
        let colour = match choice {
            ColourChoice::Always => true,
            ColourChoice::Never => false,
            ColourChoice::Auto if set("NO_COLOR").is_some() => false,
            ColourChoice::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            ColourChoice::Auto if set("TERM").as_deref() == Some("dumb") => false,
            ColourChoice::Auto if set("CLICOLOR").as_deref() == Some("0") => false,
            ColourChoice::Auto => terminal,
        };
        // The first that is set decides, as for every program that uses the C library's locale.
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        let unicode = !ascii && (locale.contains("utf-8") || locale.contains("utf8"));
        let named = set("COLUMNS").and_then(|value| value.parse().ok()).filter(|columns| *columns > 0);
        let width = if columns > 0 { columns } else { named.unwrap_or(80) };
        Style { colour, unicode, width: width.max(20) }
    }

    /// The text in the colour of its meaning.
    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Busy => "33",
            Tone::Bad => "1;31",
            Tone::Dim => "2",
            Tone::Loud => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// One of two spellings: with all of Unicode, or in ASCII.
    pub(super) fn pick<'a>(self, unicode: &'a str, ascii: &'a str) -> &'a str {
        if self.unicode { unicode } else { ascii }
    }
}

/// Columns that a text without escape sequences takes.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// The text filled up with spaces to a number of columns.
pub(super) fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(columns(text))))
}

/// The text cut to a number of columns. Escape sequences for colour take none and are all kept, so
/// that a cut never leaves a colour on.
pub(super) fn cut(text: &str, to: usize) -> String {
    let (mut kept, mut used, mut sequence) = (String::with_capacity(text.len()), 0, false);
    for c in text.chars() {
        sequence |= c == '\x1b';
        let width = if sequence { 0 } else { c.width().unwrap_or(0) };
        if sequence || used + width <= to {
            kept.push(c);
        }
        // Past the edge nothing but sequences follows, not even a narrower character.
        used += width;
        sequence &= c != 'm';
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(terminal: bool, choice: ColourChoice, env: &[(&str, &str)]) -> Style {
        let lookup =
            |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Style::judge(terminal, 0, choice, false, lookup)
    }

    #[test]
    fn colour_follows_the_flag_then_the_environment_then_the_stream() {
        use ColourChoice::{Always, Auto, Never};
        let colour = |terminal, choice, env: &[(&str, &str)]| judged(terminal, choice, env).colour;
        assert!(colour(true, Auto, &[]));
        assert!(!colour(false, Auto, &[]));
        assert!(colour(false, Always, &[("NO_COLOR", "1")]));
        assert!(!colour(true, Never, &[("CLICOLOR_FORCE", "1")]));
        assert!(!colour(true, Auto, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]));
        assert!(colour(true, Auto, &[("NO_COLOR", "")]));
        assert!(colour(false, Auto, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")]));
        assert!(!colour(true, Auto, &[("TERM", "dumb")]));
        assert!(!colour(true, Auto, &[("CLICOLOR", "0")]));
    }

    #[test]
    fn characters_follow_the_locale_and_width_the_terminal() {
        let auto = |env: &[(&str, &str)]| judged(true, ColourChoice::Auto, env);
        assert!(auto(&[("LANG", "de_DE.UTF-8")]).unicode);
        assert!(auto(&[("LC_CTYPE", "C.utf8"), ("LANG", "C")]).unicode);
        assert!(!auto(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]).unicode);
        assert!(!auto(&[]).unicode);
        assert_eq!(auto(&[]).width, 80);
        assert_eq!(auto(&[("COLUMNS", "132")]).width, 132);
        let style = Style::judge(true, 100, ColourChoice::Auto, true, |_| Some("x.UTF-8".to_owned()));
        assert_eq!((style.width, style.unicode), (100, false));
    }

    #[test]
    fn a_cut_counts_columns_and_keeps_the_end_of_a_colour() {
        assert_eq!(cut("abcdef", 3), "abc");
        assert_eq!(cut("\x1b[32mabcdef\x1b[0m", 3), "\x1b[32mabc\x1b[0m");
        assert_eq!(cut("日本語", 5), "日本");
        assert_eq!(pad("日本", 5), "日本 ");
    }
}
