//! What proves that the far end of a forward is there: `"tcp"`, `"echo"`, `"loop"`, `"none"`, a banner, a web page.

use super::Reader;
use super::tree::{Json, Node};
use super::value::{Keys, Refusal};
use crate::topology::{Check, Problem, code, quoted};

/// The value of `check`.
pub(super) fn check(reader: &mut Reader, node: &Node) -> Option<Check> {
    const KEYS: Keys = Keys { owner: "a check", known: &["banner", "http"], later: &["expect"] };
    const EXPECTED: &str =
        "\"tcp\", \"echo\", \"loop\", \"none\", { \"banner\": \"RFB \" } or { \"http\": \"/health\" }";
    match &node.json {
        Json::Text(_) => {
            let checks = [
                ("tcp", &Check::Tcp),
                ("echo", &Check::Echo),
                ("loop", &Check::Loop),
                ("none", &Check::None),
            ];
            reader.choice(node, "\"check\"", &checks, &[]).cloned()
        }
        Json::Map(entries) => {
            let known = reader.known(entries, &KEYS);
            if let [entry] = known.as_slice() {
                let what = quoted(&entry.key);
                return match entry.key.as_ref() {
                    "banner" => reader.word(&entry.node, &what, "a string", banner).map(Check::Banner),
                    _ => reader.word(&entry.node, &what, "a path in a string", page).map(Check::Http),
                };
            }
            let label = if known.is_empty() { "no check in it" } else { "two checks in it" };
            let message = format!("\"check\" must be {EXPECTED}");
            reader.report(Problem::new(code::VALUE, node.place(), label, message));
            None
        }
        _ => reader.wrong_type(node, "\"check\"", EXPECTED),
    }
}

fn banner(text: &str) -> Result<String, Refusal> {
    const LONGEST: usize = 255;
    match text.len() {
        1..=LONGEST => Ok(text.to_owned()),
        length => Err(Refusal {
            code: code::VALUE,
            message: format!("a banner is 1 to {LONGEST} bytes long"),
            label: format!("{length} bytes"),
            help: "write the first bytes that the far end sends, such as \"RFB \" or \"SSH-2.0\"".to_owned(),
            part: 0..text.len(),
        }),
    }
}

/// A path that cannot smuggle a second line into the request.
fn page(text: &str) -> Result<String, Refusal> {
    let odd = text.char_indices().find(|(_, c)| !c.is_ascii_graphic());
    let refuse = |label: String, part| Refusal {
        code: code::VALUE,
        message: format!("{} is not a path to ask for", quoted(text)),
        label,
        help: "write a path such as \"/health\"; what is not plain ASCII is %-encoded".to_owned(),
        part,
    };
    match odd {
        Some((at, c)) => {
            Err(refuse(format!("U+{:04X} cannot stand here", u32::from(c)), at..at + c.len_utf8()))
        }
        None if !text.starts_with('/') => Err(refuse("expected `/` first".to_owned(), 0..text.len())),
        None if text.len() > 1024 => Err(refuse("longer than 1024 bytes".to_owned(), 0..text.len())),
        None => Ok(text.to_owned()),
    }
}
