//! `hopper plan --diff`: what a file would change in the run of its name, and the exit codes of that.

use std::os::unix::fs::PermissionsExt;

use super::home::Home;

/// A page and a shop behind a gate, or behind another one.
fn shop(gate: &str, forwards: &str) -> String {
    format!(
        r#"{{ "hopper": 1, "name": "shop", "hosts": {{ "gate": "{gate}", "web": {{ "ssh": false }} }},
  "links": ["local -> gate -> web"], "forwards": {{ {forwards} }} }}"#
    )
}

const PAGE: &str = r#""page": "auto -> web:7000""#;
const BOTH: &str = r#""page": "auto -> web:7000", "shop": "auto -> web:7001""#;

#[test]
fn without_a_run_everything_is_to_be_opened() {
    let home = Home::new();
    let file = home.file("shop.json", shop("alice@gate", PAGE));
    let ended = home.run(&["plan", &file, "--diff"]).with(0);
    assert!(ended.stderr.contains("shop is not running"), "{}", ended.stderr);
    let wanted = "  + T1    gate, ssh alice@gate:22\n  + page  127.0.0.1:auto -> web:7000\n\n";
    assert_eq!(ended.stdout, format!("{wanted}2 to open, 0 to change, 0 to close, 0 to keep.\n"));
    home.run(&["plan", &file, "--detailed-exitcode"]).with(2);
    let json = home.run(&["plan", &file, "--detailed-exitcode", "--json"]).with(2).json();
    assert_eq!((&json["schema"], &json["running"]), (&"hopper.diff/1".into(), &false.into()), "{json}");
    home.assert_nothing_left();
}

#[test]
fn a_run_of_the_same_file_is_kept_and_each_change_is_told() {
    let home = Home::new();
    home.up(&home.file("shop.json", shop("alice@gate", BOTH)), &[]);
    let run = |gate, forwards: &str, code| {
        let file = home.file("shop.json", shop(gate, forwards));
        home.run(&["plan", &file, "--diff"]).with(0);
        home.run(&["plan", &file, "--detailed-exitcode"]).with(code).stdout
    };
    let same = run("alice@gate", BOTH, 0);
    assert!(same.ends_with("0 to open, 0 to change, 0 to close, 3 to keep.\n"), "{same}");
    let fewer = run("alice@gate", PAGE, 2);
    assert!(fewer.contains("  - shop  127.0.0.1:auto -> web:7001\n"), "{fewer}");
    let moved = run("alice@gate", r#""page": "18080 -> web:7001""#, 2);
    assert!(
        moved.contains("  ~ page  listen 127.0.0.1:auto -> 127.0.0.1:18080, target web:7000 -> web:7001\n"),
        "{moved}"
    );
    let other = run("bob@gate", BOTH, 2);
    assert!(other.contains("  + T1    gate, ssh bob@gate:22\n"), "{other}");
    assert!(other.contains("  - T1    gate, ssh alice@gate:22\n"), "{other}");
    assert!(other.ends_with("1 to open, 2 to change, 1 to close, 0 to keep.\n"), "{other}");
    let status = home.status("shop");
    assert_eq!(status["state"], "up", "to compare changes nothing: {status}");
    home.run(&["down", "shop"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn errors_keep_their_exit_codes() {
    let home = Home::new();
    let none = "tests/topologies/wrong/no-route.json";
    let told = home.run(&["plan", none]).with(10);
    // To compare looks hosts up, as up does, so it has nothing to say of that.
    assert_eq!(home.run(&["plan", none, "--detailed-exitcode"]).with(10).stderr, told.complaint());
    let file = home.file("shop.json", shop("alice@gate", PAGE));
    for form in ["--ssh", "--svg", "--explain"] {
        home.run(&["plan", &file, "--diff", form]).with(2);
    }
    home.assert_nothing_left();
}

#[test]
fn a_plan_alone_never_looks_for_a_run() {
    let home = Home::new();
    let folder = home.path("run/hopper");
    std::fs::create_dir(&folder).expect("make a folder");
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).expect("open a folder");
    let file = home.file("shop.json", shop("alice@gate", PAGE));
    let said = home.run(&["plan", &file, "--diff"]).with(9).stderr;
    assert!(said.contains("H0903"), "{said}");
    home.run(&["plan", &file]).with(0);
    home.run(&["graph", &file]).with(0);
}
