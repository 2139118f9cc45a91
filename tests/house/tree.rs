//! The files of the project, by their paths from its root.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::source::Source;

/// The folder that holds Cargo.toml.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file.
pub fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Every file below a folder with one of these endings, sorted; none when there is no such folder.
pub fn files(folder: &str, endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(root().join(folder)) else { return found };
    for entry in entries {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
        if path.ends_with("/target") {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&path, endings));
        } else if endings.iter().any(|ending| path.ends_with(&format!(".{ending}"))) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every Rust file below a folder, except those that only tests compile.
pub fn sources(folder: &str) -> Vec<Source> {
    let all: Vec<Source> = files(folder, &["rs"]).iter().map(|file| Source::new(file, &read(file))).collect();
    let tests: Vec<String> = all.iter().flat_map(Source::test_modules).collect();
    let of_tests = |file: &str| {
        let module = |test: &String| file == format!("{test}.rs") || file.starts_with(&format!("{test}/"));
        tests.iter().any(module)
    };
    all.into_iter().filter(|source| !of_tests(&source.file)).collect()
}

/// The crates that Cargo.toml depends on, as code names them.
pub fn dependencies() -> BTreeSet<String> {
    let manifest = read("Cargo.toml");
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    lines
        .take_while(|line| !line.starts_with('['))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
        .filter_map(|line| Some(line.split_once('=')?.0.trim().replace('-', "_")))
        .collect()
}

/// The files of the project that a page links to or names as `docs/…`.
pub fn named_pages(page: &str) -> BTreeSet<String> {
    let text = read(page);
    let folder = Path::new(page).parent().unwrap_or(Path::new(""));
    let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let inside =
        links.filter(|link| !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:"));
    let linked = inside.map(|link| flat(&folder.join(link)));
    let plain = text.split("docs/").skip(1).filter_map(|rest| {
        let end =
            rest.find(|c: char| !c.is_ascii_alphanumeric() && !"._-/".contains(c)).unwrap_or(rest.len());
        let name = rest[..end].trim_end_matches('.');
        name.ends_with(".md").then(|| format!("docs/{name}"))
    });
    linked.chain(plain).collect()
}

/// The path without `.` and `..`.
fn flat(path: &Path) -> String {
    let mut flat = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => _ = flat.pop(),
            Component::CurDir => {}
            part => flat.push(part),
        }
    }
    flat.to_string_lossy().into_owned()
}

/// The error codes in a text: `H` and four digits.
pub fn codes(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_code = |word: &&str| {
        word.len() == 5 && word.starts_with('H') && word[1..].bytes().all(|byte| byte.is_ascii_digit())
    };
    words.filter(is_code).map(str::to_owned).collect()
}
