//! Holds the rules of the house: see docs/house.md. Reads the source as text; runs nothing of hopper.

#[path = "house/source.rs"]
mod source;
#[path = "house/tree.rs"]
mod tree;

use std::collections::BTreeSet;

use source::Source;
use tree::{dependencies, files, read, root, sources};

/// The rooms, and from which of them each may import. What is not listed here is no room.
const ROOMS: &[(&str, &[&str])] = &[
    ("topology", &[]),
    ("plan", &["topology"]),
    ("ssh", &["topology", "plan"]),
    ("forward", &["topology", "plan", "ssh"]),
    ("engine", &["topology", "plan", "ssh", "forward"]),
    ("control", &["topology", "plan", "ssh", "forward", "engine"]),
    ("report", &["topology", "plan", "ssh", "forward", "engine"]),
    ("lab", &["topology", "ssh"]),
    ("commands", &["topology", "plan", "ssh", "forward", "engine", "control", "report", "lab"]),
    ("cli", &["topology", "plan", "ssh", "forward", "engine", "control", "report", "commands"]),
    ("main", &["topology", "plan", "ssh", "forward", "engine", "control", "report", "commands", "cli"]),
];

/// Any room that is not pure may use the crate.
const ANY: &[&str] =
    &["ssh", "forward", "engine", "control", "report", "lab", "commands", "cli", "main", "topology", "plan"];

/// Every external crate, and the rooms that own it.
const CRATES: &[(&str, &[&str])] = &[
    ("bytes", &["ssh", "forward", "lab"]),
    ("clap", &["cli", "commands"]),
    ("etcetera", &["ssh", "control", "commands"]),
    ("hmac", &["ssh"]),
    ("indicatif", &["report"]),
    ("jiff", &["engine", "control", "report"]),
    ("jsonc_parser", &["topology"]),
    ("miette", &["report"]),
    ("petgraph", &["plan"]),
    ("rand", &["engine", "lab"]),
    ("rpassword", &["commands"]),
    ("russh", &["ssh", "lab"]),
    ("rustix", ANY),
    ("serde", ANY),
    ("serde_json", ANY),
    ("sha1", &["ssh"]),
    ("socket2", &["ssh", "forward"]),
    ("strsim", &["topology"]),
    ("thiserror", ANY),
    ("tokio", ANY),
    ("tokio_util", ANY),
    ("tracing", ANY),
    ("tracing_subscriber", &["cli", "commands"]),
    ("unicode_width", &["plan", "report"]),
    ("zeroize", &["ssh", "control", "commands"]),
];

/// Decide, and touch nothing: folders end with a slash.
const PURE: &[&str] = &["src/topology/", "src/plan/", "src/engine/machine/", "src/engine/backoff.rs"];

/// What a pure room never names.
const IMPURE: &[&str] = &[
    "tokio",
    "tokio_util",
    "tracing",
    "rustix",
    "socket2",
    "std::env",
    "std::fs",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
    "std::net::UdpSocket",
    "std::os",
    "std::process",
    "std::thread",
    "Instant::now",
    "SystemTime::now",
    "print!",
    "println!",
    "eprint!",
    "eprintln!",
    "dbg!",
];

/// Files of 301 to 400 lines, and why they are not two.
const LONG: &[(&str, &str)] = &[];

/// Tests that wait by the clock, and why that is no synchronisation.
const SLEEPERS: &[(&str, &str)] = &[
    ("tests/it/simulation/stage.rs", "its clock stands still, and only waiting moves it"),
    ("tests/it/simulation/story.rs", "its clock stands still, and only waiting moves it"),
];

