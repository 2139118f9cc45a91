//! What an error page is made of, whatever went wrong: its first line, facts, what to type next. Knows no
//! error.

use super::style::{Style, Tone, columns, pad};
use crate::plan::show::fold;
use crate::topology::escape;

/// Columns before what is to be typed when it has lines of its own.
const TYPED: &str = "          ";

/// The first line, for a code and a message that is escaped already, and the paragraphs under it, with a
/// line end after each.
pub(super) fn page(head: (&str, &str), paragraphs: &[Vec<String>], style: Style) -> String {
    let mut text = self::head(head.0, head.1, style);
    for lines in paragraphs.iter().filter(|lines| !lines.is_empty()) {
        text.push('\n');
        lines.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    }
    text
}

/// `error[H0401]: gate refused …`, with a line end.
pub(super) fn head(code: &str, message: &str, style: Style) -> String {
    let word = format!("error[{code}]:");
    let message = fold(message, columns(&word) + 1, 2, style.width);
    let message: Vec<String> = message.iter().map(|line| style.paint(Tone::Loud, line)).collect();
    format!("{} {}\n", style.paint(Tone::Bad, &word), message.join("\n"))
}

/// Facts as a table. Further lines of a value stand under its first; a name is not said twice in a row.
pub(super) fn facts(facts: &[(&str, String)], style: Style) -> Vec<String> {
    let wide = facts.iter().map(|(name, _)| columns(name)).max().unwrap_or(0).max(9) + 2;
    let mut lines = Vec::new();
    let mut before = "";
    for (name, value) in facts {
        let mut name = if *name == before {
            ""
        } else {
            before = name;
            name
        };
        for part in value.lines().map(escape) {
            let part = fold(&part, 2 + wide, 2 + wide, style.width).join("\n");
            lines.push(format!("  {}{part}", pad(std::mem::take(&mut name), wide)));
        }
    }
    lines
}

/// What to do next; further lines of each are what to type.
pub(super) fn help(help: &[String], style: Style) -> Vec<String> {
    help.iter().flat_map(|help| advice(help, style)).collect()
}

/// What is to be typed is never broken. A line with no room for it behind the words that explain it is
/// broken there; one that is all words, between words.
fn advice(help: &str, style: Style) -> Vec<String> {
    const WORD: &str = "  help: ";
    let mut lines = help.lines().map(escape);
    let first = lines.next().unwrap_or_default();
    let wide = columns(WORD) + columns(&first) > style.width;
    let (words, typed) = match first.split_once(": ").filter(|_| wide) {
        Some((words, typed)) => (format!("{words}:"), Some(format!("{TYPED}{typed}"))),
        None => (first, None),
    };
    let mut out = fold(&words, columns(WORD), columns(WORD), style.width);
    out[0] = format!("  {}: {}", style.paint(Tone::Good, "help"), out[0]);
    out.extend(typed);
    out.extend(lines.map(|line| format!("{TYPED}{}", line.trim_start())));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: Style = Style { width: 40, ..Style::PLAIN };

    #[test]
    fn nothing_breaks_within_a_word_or_within_what_is_typed() {
        let facts = [
            ("cause", "no SSH server there, or one that refuses".to_owned()),
            ("offered", "one".to_owned()),
            ("offered", "two\nthree".to_owned()),
        ];
        let advice =
            ["add this line: gate ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "hopper up corp", "x\nnc -vz a 1"];
        let paragraphs = [self::facts(&facts, NARROW), help(&advice.map(str::to_owned), NARROW)];
        assert_eq!(
            page(("H0604", "gate closed the connection before a word"), &paragraphs, NARROW),
            "\
error[H0604]: gate closed the connection
  before a word

  cause      no SSH server there, or one
             that refuses
  offered    one
             two
             three

  help: add this line:
          gate ssh-ed25519 AAAAC3NzaC1lZDI1NTE5
  help: hopper up corp
  help: x
          nc -vz a 1
"
        );
    }
}
