//! Runs in the background: one of each name, found again, cleaned up after.

use std::net::TcpListener;

use super::client::{assert_refuses, echo};
use super::home::Home;

/// The smallest run with an echo behind it.
pub fn small(name: &str) -> String {
    listening(name, "auto")
}

fn listening(name: &str, listen: &str) -> String {
    format!(
        r#"{{ "hopper": 1, "name": "{name}", "hosts": {{ "gate": "alice@gate", "far": {{ "ssh": false }} }},
  "links": ["local -> gate -> far"], "forwards": {{ "echo": "{listen} -> far:7000" }} }}"#
    )
}

#[test]
fn a_second_up_of_a_name_is_refused_and_says_how_to_end_the_first() {
    let home = Home::new();
    let file = home.file("one.json", small("one"));
    home.up(&file, &[]);
    let pid = home.status("one")["pid"].clone();
    for more in [[].as_slice(), &["-d"]] {
        let said = home.run(&[&["up", &file, "--lab"], more].concat()).with(9).stderr;
        assert!(said.contains("already running") && said.contains("hopper down one"), "{said}");
    }
    let error = home.run(&["up", &file, "--lab", "--json"]).with(9).json();
    assert_eq!((&error["code"], &error["exit"]), (&"H0902".into(), &9.into()), "{error}");
    assert_eq!(home.status("one")["pid"], pid, "the first run goes on");
    assert_eq!(echo(&home.listen("one", "echo"), b"still here"), b"still here");
    home.run(&["down", "one"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn a_taken_port_is_named_with_its_forward() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("take a port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let file = home.file("taken.json", listening("taken", &port));
    for more in [[].as_slice(), &["-d"]] {
        let said = home.run(&[&["up", &file, "--lab"], more].concat()).with(7).stderr;
        assert!(said.contains(&format!("127.0.0.1:{port}")) && said.contains("\"echo\""), "{said}");
        home.assert_nothing_left();
    }
    let error = home.run(&["up", &file, "--lab", "--json"]).with(7).json();
    assert_eq!((&error["schema"], &error["code"]), (&"hopper.error/1".into(), &"H0701".into()), "{error}");
    drop(taken);
    home.up(&file, &[]);
    home.run(&["down", "taken"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn after_kill_9_down_says_what_it_removed() {
    let home = Home::new();
    home.up(&home.file("shot.json", small("shot")), &[]);
    let listen = home.listen("shot", "echo");
    home.kill_outright();
    assert_refuses(&listen);
    let said = home.run(&["status", "shot"]).with(3).stdout;
    assert!(said.contains("not running"), "{said}");
    home.run(&["status"]).with(3);
    let said = home.run(&["down", "shot"]).with(0).stderr;
    assert!(said.contains("had died or been killed") && said.contains("shot.sock"), "{said}");
    home.assert_nothing_left();
    let said = home.run(&["down", "shot"]).with(0).stderr;
    assert!(!said.contains("removed"), "there is nothing left to remove: {said}");
}

#[test]
fn after_kill_9_the_next_up_just_works() {
    let home = Home::new();
    let file = home.file("shot.json", small("shot"));
    home.up(&file, &[]);
    home.kill_outright();
    let said = home.run(&["up", &file, "--lab", "-d"]).with(0).stderr;
    assert!(said.contains("ended without cleaning up"), "{said}");
    assert_eq!(echo(&home.listen("shot", "echo"), b"again"), b"again");
    home.run(&["down", "shot"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn down_by_file_by_name_and_by_nothing_mean_the_same_run() {
    let home = Home::new();
    let file = home.file("another-stem.json", small("by-name"));
    for words in [["down", "by-name"].as_slice(), &["down", &file], &["down"]] {
        home.up(&file, &[]);
        home.run(&["status", &file]).with(0);
        let said = home.run(words).with(0).stderr;
        assert!(said.contains("by-name is down"), "{words:?}: {said}");
        home.assert_nothing_left();
    }
}

#[test]
fn a_file_behind_two_dashes_goes_to_the_background_too() {
    let home = Home::new();
    let file = home.file("dashed.json", small("dashed"));
    home.run(&["up", "--lab", "-d", "--", &file]).with(0);
    assert_eq!(echo(&home.listen("dashed", "echo"), b"hello"), b"hello");
    home.run(&["down", "--", "dashed"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn down_may_be_as_patient_as_it_likes() {
    let home = Home::new();
    let file = home.file("slow.json", small("slow"));
    home.up(&file, &[]);
    for running in [true, false] {
        let ended = home.run(&["down", "slow", "--timeout", &format!("{}s", u64::MAX)]).with(0);
        assert_eq!(ended.stderr.contains("slow is down"), running, "{}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    }
    home.assert_nothing_left();
}

#[test]
fn down_all_ends_every_run() {
    let home = Home::new();
    let files = ["first", "second"].map(|name| home.file(&format!("{name}.json"), small(name)));
    files.iter().for_each(|file| home.up(file, &[]));
    let listed = home.run(&["status", "--json"]).with(0).json();
    let names: Vec<_> = listed.as_array().expect("a list").iter().map(|one| one["name"].as_str()).collect();
    assert_eq!(names, [Some("first"), Some("second")]);
    let said = home.run(&["down"]).with(2).stderr;
    assert!(said.contains("hopper down first") && said.contains("hopper down second"), "{said}");
    let said = home.run(&["down", "--all"]).with(0).stderr;
    assert!(said.contains("first is down") && said.contains("second is down"), "{said}");
    home.assert_nothing_left();
}

#[test]
fn of_nothing_status_is_3_and_down_is_0() {
    let home = Home::new();
    home.run(&["status"]).with(3);
    home.run(&["status", "nothing"]).with(3);
    assert_eq!(home.run(&["status", "--json"]).with(3).json(), serde_json::json!([]));
    let error = home.run(&["status", "nothing", "--json"]).with(3).json();
    assert_eq!((&error["schema"], &error["code"]), (&"hopper.error/1".into(), &"H0901".into()), "{error}");
    home.run(&["down"]).with(0);
    home.run(&["down", "nothing"]).with(0);
    home.run(&["down", "--all"]).with(0);
    let said = home.run(&["down", "../nothing"]).stderr;
    assert!(!said.contains("is down"), "{said}");
    home.assert_nothing_left();
}

#[test]
fn the_log_of_a_run_can_be_read_while_it_runs_and_after() {
    let home = Home::new();
    home.up(&home.file("told.json", small("told")), &[]);
    home.run(&["logs", "told"]).with(0);
    home.run(&["down", "told"]).with(0);
    home.run(&["logs", "told"]).with(0);
    let said = home.run(&["logs", "never-ran"]).with(1).stderr;
    assert!(said.contains("hopper up -d"), "{said}");
    home.assert_nothing_left();
}
