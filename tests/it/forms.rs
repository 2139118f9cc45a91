//! The other forms of a plan are what they claim to be: scripts that a shell reads, graphs that Graphviz
//! draws, and never two at once.

use std::io::Write;
use std::process::{Command, Stdio};

use super::files::{FOLDERS, topologies};
use super::home::Home;

fn all() -> impl Iterator<Item = String> {
    FOLDERS.into_iter().flat_map(topologies)
}

/// Gives a program its input; `None` when there is no such program.
fn reads(program: &str, words: &[&str], text: &str) -> Option<Result<(), String>> {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        spawned => spawned.expect("start the program"),
    };
    child.stdin.take().expect("stdin is piped").write_all(text.as_bytes()).expect("write to it");
    let out = child.wait_with_output().expect("wait for it");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    Some(if out.status.success() && said.is_empty() { Ok(()) } else { Err(said) })
}

#[test]
fn every_list_of_ssh_commands_is_a_script() {
    let home = Home::new();
    for file in all() {
        let script = home.run(&["plan", &file, "--ssh"]).with(0).stdout;
        assert_eq!(reads("sh", &["-n"], &script), Some(Ok(())), "{file}:\n{script}");
    }
}

#[test]
fn every_graph_can_be_drawn() {
    let home = Home::new();
    for file in all() {
        let graph = home.run(&["plan", &file, "--dot"]).with(0).stdout;
        let whole = home.run(&["graph", &file, "--dot"]).with(0).stdout;
        match reads("dot", &["-Tsvg"], &(graph.clone() + &whole)) {
            None => {
                eprintln!("skipped: Graphviz (dot) is not installed");
                return;
            }
            read => assert_eq!(read, Some(Ok(())), "{file}:\n{graph}"),
        }
    }
}

#[test]
fn a_graph_needs_no_route() {
    let home = Home::new();
    let file = "tests/topologies/wrong/no-route.json";
    home.run(&["plan", file]).with(10);
    let said = home.run(&["graph", file]).with(0).stdout;
    assert!(
        said.contains("No chain of links leads from local to these:") && said.contains("island"),
        "{said}"
    );
    let json = home.run(&["graph", file, "--json"]).with(0).json();
    assert_eq!(
        (&json["schema"], &json["topology"]),
        (&"hopper.graph/1".into(), &"no-route".into()),
        "{json}"
    );
    for form in ["--dot", "--mermaid", "--svg"] {
        let said = home.run(&["graph", file, form]).with(0).stdout;
        assert!(said.contains("island") && said.contains("web :80"), "{said}");
        home.run(&["graph", file, form, "--json"]).with(2);
    }
}

#[test]
fn one_form_at_a_time_and_only_of_a_plan() {
    let home = Home::new();
    let file = all().next().expect("a topology");
    let forms = ["--json", "--ssh", "--dot", "--mermaid", "--svg", "--grants"];
    let together = |one, other| [("--json", "--grants"), ("--grants", "--json")].contains(&(one, other));
    for one in forms {
        for other in forms.into_iter().filter(|other| *other != one && !together(one, *other)) {
            home.run(&["plan", &file, one, other]).with(2);
            home.run(&["up", &file, "--dry-run", one, other]).with(2);
        }
    }
    for form in &forms[1..] {
        home.run(&["plan", &file, "--explain", form]).with(2);
        let told = home.run(&["up", &file, "--lab", form]).with(2).stderr;
        assert!(told.contains("--dry-run"), "{told}");
    }
    home.assert_nothing_left();
}
