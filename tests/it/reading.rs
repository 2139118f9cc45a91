//! How a topology is found and read, and what is said of a file that cannot be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::detached::small;
use super::files::{FOLDERS, stem, topologies};
use super::home::{Home, root};

const EXAMPLE: &str = "topologies/vnc-through-three-firewalls.json";

/// The verbs that read a topology and need nothing else.
const VERBS: [&[&str]; 3] = [&["plan"], &["check"], &["up", "--lab"]];

/// Every verb refuses this file with exit code 10 and these words, and starts nothing.
fn refused(home: &Home, file: &str, words: &[&str]) {
    for verb in VERBS {
        let ended = home.run(&[verb, &[file]].concat()).with(10);
        assert_eq!(ended.stdout, "", "{verb:?}");
        for word in words {
            assert!(ended.stderr.contains(word), "{verb:?}: no {word:?} in\n{}", ended.stderr);
        }
        assert!(ended.stderr.len() < 4096, "{verb:?} says too much:\n{}", ended.stderr);
        let json = home.run(&[verb, &[file, "--json"]].concat()).with(10).json();
        let first = json.as_array().map_or(&json, |list| &list[0]);
        assert!(first["code"].is_string() && first["message"].is_string(), "{verb:?}: {json}");
    }
    home.assert_nothing_left();
}

#[test]
fn a_dry_run_says_what_plan_says() {
    let home = Home::new();
    for file in FOLDERS.iter().flat_map(|folder| topologies(folder)) {
        for more in [[].as_slice(), &["--json"], &["--ascii"], &["--carrier", "port"]] {
            let plan = home.run(&[&["plan", file.as_str()], more].concat()).with(0);
            let dry = home.run(&[&["up", "--dry-run", file.as_str()], more].concat()).with(0);
            assert!(
                plan.stdout == dry.stdout && plan.stderr == dry.stderr,
                "{file} {more:?}:\n{}",
                dry.stdout
            );
        }
    }
    home.assert_nothing_left();
}

#[test]
fn a_topology_comes_through_standard_input() {
    let home = Home::new();
    let by_path = home.run(&["plan", EXAMPLE]).with(0);
    let piped = home.run_on(&["plan", "-"], root().join(EXAMPLE)).with(0);
    assert_eq!(piped.stdout, by_path.stdout, "the file says its own name");
    home.run_on(&["check", "-"], root().join(EXAMPLE)).with(0);
    let wrong =
        home.run_on(&["check", "-"], root().join("tests/topologies/wrong/unknown-host.json")).with(10);
    assert!(wrong.stderr.contains("standard input:4:"), "{}", wrong.stderr);
    home.run(&["plan", "-"]).with(10);
}

