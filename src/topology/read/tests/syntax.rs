//! What is JSON for hopper, and what is not.

use super::{bad, good, says};

#[test]
fn comments_and_trailing_commas_are_read() {
    let text = "\u{feff}// a comment\n{ \"hopper\": 1, // one\r\n \"links\": [\"local -> a\",], }\n// end";
    assert_eq!(good(text).links.len(), 1);
    // Slashes inside strings are no comments.
    assert!(good(r#"{"hopper": 1, "$schema": "https://x/*y*/"}"#).hosts.is_empty());
}

#[test]
fn a_byte_order_mark_does_not_move_places() {
    says(
        "\u{feff}{\"hopper\": 1, \"hots\": {}}",
        "H0105",
        "\"hots\"",
        "no key \"hots\"",
        "did you mean \"hosts\"?",
    );
    says("\u{feff}{\"hopper\": +1}", "H0101", "+", "no plus sign", "");
}

#[test]
fn nothing_else_of_json5_is_read() {
    for (text, place, message) in [
        ("{/* x */ \"hopper\": 1}", "/*", "comments are written with `//`"),
        ("{'hopper': 1}", "'", "double quotes"),
        ("{hopper: 1}", "hopper", "keys stand in double quotes"),
        ("{\"hopper\": 0x1}", "0", "decimal"),
        ("{\"hopper\": +1}", "+", "no plus sign"),
        ("{\"hopper\": 1.}", "1.", "both sides of its point"),
        ("{\"hopper\": NaN}", "NaN", "outside of quotes"),
        ("{\"hopper\": 1 \"name\": \"x\"}", "", "a comma is missing"),
        ("{\"hopper\": [1 2]}", "", "a comma is missing"),
        ("{\"hopper\": [1,,2]}", ",", "a comma too many"),
        ("{\"hopper\": 1", "{", "never closed"),
        ("{\"hopper\": [1", "[", "never closed"),
        ("{\"hopper\": 1}}", "}", "goes on after its end"),
        ("{\"hopper\" 1}", "1", "has no value"),
        ("{\"hopper\": \"a\\x41\"}", "", "a backslash"),
        ("{\"hopper\": \"a\nb\"}", "\"", "a string is never closed"),
        ("{\"hopper\": \"a", "\"a", "a string is never closed"),
        ("{\"hopper\": \"a\u{1}b\"}", "\u{1}", "U+0001"),
        ("{\"hopper\":\u{a0}1}", "\u{a0}", "U+00A0"),
        ("", "", "the file is empty"),
        ("  // nothing\n", "", "the file is empty"),
    ] {
        let problems = bad(text);
        assert_eq!((problems.len(), problems[0].code), (1, "H0101"), "{text}\n{problems:#?}");
        assert!(problems[0].message.contains(message), "{text}\n{problems:#?}");
        let labelled = text.get(problems[0].label.range.clone()).expect("on character boundaries");
        assert!(place.is_empty() || labelled == place, "{text}\n{problems:#?}");
    }
}

#[test]
fn a_missing_comma_is_shown_where_it_belongs() {
    let text = "{\"hopper\": 1\n \"name\": \"x\"}";
    assert_eq!(bad(text)[0].label.range, 12..12);
}

#[test]
fn deep_nesting_is_an_error_and_no_stack_overflow() {
    for open in ["[", "{\"a\":", "[{\"a\":"] {
        let problems = bad(&open.repeat(100_000));
        assert_eq!((problems.len(), problems[0].code), (1, "H0102"));
        assert!(problems[0].message.contains("32 levels"));
    }
    let depth = |n: usize| format!("{{\"hopper\": 1, \"x-a\": {}{}}}", "[".repeat(n), "]".repeat(n));
    good(&depth(31));
    assert_eq!(bad(&depth(32))[0].code, "H0102");
    // A bracket in a string or a comment opens nothing.
    good(
        &format!("{{\"hopper\": 1, \"note\": 0}}//{}", "[".repeat(99))
            .replace("\"note\": 0", "\"x-n\": \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\""),
    );
}

#[test]
fn large_files_are_refused() {
    let text = format!("{{\"hopper\": 1}}{}", " ".repeat(1 << 20));
    let problems = bad(&text);
    assert_eq!(problems[0].code, "H0102");
    assert!(problems[0].message.contains("1025 KiB"), "{problems:?}");
}

#[test]
fn a_key_given_twice_is_shown_at_both_places() {
    let text = r#"{"hopper": 1, "hosts": {"a": "x.net", "b": "y.net", "a": "z.net"}}"#;
    says(text, "H0106", "\"a\"", "\"a\" is given twice", "keep one");
    let problem = &bad(text)[0];
    assert_eq!(problem.label.range, 52..55);
    assert_eq!(problem.related[0].range, 24..27);
}
