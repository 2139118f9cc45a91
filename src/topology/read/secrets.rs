//! The secrets of a host: where each is kept and what it is for. Refuses a secret that stands in the
//! file itself, and shows none.

use super::Reader;
use super::address;
use super::tree::{Entry, Json, Node};
use super::value::{Keys, Refusal, bad_char};
use crate::topology::{AuthMethod, Problem, SecretPurpose, SecretRef, SecretSource, code, quoted};

const KEYS: Keys = Keys {
    owner: "a secret",
    known: &["prompt", "command", "file", "env", "credential", "askpass", "keyring", "for", "answers"],
    later: &["fd"],
};

/// The keys of which one says where it is kept.
const SOURCES: [&str; 7] = ["prompt", "command", "file", "env", "credential", "askpass", "keyring"];

const HELP: &str = "say where it is kept: { \"prompt\": true }, { \"command\": [\"pass\", \"show\", \"NAME\"] }, \
                    { \"file\": \"~/PATH\" }, { \"env\": \"NAME\" }, { \"credential\": \"NAME\" }, { \"keyring\": \"NAME\" } \
                    or { \"askpass\": true }";

/// One secret, or a list of them. `auth` says what it is for when it does not say so itself.
pub(super) fn secrets(reader: &mut Reader, entry: &Entry, auth: &[AuthMethod]) -> Option<Vec<SecretRef>> {
    let nodes: Vec<&Node> = match &entry.node.json {
        Json::Map(_) => vec![&entry.node],
        Json::List(list) if !list.is_empty() && list.iter().all(|one| matches!(one.json, Json::Map(_))) => {
            list.iter().collect()
        }
        Json::List(list) if list.is_empty() => {
            let message = "\"secret\" names none";
            reader.report(
                Problem::new(code::VALUE, entry.node.place(), "empty", message)
                    .help("leave the key out to be asked"),
            );
            return None;
        }
        Json::Flag(_) | Json::Null => {
            return reader.wrong_type(&entry.node, "\"secret\"", "an object that says where it is kept");
        }
        _ => {
            reader.secret(entry);
            return None;
        }
    };
    let mut secrets: Vec<SecretRef> = Vec::new();
    for node in nodes {
        let Some(secret) = one(reader, node, auth) else { continue };
        let same = |other: &SecretRef| other.purpose == secret.purpose && other.answers == secret.answers;
        if secrets.iter().any(same) {
            let what = secret.purpose.as_str();
            let message = format!("two secrets are for the same: {}", quoted(what));
            reader.report(
                Problem::new(code::VALUE, node.place(), "another one for it stands before this", message)
                    .help("keep one of them, or say which question each \"answers\""),
            );
            continue;
        }
        secrets.push(secret);
    }
    Some(secrets)
}

fn one(reader: &mut Reader, node: &Node, auth: &[AuthMethod]) -> Option<SecretRef> {
    let entries = reader.map(node, "a secret")?;
    let entries = reader.known(entries, &KEYS);
    let (places, rest): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| SOURCES.contains(&entry.key.as_ref()));
    let place = match places.as_slice() {
        [place] => *place,
        [] => {
            let message = "a secret does not say where it is kept";
            reader
                .report(Problem::new(code::MISSING_KEY, node.place(), "in this object", message).help(HELP));
            return None;
        }
        [first, second, ..] => {
            let message = "a secret is kept in two places";
            reader.report(
                Problem::new(code::VALUE, second.key_range.clone(), "a second place", message)
                    .also(first.key_range.clone(), "the first")
                    .help("keep one of them"),
            );
            return None;
        }
    };
    let source = source(reader, place)?;
    let mut purpose = usual_purpose(auth);
    let mut answers = None;
    for entry in rest {
        match entry.key.as_ref() {
            "for" => {
                let words =
                    [SecretPurpose::Password, SecretPurpose::Passphrase, SecretPurpose::KeyboardInteractive]
                        .map(|purpose| (purpose.as_str(), purpose));
                purpose = reader.choice(&entry.node, "\"for\"", &words, &[])?;
            }
            _ => answers = Some((entry, reader.line(entry)?)),
        }
    }
    if let Some((entry, _)) = answers.as_ref().filter(|_| purpose != SecretPurpose::KeyboardInteractive) {
        let message = "only keyboard-interactive asks questions that a secret \"answers\"";
        let help = "add \"for\": \"keyboard-interactive\", or leave \"answers\" out";
        let label = "asks none";
        reader.report(Problem::new(code::VALUE, entry.key_range.clone(), label, message).help(help));
        return None;
    }
    Some(SecretRef { source, purpose, answers: answers.map(|(_, text)| text) })
}

/// A password never goes to a host as an answer, nor a passphrase as a password, unless the file says so.
fn usual_purpose(auth: &[AuthMethod]) -> SecretPurpose {
    if auth.contains(&AuthMethod::Password) {
        SecretPurpose::Password
    } else if auth.contains(&AuthMethod::KeyboardInteractive) {
        SecretPurpose::KeyboardInteractive
    } else {
        SecretPurpose::Passphrase
    }
}

fn source(reader: &mut Reader, entry: &Entry) -> Option<SecretSource> {
    let (node, what) = (&entry.node, quoted(&entry.key));
    match entry.key.as_ref() {
        "command" => {
            let list = reader.list(node, &what)?;
            if list.is_empty() {
                let message = "\"command\" names no program";
                let help = "write the program and its arguments: [\"pass\", \"show\", \"NAME\"]";
                reader.report(Problem::new(code::VALUE, node.place(), "empty", message).help(help));
                return None;
            }
            let argument = |element| reader.word(element, "an argument", "a string", argument);
            let words: Vec<String> = list.iter().filter_map(argument).collect();
            (words.len() == list.len()).then_some(SecretSource::Command(words))
        }
        "file" => reader.word(node, &what, "a path in a string", address::path).map(SecretSource::File),
        "env" => reader.word(node, &what, "a string", |text| name(text, "_")).map(SecretSource::Env),
        "credential" => {
            reader.word(node, &what, "a string", |text| name(text, "_.-")).map(SecretSource::Credential)
        }
        "keyring" => {
            reader.word(node, &what, "a string", |text| name(text, "_.-/@")).map(SecretSource::Keyring)
        }
        asks => match node.json {
            Json::Flag(true) if asks == "prompt" => Some(SecretSource::Prompt),
            Json::Flag(true) => Some(SecretSource::Askpass),
            _ => reader.wrong_type(node, &what, "true"),
        },
    }
}

/// An argument: anything that a terminal shows as it is.
fn argument(text: &str) -> Result<String, Refusal> {
    match bad_char(text) {
        None => Ok(text.to_owned()),
        Some((part, c)) => Err(Refusal {
            code: code::VALUE,
            message: "an argument holds a character that terminals act on".to_owned(),
            label: format!("U+{:04X} stands here", u32::from(c)),
            help: "leave it out".to_owned(),
            part,
        }),
    }
}

/// The name of a variable; of an entry in a keyring, which is an argument: no dash first; or of a credential, which
/// is also the name of a file: no slash, and no dot first. `also` are the characters beside letters and digits.
fn name(text: &str, also: &str) -> Result<String, Refusal> {
    let fits = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
    if !text.is_empty() && text.len() <= 255 && !text.starts_with(['.', '-']) && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    Err(Refusal {
        code: code::VALUE,
        message: "this names no place where a secret is kept".to_owned(),
        label: "not a name".to_owned(),
        help: "write the name of it, not the secret: letters, digits and `_`".to_owned(),
        part: 0..text.len(),
    })
}