/// Everything at the top, besides dotfiles and what git ignores.
const TOP: &[&str] =
    &["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "docs", "src", "tests", "topologies"];

/// Fails with every finding at once.
fn nothing(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn imports_go_one_way() {
    let mut found = Vec::new();
    for source in sources("src").iter().filter(|source| source.file != "src/lib.rs") {
        let room = source.room();
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            found.push(format!("{}: {room} is no room", source.file));
            continue;
        };
        for path in source.paths() {
            let Some(inner) = path.strip_prefix("crate::").or(path.strip_prefix("hopper::")) else {
                continue;
            };
            let other = inner.split("::").next().unwrap_or_default();
            let is_room = ROOMS.iter().any(|(name, _)| *name == other);
            if is_room && other != room && !allowed.contains(&other) {
                found.push(format!("{}: {room} may not know {other} ({path})", source.file));
            }
        }
    }
    nothing(found);
}

#[test]
fn every_external_crate_stays_with_its_owners() {
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    for source in sources("src") {
        for path in source.paths() {
            let head = path.split("::").next().unwrap_or_default().to_owned();
            let Some((name, owners)) = CRATES.iter().find(|(name, _)| *name == head) else { continue };
            if owners.contains(&source.room().as_str()) {
                used.insert(*name);
            } else {
                found.push(format!("{}: {head} belongs to {}", source.file, owners.join(", ")));
            }
        }
    }
    let listed: BTreeSet<&str> = CRATES.iter().map(|(name, _)| *name).collect();
    let declared = dependencies();
    found.extend(
        declared
            .iter()
            .filter(|name| !listed.contains(name.as_str()))
            .map(|name| format!("Cargo.toml: {name} has no owner in the table")),
    );
    for name in listed {
        if !declared.contains(name) {
            found.push(format!("the table names {name}, which Cargo.toml does not"));
        } else if !used.contains(name) {
            found.push(format!("Cargo.toml: no owner of {name} uses it"));
        }
    }
    nothing(found);
}

#[test]
fn pure_rooms_touch_nothing() {
    let mut found = Vec::new();
    for source in sources("src") {
        if !PURE.iter().any(|pure| source.file.starts_with(pure)) {
            continue;
        }
        for path in source.paths() {
            let names = |bad: &&&str| path == **bad || path.starts_with(&format!("{bad}::"));
            let calls = |bad: &&&str| bad.ends_with("::now") && path.ends_with(**bad);
            if let Some(bad) = IMPURE.iter().find(|bad| names(bad) || calls(bad)) {
                found.push(format!("{}: a pure room names {bad} ({path})", source.file));
            }
        }
        let macros = IMPURE.iter().filter(|bad| bad.ends_with('!') && source.calls(bad));
        found.extend(macros.map(|bad| format!("{}: a pure room calls {bad}", source.file)));
    }
    nothing(found);
}

#[test]
fn every_file_says_what_it_is_and_stays_short() {
    let mut found = Vec::new();
    let all = [files("src", &["rs"]), files("tests", &["rs"])].concat();
    for file in &all {
        let text = read(file);
        let lines = text.lines().count();
        if !text.starts_with("//!") {
            found.push(format!("{file}: the first line is not `//!`"));
        }
        match LONG.iter().any(|(long, _)| long == file) {
            true if lines > 400 => found.push(format!("{file}: {lines} lines, 400 at most")),
            true if lines <= 300 => {
                found.push(format!("{file}: {lines} lines, no longer long: drop it from LONG"))
            }
            false if lines > 300 => {
                found.push(format!("{file}: {lines} lines, 300 at most unless LONG says why"))
            }
            _ => {}
        }
    }
    let gone = LONG.iter().filter(|(long, _)| !all.iter().any(|file| file == long));
    found.extend(gone.map(|(long, _)| format!("LONG names {long}, which is gone")));
    nothing(found);
}

#[test]
fn the_top_level_holds_what_belongs_there() {
    let ignored = read(".gitignore");
    let ignored: Vec<&str> = ignored.lines().map(|line| line.trim_matches('/')).collect();
    let top: BTreeSet<String> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.') && !ignored.contains(&name.as_str()))
        .collect();
    let wanted: BTreeSet<String> = TOP.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(top, wanted);
}

#[test]
fn every_room_and_pure_file_exists() {
    let rooms = ROOMS.iter().map(|(room, _)| *room).filter(|room| {
        let exists = |path: String| root().join(path).exists();
        !exists(format!("src/{room}/mod.rs")) && !exists(format!("src/{room}.rs"))
    });
    let mut found: Vec<String> =
        rooms.map(|room| format!("the table names src/{room}, which is gone")).collect();
    let pure = PURE.iter().filter(|path| !root().join(path).exists());
    found.extend(pure.map(|path| format!("PURE names {path}, which is gone")));
    nothing(found);
}

#[test]
fn tests_take_free_ports_and_wait_for_events() {
    let mut found = Vec::new();
    let all = files("tests", &["rs", "sh"]);
    for file in all.iter().filter(|file| !file.starts_with("tests/house")) {
        let text = read(file);
        for (n, line) in text.lines().enumerate() {
            let fixed = line
                .split("127.0.0.1:")
                .skip(1)
                .any(|rest| rest.starts_with(|c: char| matches!(c, '1'..='9')));
            if fixed && line.contains("bind") {
                found.push(format!("{file}:{}: a fixed port; bind port 0", n + 1));
            }
        }
        let sleeps = match file.ends_with(".rs") {
            true => Source::new(file, &text).calls("sleep("),
            false => text.lines().any(|line| line.trim_start().starts_with("sleep ")),
        };
        let listed = SLEEPERS.iter().any(|(sleeper, _)| sleeper == file);
        if sleeps && !listed {
            found.push(format!("{file}: sleeps; wait for the event, or say in SLEEPERS why not"));
        } else if listed && !sleeps {
            found.push(format!("{file}: sleeps no more: drop it from SLEEPERS"));
        }
    }
    let gone = SLEEPERS.iter().filter(|(sleeper, _)| !all.iter().any(|file| file == sleeper));
    found.extend(gone.map(|(sleeper, _)| format!("SLEEPERS names {sleeper}, which is gone")));
    nothing(found);
}

#[test]
fn every_page_that_a_page_names_exists() {
    let mut pages = files("docs", &["md"]);
    pages.push("README.md".to_owned());
    let mut found = Vec::new();
    for page in pages.iter().filter(|page| root().join(page).exists()) {
        for named in tree::named_pages(page) {
            if !root().join(&named).exists() {
                found.push(format!("{page}: names {named}, which is gone"));
            }
        }
    }
    nothing(found);
}

#[test]
fn every_error_code_has_its_page() {
    let codes: BTreeSet<String> =
        files("src", &["rs"]).iter().flat_map(|file| tree::codes(&read(file))).collect();
    let pages = files("docs/errors", &["md"]);
    let begun =
        |page: &&String| tree::codes(page).iter().any(|code| read(page).starts_with(&format!("# {code}: ")));
    let empty =
        pages.iter().filter(|page| !begun(page)).map(|page| format!("{page} does not begin with its code"));
    let empty: Vec<String> = empty.collect();
    let pages: BTreeSet<String> = pages.iter().flat_map(|page| tree::codes(page)).collect();
    let missing = codes.difference(&pages).map(|code| format!("{code} has no page docs/errors/{code}.md"));
    let stale = pages.difference(&codes).map(|code| format!("docs/errors/{code}.md: no code is called that"));
    nothing(missing.chain(stale).chain(empty).collect());
}
