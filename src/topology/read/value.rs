//! Single values: this key's value as a flag, a number, a word of a list, a line of text. Says what
//! was expected when it is something else. Never knows which noun it reads for.

use std::ops::{Range, RangeInclusive};

use super::Reader;
use super::tree::{Entry, Json, Node};
use crate::topology::{Problem, Ratio, code, quoted, secret};

/// The keys of one kind of object.
pub(super) struct Keys {
    /// "a host", "a link" …
    pub owner: &'static str,
    /// Keys that are read.
    pub known: &'static [&'static str],
    /// Keys the format has and hopper does not yet.
    pub later: &'static [&'static str],
}

/// Why a string is not what it should be, and where in the string.
pub(super) struct Refusal {
    pub code: &'static str,
    pub message: String,
    pub label: String,
    pub help: String,
    pub part: Range<usize>,
}

/// Puts a value in its slot if there is one.
pub(super) fn assign<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

impl Reader {
    /// The value at a key as an object's entries.
    pub(super) fn map<'n, 'a>(&mut self, node: &'n Node<'a>, what: &str) -> Option<&'n [Entry<'a>]> {
        match &node.json {
            Json::Map(entries) => Some(entries),
            _ => self.wrong_type(node, what, "an object, { … }"),
        }
    }

    pub(super) fn list<'n, 'a>(&mut self, node: &'n Node<'a>, what: &str) -> Option<&'n [Node<'a>]> {
        match &node.json {
            Json::List(list) => Some(list),
            _ => self.wrong_type(node, what, "a list, [ … ]"),
        }
    }

    pub(super) fn flag(&mut self, entry: &Entry) -> Option<bool> {
        match entry.node.json {
            Json::Flag(flag) => Some(flag),
            _ => self.wrong_type(&entry.node, &quoted(&entry.key), "true or false"),
        }
    }

    pub(super) fn number(&mut self, entry: &Entry, bounds: RangeInclusive<u32>) -> Option<u32> {
        let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        let Json::Number(written) = entry.node.json else {
            return self.wrong_type(&entry.node, &quoted(&entry.key), &expected);
        };
        match written.parse() {
            Ok(number) if bounds.contains(&number) => Some(number),
            _ => {
                let message = format!("{} is {expected}", quoted(&entry.key));
                self.report(Problem::new(code::VALUE, entry.node.place(), "out of bounds", message));
                None
            }
        }
    }

    /// A number that may have a fraction, rounded to three places.
    pub(super) fn ratio(&mut self, entry: &Entry, bounds: RangeInclusive<f64>) -> Option<Ratio> {
        let expected = format!("a number from {} to {}", bounds.start(), bounds.end());
        let Json::Number(written) = entry.node.json else {
            return self.wrong_type(&entry.node, &quoted(&entry.key), &expected);
        };
        match written.parse() {
            Ok(number) if bounds.contains(&number) => Some(number.into()),
            _ => {
                let message = format!("{} is {expected}", quoted(&entry.key));
                self.report(Problem::new(code::VALUE, entry.node.place(), "out of bounds", message));
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        node: &Node,
        what: &str,
        now: &[(&str, T)],
        later: &[&str],
    ) -> Option<T> {
        let all: Vec<String> = now.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let expected = all.join(" or ");
        let Json::Text(text) = &node.json else {
            return self.wrong_type(node, what, &expected);
        };
        if let Some((_, value)) = now.iter().find(|(word, _)| word == text) {
            return Some(*value);
        }
        if later.contains(&text.as_ref()) {
            self.not_yet(node.place(), &quoted(text), &format!("write {expected}"));
            return None;
        }
        let meant = self.meant(text, now.iter().map(|(word, _)| *word));
        let help = meant.map_or(format!("write {expected}"), |word| format!("did you mean \"{word}\"?"));
        let message = format!("{what} cannot be {}", quoted(text));
        self.report(
            Problem::new(code::VALUE, node.place(), format!("expected {expected}"), message).help(help),
        );
        None
    }

    /// A string in some grammar.
    pub(super) fn word<T>(
        &mut self,
        node: &Node,
        what: &str,
        expected: &str,
        grammar: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<T> {
        let Json::Text(text) = &node.json else {
            return self.wrong_type(node, what, expected);
        };
        match grammar(text) {
            Ok(value) => Some(value),
            Err(refusal) => {
                self.refuse(node, refusal);
                None
            }
        }
    }

    /// A line for people.
    pub(super) fn line(&mut self, entry: &Entry) -> Option<String> {
        self.word(&entry.node, &quoted(&entry.key), "a string", |text| match bad_char(text) {
            Some((part, c)) => Err(Refusal {
                code: code::VALUE,
                message: format!("{} holds a character that terminals act on", quoted(&entry.key)),
                label: format!("U+{:04X} stands here", u32::from(c)),
                help: "leave it out; one line of plain text is shown as it is".to_owned(),
                part,
            }),
            None => Ok(text.to_owned()),
        })
    }

    pub(super) fn refuse(&mut self, node: &Node, refusal: Refusal) {
        let place = node.part(refusal.part);
        self.report(Problem::new(refusal.code, place, refusal.label, refusal.message).help(refusal.help));
    }

    pub(super) fn wrong_type<T>(&mut self, node: &Node, what: &str, expected: &str) -> Option<T> {
        // A secret was reported where it was found.
        if !matches!(node.json, Json::Secret) {
            let message = format!("{what} must be {expected}");
            let mut problem =
                Problem::new(code::WRONG_TYPE, node.place(), format!("this is {}", node.kind()), message);
            if matches!(node.json, Json::Null) {
                problem = problem.help("leave the key out to get its default");
            }
            self.report(problem);
        }
        None
    }

    pub(super) fn not_yet(&mut self, range: Range<usize>, what: &str, help: &str) {
        let message = format!("{what} is not supported yet");
        let label = "known, but this hopper cannot do it";
        self.report(Problem::new(code::NOT_YET, range, label, message).help(help));
    }

    /// The entries whose keys this kind of object reads; the others are reported.
    pub(super) fn known<'n, 'a>(&mut self, entries: &'n [Entry<'a>], keys: &Keys) -> Vec<&'n Entry<'a>> {
        let (known, others): (Vec<_>, Vec<_>) =
            entries.iter().partition(|entry| keys.known.contains(&entry.key.as_ref()));
        others.into_iter().for_each(|entry| self.unexpected(entry, keys));
        known
    }

    /// A key that this kind of object does not read: a secret, something for later, or a mistake.
    fn unexpected(&mut self, entry: &Entry, keys: &Keys) {
        if secret::is_secret_key(&entry.key)
            || (entry.key == "secret" && !matches!(entry.node.json, Json::Map(_)))
        {
            return self.secret(entry);
        }
        let key = quoted(&entry.key);
        if keys.later.contains(&entry.key.as_ref()) {
            self.not_yet(entry.key_range.clone(), &format!("{key} of {}", keys.owner), "leave the key out");
        } else {
            let help = match self.meant(&entry.key, keys.known.iter().chain(keys.later).copied()) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("{} takes: {}", keys.owner, keys.known.join(", ")),
            };
            let message = format!("{} has no key {key}", keys.owner);
            let label = "unknown key";
            self.report(Problem::new(code::UNKNOWN_KEY, entry.key_range.clone(), label, message).help(help));
        }
        self.secrets_within(&entry.node);
    }

    fn secrets_within(&mut self, node: &Node) {
        match &node.json {
            Json::List(list) => list.iter().for_each(|element| self.secrets_within(element)),
            Json::Map(entries) => {
                for entry in entries {
                    match secret::is_secret_key(&entry.key) {
                        true => self.secret(entry),
                        false => self.secrets_within(&entry.node),
                    }
                }
            }
            _ => {}
        }
    }

    /// A secret stands where a reference to one belongs.
    pub(super) fn secret(&mut self, entry: &Entry) {
        if matches!(entry.node.json, Json::Secret) {
            return;
        }
        let label = "anyone who can read this file can log in";
        // The whole value, not its opening bracket: the renderer blots out what a secret's label covers.
        self.report(
            Problem::new(code::SECRET, entry.node.range.clone(), label, "a secret is written in the file").help(
                "take it out of the file, change it where it is used, and log in with a key or the ssh-agent, \
                 or say where it is kept: \"secret\": { \"command\": [\"pass\", \"show\", \"NAME\"] }",
            ),
        );
    }
}

/// The first character that could do something to a terminal.
pub(super) fn bad_char(text: &str) -> Option<(Range<usize>, char)> {
    text.char_indices()
        .find(|(_, c)| crate::topology::is_unsafe(*c))
        .map(|(at, c)| (at..at + c.len_utf8(), c))
}
