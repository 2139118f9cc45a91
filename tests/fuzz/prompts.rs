//! Fuzz target: whatever a server says and asks at login is a few short lines at a person's terminal, each of which
//! names the host, and none of which moves a cursor or poses as hopper.

#![no_main]

use std::collections::HashMap;
use std::sync::LazyLock;

use hopper::commands::in_words;
use hopper::ssh::Question;
use hopper::topology::{HostId, is_unsafe};
use libfuzzer_sys::fuzz_target;

static HOST: LazyLock<HostId> = LazyLock::new(|| HostId::new("gate-b"));
static HOPS: LazyLock<HashMap<HostId, usize>> = LazyLock::new(|| HashMap::from([(HOST.clone(), 2)]));

/// Harmless, and no longer than 400 characters can be once they are spelled out.
fn harmless(text: &str) {
    let bad = text.chars().find(|c| is_unsafe(*c));
    assert!(bad.is_none(), "shows {bad:?}: {text:?}");
    assert!(text.len() < 400 * "\\u{e0fff}".len() + 100, "{} bytes", text.len());
}

fuzz_target!(|data: &[u8]| {
    // What it says, round by round, and at the end what it asks.
    let text = String::from_utf8_lossy(data);
    let (said, prompt) = text.rsplit_once('\0').unwrap_or(("", &text));
    let mut before = Vec::new();
    said.split('\0').for_each(|said| Question::hear(&mut before, said));
    assert!(before.len() <= 8, "{} lines", before.len());
    let echo = data.len() % 2 == 0;
    let question = Question::of_server(&HOST, before.clone(), prompt, echo);
    assert_eq!((&question.host, &question.before, question.hidden), (&*HOST, &before, !echo));
    before.iter().chain([&question.wanted, &question.text]).for_each(|text| harmless(text));
    let plain = prompt.len() <= 400 && prompt.trim() == prompt && !prompt.chars().any(is_unsafe);
    assert!(!plain || question.text == format!("gate-b asks: \"{prompt}\" "), "{:?}", question.text);
    let shown = in_words(&question, &HOPS);
    let lines: Vec<&str> = shown.split('\n').collect();
    assert_eq!(lines.len(), before.len() + 1, "{shown:?}");
    let (last, others) = lines.split_last().expect("a line");
    assert!(others.iter().all(|line| line.starts_with("hop 2, gate-b says: ")), "{shown:?}");
    assert!(last.starts_with("hop 2, gate-b asks: \""), "{shown:?}");
});
