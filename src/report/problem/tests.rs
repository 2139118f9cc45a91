//! What people and programs see of a file's problems.

use super::{Look, problems_json, render};
use crate::topology::parse;

const UNICODE: Look = Look { width: 100, colour: false, unicode: true };
const ASCII: Look = Look { unicode: false, ..UNICODE };

const BAD: &str = r#"{
  "hopper": 1,
  "hosts": {
    "bastion": { "address": "bastion.example.com", "password": "hunter2" },
    "database": "db.internal",
  },
  "links": [
    { "from": "bastion", "to": "databse" },
  ],
  "forwards": { "a": "5432 -> database:5432", "b": "5432 -> database:5433" },
  "hosts": {}
}
"#;

fn drawn(text: &str, look: Look) -> String {
    render(&parse(text, "corp").expect_err(text), "topologies/corp.json", text, look)
}

#[test]
fn every_problem_is_drawn_with_its_place() {
    insta::assert_snapshot!("unicode", drawn(BAD, UNICODE));
    insta::assert_snapshot!("ascii", drawn(BAD, ASCII));
}

#[test]
fn one_problem_is_singular_and_a_missing_comma_is_pointed_at() {
    insta::assert_snapshot!("comma", drawn("{\n  \"hopper\": 1\n  \"name\": \"x\"\n}\n", UNICODE));
}

#[test]
fn programs_get_an_array_with_byte_ranges() {
    let json = problems_json(&parse(BAD, "corp").expect_err(BAD), "topologies/corp.json", BAD);
    insta::assert_snapshot!("json", serde_json::to_string_pretty(&json).expect("is a value"));
    for problem in json.as_array().expect("an array") {
        let range =
            problem["range"][0].as_u64().unwrap() as usize..problem["range"][1].as_u64().unwrap() as usize;
        assert!(BAD.get(range).is_some());
    }
}

#[test]
fn colour_is_only_there_when_asked_for() {
    assert!(!drawn(BAD, UNICODE).contains('\u{1b}'));
    assert!(drawn(BAD, Look { colour: true, ..UNICODE }).contains('\u{1b}'));
}

#[test]
fn no_form_shows_a_secret() {
    for bad in [
        r#""password": "hunter2""#,
        r#""p\u0061ssword": "hunter2""#,
        r#""password": {"hunter2": "hunter2"}"#,
        r#""note": "\u002d----BEGIN KEY-----hunter2""#,
        r#""address": "alice:hunter2@gate""#,
        // A syntax error next to a secret.
        r#""password": "hunter2" "port": 22"#,
        r#""password": 'hunter2'"#,
        r#""password": "hunter2"#,
        r#""password": hunter2"#,
        r#"password: "hunter2""#,
    ] {
        let text = format!("{{\"hopper\": 1, \"hosts\": {{\n\"gate\": {{{bad}}}\n}}}}");
        let problems = parse(&text, "corp").expect_err(&text);
        for look in [UNICODE, ASCII, Look { colour: true, ..ASCII }] {
            let seen = render(&problems, "corp.json", &text, look);
            assert!(!seen.contains("hunter2"), "{seen}");
        }
        assert!(!problems_json(&problems, "corp.json", &text).to_string().contains("hunter2"));
    }
}