#[test]
fn a_run_can_be_started_from_standard_input() {
    let home = Home::new();
    let file = home.file("piped.json", small("piped"));
    home.run_on(&["up", "-", "--lab", "-d"], &file).with(0);
    home.run(&["status", "piped"]).with(0);
    home.run(&["down", "piped"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn a_topology_is_found_by_its_name() {
    let home = Home::new();
    for file in topologies("topologies") {
        let by_path = home.run(&["plan", &file]).with(0);
        assert_eq!(home.run(&["plan", stem(&file)]).with(0).stdout, by_path.stdout);
    }
    fs::create_dir(home.path("config/hopper")).expect("make a folder");
    fs::copy(root().join(EXAMPLE), home.path("config/hopper/kept.json")).expect("copy a file");
    let by_path = home.run(&["plan", EXAMPLE]).with(0);
    assert_eq!(home.run(&["plan", "kept"]).with(0).stdout, by_path.stdout);
}

#[test]
fn an_unknown_name_says_where_it_was_looked_for() {
    let home = Home::new();
    let looked = ["topologies/no-such-name.json", "config/hopper/no-such-name.json"];
    refused(&home, "no-such-name", &["H0302", "\"no-such-name\"", looked[0], looked[1]]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let home = Home::new();
    let gone = home.path("files/gone.json");
    let gone = gone.to_str().expect("text");
    refused(&home, gone, &["H0302", gone, "No such file"]);
}

#[test]
fn a_folder_is_no_file() {
    let home = Home::new();
    let folder = home.path("files");
    refused(&home, folder.to_str().expect("text"), &["H0302", "Is a directory"]);
}

#[test]
fn a_file_that_may_not_be_read_says_so() {
    let home = Home::new();
    let file = home.file("closed.json", small("closed"));
    fs::set_permissions(&file, PermissionsExt::from_mode(0o000)).expect("close a file");
    if fs::File::open(&file).is_ok() {
        eprintln!("skipped: nothing is closed to root");
        return;
    }
    refused(&home, &file, &["H0302", "Permission denied"]);
}

#[test]
fn what_is_not_text_says_where() {
    let home = Home::new();
    let file = home.file("odd.json", b"{ \"hopper\": 1, \"name\": \"\xff\xfe\" }");
    refused(&home, &file, &["H0302", "not UTF-8", "24"]);
}

#[test]
fn a_file_cut_anywhere_is_refused_and_never_half_read() {
    let home = Home::new();
    let text = fs::read_to_string(root().join("topologies/smallest.json")).expect("read the example");
    let text = text.lines().filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join("\n");
    let last = text.rfind('}').expect("it ends");
    for at in (0..last).step_by(17).filter(|at| text.is_char_boundary(*at)) {
        let file = home.file("cut.json", &text[..at]);
        let said = home.run(&["check", &file]).with(10).stderr;
        assert!(said.contains("error[H01") && said.contains("cut.json"), "cut at {at}:\n{said}");
    }
}

#[test]
fn a_file_of_more_than_a_mebibyte_is_not_read() {
    let home = Home::new();
    let full = |bytes: usize| {
        let text = small("large");
        format!("{}{text}", " ".repeat(bytes - text.len()))
    };
    home.run(&["check", &home.file("fits.json", full(1 << 20))]).with(0);
    refused(&home, &home.file("large.json", full((1 << 20) + 1)), &["H0102"]);
    refused(&home, &home.file("huge.json", full(20 << 20)), &["H0102"]);
}

#[test]
fn a_file_nested_deeper_than_32_is_refused() {
    let home = Home::new();
    for depth in [33, 1000, 100_000] {
        let text = format!("{{ \"hopper\": 1, \"hosts\": {} }}", "[".repeat(depth));
        refused(&home, &home.file("deep.json", text), &["H0102"]);
    }
}

#[test]
fn no_secret_is_ever_printed() {
    let home = Home::new();
    let file = "tests/topologies/wrong/secrets.json";
    let secret = "GEHEIM";
    assert!(fs::read_to_string(root().join(file)).expect("read it").contains(secret));
    for verb in VERBS {
        for more in [[].as_slice(), &["--json"], &["-vv"], &["--color", "always"], &["--ascii"]] {
            let ended = home.run(&[verb, &[file], more].concat()).with(10);
            let said = ended.stdout + &ended.stderr;
            assert!(said.contains("H0103") && !said.contains(secret), "{verb:?} {more:?}:\n{said}");
        }
    }
    home.assert_nothing_left();
}

#[test]
fn without_a_route_up_starts_nothing() {
    let home = Home::new();
    for file in ["no-route", "firewall-in-the-way"].map(|name| format!("tests/topologies/wrong/{name}.json"))
    {
        refused(&home, &file, &["H0201", "no route to web:80"]);
        let error = home.run(&["up", &file, "--lab", "--timeout", "60s", "--json"]).with(10).json();
        assert_eq!((&error[0]["code"], &error[0]["exit"]), (&"H0201".into(), &10.into()), "{error}");
    }
    assert!(!Path::new(&home.path("run/hopper")).exists(), "not even a folder was made");
}

#[test]
fn nothing_hostile_in_a_file_reaches_the_terminal() {
    let home = Home::new();
    let file = "tests/topologies/wrong/control-characters.json";
    for verb in VERBS {
        let said = home.run(&[verb, &[file]].concat()).with(10).stderr;
        let odd =
            said.chars().find(|c| c.is_control() && *c != '\n' || ('\u{202a}'..='\u{202e}').contains(c));
        assert_eq!(odd, None, "{said:?}");
    }
    let hostile = home.path("files/\u{1b}[31mred.json");
    let said = home.run(&["plan", hostile.to_str().expect("text")]).with(10).stderr;
    assert!(!said.contains('\u{1b}') && said.contains("red.json"), "{said:?}");
}
