//! A far end that does not answer as it should: fatal where it is required, told where it is not.

use super::client::FarEnd;
use super::home::Home;

/// A screen, and a forward to the same port that takes it for something else.
fn mistaken(check: &str, required: bool) -> String {
    format!(
        r#"{{ "hopper": 1, "name": "mistaken",
  "hosts": {{ "gate": "alice@gate", "screen": {{ "ssh": false }} }},
  "links": ["local -> gate -> screen"],
  "forwards": {{ "vnc": {{ "listen": "auto", "to": "screen:5900", "check": {{ "banner": "RFB " }} }},
                "wrong": {{ "listen": "auto", "to": "screen:5900", "required": {required}, "check": {check} }} }} }}"#
    )
}

const CHECKS: [&str; 2] = [r#"{ "banner": "SSH-" }"#, r#"{ "http": "/" }"#];

#[test]
fn a_required_forward_that_answers_wrong_ends_the_run() {
    let home = Home::new();
    for check in CHECKS {
        let file = home.file("mistaken.json", mistaken(check, true));
        for more in [[].as_slice(), &["-d"]] {
            let said = home.run(&[&["up", &file, "--lab"], more].concat()).with(7).stderr;
            for words in ["H0704", "screen:5900", "\"wrong\"", "RFB 003.008", "Nothing is left running"] {
                assert!(said.contains(words), "{check}: no {words:?} in\n{said}");
            }
            home.assert_nothing_left();
        }
        let error = home.run(&["up", &file, "--lab", "--json"]).with(7).json();
        assert_eq!((&error["code"], &error["phase"]), (&"H0704".into(), &"check".into()), "{error}");
    }
}

#[test]
fn without_a_forward_that_is_not_required_the_run_is_degraded() {
    let home = Home::new();
    for check in CHECKS {
        let file = home.file("mistaken.json", mistaken(check, false));
        let said = home.run(&["up", &file, "--lab", "-d"]).with(8).stderr;
        assert!(said.contains("wrong: failed, the run goes on without it"), "{said}");
        let status = home.run(&["status", "mistaken", "--json"]).with(8).json();
        assert_eq!(status["state"], "degraded", "{status}");
        let states = [&status["forwards"][0]["state"], &status["forwards"][1]["state"]];
        assert_eq!(states, ["up", "failed"], "{status}");
        home.run(&["status"]).with(8);
        FarEnd::Screen.visit(&home.listen("mistaken", "vnc"));
        home.run(&["down", "mistaken"]).with(0);
        home.assert_nothing_left();
    }
}

/// Not every program ends its greeting with a new line: "login: " does not, and the lab's echo does not.
#[test]
fn a_greeting_without_an_end_of_line_is_an_answer() {
    let home = Home::new();
    let text = r#"{ "hopper": 1, "name": "prompt",
      "hosts": { "gate": { "user": "alice", "timeout": { "forward": "1s" } }, "far": { "ssh": false } },
      "links": ["local -> gate -> far"],
      "forwards": { "prompt": { "listen": "auto", "to": "far:7000", "check": { "banner": "login: " } } } }"#;
    home.up(&home.file("prompt.json", text), &[]);
    home.run(&["down", "prompt"]).with(0);
    home.assert_nothing_left();
}