#[test]
fn nothing_of_the_file_reaches_the_terminal_unescaped() {
    let text = "{\"hopper\": 1, // \u{1b}[2J\u{9b}\u{202e}\r\n \"hots\": 2}";
    let seen = render(&parse(text, "corp").expect_err(text), "a\u{1b}b.json", text, UNICODE);
    assert!(!seen.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\r']), "{seen:?}");
    assert!(seen.contains("a\\u{1b}b.json:2:2]"), "{seen}");
}

#[test]
fn a_name_that_cannot_be_is_harmless_where_it_is_suggested_too() {
    let text = r#"{"hopper": 1, "hosts": {"gate\u001bhouse": "a@b"}, "links": ["local -> gate-house"]}"#;
    let seen = drawn(text, UNICODE);
    assert!(seen.contains("did you mean \"gate\\u{1b}house\"?"), "{seen}");
    assert!(!seen.contains('\u{1b}'), "{seen:?}");
}

#[test]
fn places_count_characters_from_one_and_skip_a_byte_order_mark() {
    for text in
        ["\u{feff}{\"hopper\": 1, \"x-é\": 1, \"hots\": 2}", "{\"hopper\": 1, \"x-é\": 1, \"hots\": 2}"]
    {
        let problems = parse(text, "corp").expect_err(text);
        let seen = render(&problems, "corp.json", text, UNICODE);
        assert!(seen.contains("[corp.json:1:25]"), "{seen}");
        let json = problems_json(&problems, "corp.json", text);
        assert_eq!((json[0]["line"].as_u64(), json[0]["column"].as_u64()), (Some(1), Some(25)));
        assert_eq!(json[0]["range"][0].as_u64(), text.find("\"hots\"").map(|at| at as u64));
    }
}

#[test]
fn lines_nobody_can_read_are_named_instead_of_drawn() {
    let text = format!("{{\"hopper\": 1, \"x-a\": \"{}\", \"hots\": 2}}", "a".repeat(5000));
    let seen = drawn(&text, UNICODE);
    assert!(seen.len() < 1000, "{seen}");
    assert!(seen.contains("at topologies/corp.json:1:5026: unknown key"), "{seen}");
    assert!(seen.contains("did you mean \"hosts\"?"), "{seen}");
    assert!(
        drawn("", UNICODE)
            .contains("error[H0101]: the file is empty\n  at topologies/corp.json:1:1: nothing here")
    );
}

#[test]
fn a_flood_of_problems_is_cut_but_counted() {
    let keys: String = (0..500).map(|n| format!(",\n\"key{n}\": 1")).collect();
    let seen = drawn(&format!("{{\"hopper\": 1{keys}}}"), ASCII);
    assert!(seen.contains("and 450 more."), "{seen}");
    assert!(seen.ends_with("500 problems. Nothing was started.\n"), "{seen}");
    assert_eq!(seen.matches("error[").count(), 50);
}

#[test]
fn long_help_breaks_between_words_only() {
    let text = r#"{"hopper": 1, "hosts": {"gate": {"password": "x"}}}"#;
    let seen = drawn(text, Look { width: 60, ..ASCII });
    let help = seen.split("help: ").nth(1).expect(&seen);
    assert!(help.contains("ssh-agent"), "{seen}");
    assert!(help.lines().take(2).all(|line| line.chars().count() <= 60), "{seen}");
}

#[test]
fn lines_wider_than_the_terminal_are_cut_around_their_labels() {
    let text = r#"{ "hopper": 1, "hosts": { "bastion": "alice@bastion.example.com", "database": "db.internal" }, "links": [{ "from": "bastion", "to": "databse", "note": "paid by the minute, and slow at that" }],
  "forwards": { "a": "5432 -> database:5432", "note": { "of": "no interest whatsoever to anybody" }, "b": "5432 -> database:5433" } }"#;
    for look in [Look { width: 80, ..UNICODE }, Look { width: 80, ..ASCII }, Look { width: 60, ..UNICODE }] {
        let seen = drawn(text, look);
        assert!(seen.lines().all(|line| line.chars().count() <= look.width), "{seen}");
        let lines: Vec<&str> = seen.lines().collect();
        let at = lines.iter().position(|line| line.contains("databse\", ")).expect(&seen);
        let column = |text: &str| lines[at].split(text).next().map(|before| before.chars().count());
        let under = lines[at + 1].chars().take_while(|c| !"─^-".contains(*c)).count();
        assert_eq!(column("databse\","), Some(under), "{seen}");
        assert!(seen.contains("topologies/corp.json:1:134]"), "columns are those of the file: {seen}");
    }
}
