//! Tests of the reader, by what a person notices: the topology they get, or the message, its place
//! and the help.

mod accepted;
mod down;
mod hosts;
mod later;
mod links;
mod near;
mod random;
mod secrets;
mod syntax;
mod whole;

use super::parse;
use crate::topology::{Problem, Topology};

/// The topology of a file that must be fine.
fn good(text: &str) -> Topology {
    parse(text, "corp").unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"))
}

/// The problems of a file.
fn bad(text: &str) -> Vec<Problem> {
    parse(text, "corp").expect_err(text)
}

/// Asserts that the file has exactly one problem, labelled at `place`, with this in message and help.
#[track_caller]
fn says(text: &str, code: &str, place: &str, message: &str, help: &str) {
    let problems = bad(text);
    assert_eq!(problems.len(), 1, "{text}\n{problems:#?}");
    let problem = &problems[0];
    assert_eq!(problem.code, code, "{problem:#?}");
    assert_eq!(text.get(problem.label.range.clone()), Some(place), "{text}\n{problem:#?}");
    assert!(problem.message.contains(message), "{problem:#?}");
    assert!(problem.help.as_deref().unwrap_or("").contains(help), "{problem:#?}");
}

/// A file with one host `gate`, given as JSON.
fn with_host(host: &str) -> String {
    format!(r#"{{"hopper": 1, "hosts": {{"gate": {host}}}}}"#)
}

/// A file with hosts `gate`, `db` and `screen` (no SSH there), and these links.
fn with_links(links: &str) -> String {
    format!(r#"{{"hopper": 1, "firewalls": {{"edge": {{}}}}, "hosts": {HOSTS}, "links": {links}}}"#)
}

/// The same hosts and these forwards.
fn with_forwards(forwards: &str) -> String {
    format!(r#"{{"hopper": 1, "hosts": {HOSTS}, "forwards": {forwards}}}"#)
}

const HOSTS: &str = r#"{"gate": "gate.net", "db": {}, "screen": {"address": "10.9.8.7", "ssh": false}}"#;
