//! The topology files of the project, and copies of them that listen on free ports.

use std::fs;

use super::home::{Home, root};

/// The files for people, and those that only the tests read.
pub const FOLDERS: [&str; 2] = ["topologies", "tests/topologies"];

/// The topology files of a folder of the project, as paths from its root.
pub fn topologies(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let names = entries.map(|entry| entry.expect("read a folder").file_name().into_string().expect("text"));
    let mut files: Vec<_> =
        names.filter(|name| name.ends_with(".json")).map(|name| format!("{folder}/{name}")).collect();
    files.sort();
    assert!(!files.is_empty(), "no topologies in {folder}");
    files
}

/// The name of a file without folder and ending.
pub fn stem(file: &str) -> &str {
    file.rsplit('/').next().and_then(|name| name.strip_suffix(".json")).expect("a topology file")
}

/// A copy in this home of a file of the project that listens on free ports only, as an argument.
pub fn free_copy(home: &Home, file: &str) -> String {
    let text = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    home.file(&format!("{}.json", stem(file)), free(&text))
}

/// The text with `auto` for every port to listen on.
fn free(text: &str) -> String {
    let lines = text.lines().map(|line| short(&long(line)) + "\n");
    lines.collect()
}

/// `"listen": 5901` and `"listen": "[::1]:5901"`.
fn long(line: &str) -> String {
    let Some((before, after)) = line.split_once("\"listen\": ") else { return line.to_owned() };
    let end = after.find(|c: char| c == ',' || c.is_whitespace()).unwrap_or(after.len());
    let (value, rest) = after.split_at(end);
    // What listens on a host of the lab needs no free port of this machine.
    if value.contains('/') {
        return line.to_owned();
    }
    let auto = match value.trim_matches('"').rsplit_once(':') {
        Some((address, _)) => format!("\"{address}:auto\""),
        None => "\"auto\"".to_owned(),
    };
    format!("{before}\"listen\": {auto}{rest}")
}

/// `"8080 -> web:80"`, as many as there are in a line.
fn short(line: &str) -> String {
    let pieces = line.split("\"").map(|piece| match piece.split_once(" ->") {
        Some((port, rest)) if port.parse::<u16>().is_ok() => format!("auto ->{rest}"),
        Some((listen, _)) if listen.contains('/') => piece.to_owned(),
        Some((listen, rest)) => match listen.rsplit_once(':') {
            Some((address, port)) if port.parse::<u16>().is_ok() => format!("{address}:auto ->{rest}"),
            _ => piece.to_owned(),
        },
        None => piece.to_owned(),
    });
    pieces.collect::<Vec<_>>().join("\"")
}

#[test]
fn a_copy_listens_on_free_ports_only() {
    let text = "{ \"listen\": 5901, \"to\": \"a -> b:7\" }\n\"8080 -> web:80\", \"127.0.0.1:81 -> web:80\" }\n\
        \"listen\": \"[::1]:5901\", x\n\"auto -> b:7\"\n\"listen\": 2201 },\n\"listen\": \"a/1\"\n\"a/1 -> b:7\"\n";
    let wanted = "{ \"listen\": \"auto\", \"to\": \"a -> b:7\" }\n\"auto -> web:80\", \"127.0.0.1:auto -> web:80\" }\n\
        \"listen\": \"[::1]:auto\", x\n\"auto -> b:7\"\n\"listen\": \"auto\" },\n\"listen\": \"a/1\"\n\"a/1 -> b:7\"\n";
    assert_eq!(free(text), wanted);
}
