//! The file as a whole: its version, its name, its own keys, and every problem in one run.

use super::{bad, good, says};
use crate::topology::parse;

#[test]
fn the_format_version_is_asked_for() {
    says("{}", "H0108", "{", "which format", "\"hopper\": 1");
    says(r#"{"hopper": 2, "nonsense": 1}"#, "H0109", "2", "this file needs a newer hopper", "newer hopper");
    says(r#"{"hopper": 0}"#, "H0109", "0", "no format \"0\"", "\"hopper\": 1");
    says(r#"{"hopper": 1.0}"#, "H0109", "1.0", "no format", "");
    says(r#"{"hopper": "1"}"#, "H0107", "\"1\"", "must be the number 1", "");
    says("[]", "H0107", "[", "a topology must be an object", "");
}

#[test]
fn the_name_is_the_files_own_by_default() {
    assert_eq!(good(r#"{"hopper": 1}"#).name, "corp");
    assert_eq!(good(r#"{"hopper": 1, "name": "a.b_c-1"}"#).name, "a.b_c-1");
    says(r#"{"hopper": 1, "name": "My Run!"}"#, "H0111", "My Run!", "\"My Run!\"", "\"name\": \"my-run\"");
    let problems = parse(r#"{"hopper": 1}"#, "My Topology (2)").unwrap_err();
    assert!(problems[0].message.contains("the file's own name \"My Topology (2)\""), "{problems:?}");
    assert!(problems[0].help.as_deref().unwrap().contains("\"name\": \"my-topology-2\""), "{problems:?}");
    assert!(good(r#"{"hopper": 1, "name": "x"}"#).description.is_none());
}

#[test]
fn unknown_keys_are_never_skipped_in_silence() {
    says(r#"{"hopper": 1, "host": {}}"#, "H0105", "\"host\"", "a topology has no key \"host\"", "\"hosts\"?");
    says(r#"{"hopper": 1, "qqqqqq": {}}"#, "H0105", "\"qqqqqq\"", "no key", "a topology takes: hopper,");
    says(
        r#"{"hopper": 1, "defaults": {"hosts": {}}}"#,
        "H0105",
        "\"hosts\"",
        "defaults has no key",
        "\"host\"?",
    );
    let text = "{\"hopper\": 1, \"// a\": 1, \"x-b\": [2], \"//\": \"c\"}";
    good(text);
    says("{\"hopper\": 1, \"\\u001b[2J\": 1}", "H0105", "\"\\u001b[2J\"", r#"no key "\u{1b}[2J""#, "");
}

#[test]
fn every_problem_is_found_in_one_run_in_file_order() {
    let text = r#"{
        "policy": {"parallel": 0},
        "links": ["local -> gat", {"from": "gate"}],
        "hopper": 1,
        "forwards": {"a": "0 -> gate:22", "b": {"listen": true, "to": "gate", "chek": 1}},
        "hosts": {"gate": {"port": "22", "user": ""}}
    }"#;
    let problems = bad(text);
    let found: Vec<(&str, &str)> =
        problems.iter().map(|problem| (problem.code, &text[problem.label.range.clone()])).collect();
    assert_eq!(
        found,
        [
            ("H0121", "0"),
            ("H0104", "gat"),
            ("H0108", "{"),
            ("H0113", "0"),
            ("H0107", "true"),
            ("H0117", "gate"),
            ("H0105", "\"chek\""),
            ("H0107", "\"22\""),
            ("H0112", "\""),
        ],
        "{problems:#?}"
    );
}

#[test]
fn one_broken_block_does_not_make_every_use_of_it_a_problem() {
    let text =
        r#"{"hopper": 1, "hosts": ["a"], "links": ["local -> a -> b"], "forwards": {"f": "1 -> b:2"}}"#;
    says(text, "H0107", "[", "\"hosts\" must be an object", "");
    let text = r#"{"hopper": 1, "hosts": {"a": 5}, "links": ["local -> a"]}"#;
    says(text, "H0107", "5", "host \"a\" must be \"user@address:port\" or an object", "");
}

#[test]
fn the_policy_is_read() {
    let policy = good(r#"{"hopper": 1, "policy": {"strategy": "nested", "parallel": 64}}"#).policy;
    assert_eq!(policy.parallel, 64);
    for n in ["0", "65", "1.5", "-1", "1e1"] {
        says(&format!(r#"{{"hopper": 1, "policy": {{"parallel": {n}}}}}"#), "H0121", n, "from 1 to 64", "");
    }
    says(
        r#"{"hopper": 1, "policy": {"strategy": "nestd"}}"#,
        "H0121",
        "\"nestd\"",
        "strategy",
        "did you mean \"nested\"?",
    );
}
