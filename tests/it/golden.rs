//! Every plan and every problem, word for word. `HOPPER_BLESS=1` writes what hopper says now into
//! `golden/`; read the difference before it is committed.

use std::collections::BTreeSet;
use std::fs;

use super::files::{FOLDERS, stem, topologies};
use super::home::{Home, root};
use super::running::Ended;

const GOLDEN: &str = "tests/it/golden";
const WRONG: &str = "tests/topologies/wrong";

/// Compares what was said with what should be, for many files, and tells every difference at once.
#[derive(Default)]
struct Book {
    differences: Vec<String>,
}

impl Book {
    fn compare(&mut self, page: &str, said: &str) {
        let file = root().join(GOLDEN).join(page);
        if std::env::var_os("HOPPER_BLESS").is_some() {
            fs::create_dir_all(file.parent().expect("a folder")).expect("make a folder");
            fs::write(&file, said).expect("write a page");
        }
        match fs::read_to_string(&file) {
            Ok(wanted) if wanted == said => {}
            Ok(wanted) => {
                let at = wanted.lines().zip(said.lines()).take_while(|(a, b)| a == b).count();
                let line = |text: &str| text.lines().nth(at).unwrap_or("(the end)").to_owned();
                let (wanted, now) = (line(&wanted), line(said));
                self.differences.push(format!("{page}, line {}:\n  wanted {wanted}\n  said   {now}", at + 1));
            }
            Err(_) => self.differences.push(format!("{page} is missing; it would be:\n{said}")),
        }
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.differences.is_empty(), "\n{}\n", self.differences.join("\n"));
        }
    }
}

fn all() -> Vec<String> {
    FOLDERS.iter().flat_map(|folder| topologies(folder)).collect()
}

/// What it said on stdout, and on stderr nothing but what `up` would ask beside, and what to type next.
#[track_caller]
fn data(ended: Ended) -> String {
    let ended = ended.with(0);
    // The second one goes on in lines that are set in.
    let usual = ["Next: hopper up ", "up also asks your ssh configuration about", "  "];
    let is_usual = |line: &str| usual.iter().any(|words| line.starts_with(words));
    assert!(ended.stderr.lines().all(is_usual), "{}", ended.stderr);
    ended.stdout
}

#[test]
fn every_plan_is_told_as_before() {
    let (home, mut book) = (Home::new(), Book::default());
    for file in all() {
        book.compare(&format!("plan/{}.txt", stem(&file)), &data(home.run(&["plan", &file])));
    }
}

#[test]
fn every_plan_can_be_told_in_ascii() {
    let (home, mut book) = (Home::new(), Book::default());
    for file in all() {
        let said = data(home.run(&["plan", &file, "--ascii"]));
        let odd = said.chars().find(|c| !c.is_ascii());
        assert_eq!(odd, None, "{file}:\n{said}");
        book.compare(&format!("plan/{}.ascii.txt", stem(&file)), &said);
    }
}

#[test]
fn every_plan_is_told_to_machines_as_before() {
    let (home, mut book) = (Home::new(), Book::default());
    for file in all() {
        let ended = home.run(&["plan", &file, "--json"]).with(0);
        assert_eq!(ended.json()["schema"], "hopper.plan/1");
        book.compare(&format!("plan/{}.json", stem(&file)), &data(ended));
    }
}

/// The forms of a graph, and the endings of their pages.
const GRAPHS: [(&str, &str); 6] = [
    ("", "txt"),
    ("--ascii", "ascii.txt"),
    ("--json", "json"),
    ("--dot", "dot"),
    ("--mermaid", "mmd"),
    ("--svg", "svg"),
];

#[test]
fn every_graph_is_told_as_before() {
    let (home, mut book) = (Home::new(), Book::default());
    for file in all() {
        for (form, ending) in GRAPHS {
            let words = [["graph", &file].as_slice(), [form].as_slice()].concat();
            let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
            let ended = home.run(&words).with(0);
            assert_eq!(ended.stderr, "", "{file} {form}");
            book.compare(&format!("graph/{}.{ending}", stem(&file)), &ended.stdout);
        }
    }
}

/// The other forms of a plan, and the endings of their pages.
const FORMS: [(&str, &str); 5] =
    [("--ssh", "sh"), ("--dot", "dot"), ("--mermaid", "mmd"), ("--svg", "svg"), ("--grants", "grants.txt")];

#[test]
fn every_plan_has_its_other_forms() {
    let (home, mut book) = (Home::new(), Book::default());
    for file in all() {
        for (form, ending) in FORMS {
            let said = data(home.run(&["plan", &file, form]));
            assert_eq!(home.run(&["up", &file, "--dry-run", form]).with(0).stdout, said, "{file} {form}");
            book.compare(&format!("plan/{}.{ending}", stem(&file)), &said);
        }
    }
}

#[test]
fn every_grant_is_told_to_machines_as_before() {
    let (home, mut book) = (Home::new(), Book::default());
    for file in all() {
        let ended = home.run(&["plan", &file, "--grants", "--json"]).with(0);
        assert_eq!(ended.json()["schema"], "hopper.grants/1");
        assert_eq!(home.run(&["up", &file, "--dry-run", "--json", "--grants"]).with(0).stdout, ended.stdout);
        book.compare(&format!("plan/{}.grants.json", stem(&file)), &data(ended));
    }
}

#[test]
fn every_explanation_is_told_as_before() {
    let (home, mut book) = (Home::new(), Book::default());
    for file in all() {
        let said = home.run(&["plan", &file, "--explain"]).with(0).stdout;
        assert!(said.lines().all(|line| line.chars().count() <= 80), "{file}:\n{said}");
        book.compare(&format!("explain/{}.txt", stem(&file)), &said);
        let said = home.run(&["plan", &file, "--explain", "--ascii"]).with(0).stdout;
        assert!(said.is_ascii(), "{file}:\n{said}");
        book.compare(&format!("explain/{}.ascii.txt", stem(&file)), &said);
        let ended = home.run(&["plan", &file, "--json", "--explain"]).with(0);
        assert_eq!(ended.json()["schema"], "hopper.explain/1");
        book.compare(&format!("explain/{}.json", stem(&file)), &ended.stdout);
    }
}

#[test]
fn every_plan_with_port_carriers_differs_in_the_carriers_only() {
    let home = Home::new();
    for file in all() {
        let mut usual = home.run(&["plan", &file, "--json", "--carrier", "channel"]).with(0).json();
        let mut ports = home.run(&["plan", &file, "--json", "--carrier", "port"]).with(0).json();
        for (plan, kind) in [(&mut usual, "channel"), (&mut ports, "port")] {
            for tunnel in plan["tunnels"].as_array_mut().expect("tunnels") {
                // What a client elsewhere keeps is a port whatever is asked for.
                let kind = if tunnel["entry"].is_null() { kind } else { "port" };
                let wanted =
                    if tunnel["through"].is_null() { "null".to_owned() } else { format!("{kind:?}") };
                assert_eq!(tunnel["carrier"].to_string(), wanted, "{file}: {tunnel}");
                tunnel["carrier"].take();
                tunnel["listen"].take();
            }
        }
        assert_eq!(usual, ports, "{file}");
    }
}

#[test]
fn every_problem_is_told_as_before() {
    let (home, mut book) = (Home::new(), Book::default());
    for file in topologies(WRONG) {
        let ended = home.run(&["check", &file]).with(10);
        assert_eq!(ended.stdout, "", "{file}");
        book.compare(&format!("wrong/{}.txt", stem(&file)), &ended.stderr);
    }
}

#[test]
fn every_problem_can_be_told_in_ascii() {
    let home = Home::new();
    for file in topologies(WRONG) {
        let said = home.run(&["check", &file, "--ascii"]).with(10).stderr;
        assert!(said.is_ascii(), "{file}:\n{said}");
    }
}

#[test]
fn every_verb_tells_a_problem_in_the_same_words() {
    let home = Home::new();
    for file in topologies(WRONG) {
        let told = home.run(&["check", &file]).with(10);
        let told = told.complaint();
        let listed = home.run(&["check", &file, "--json"]).with(10);
        let list = listed.json();
        let codes: Vec<_> = list.as_array().expect("a list").iter().map(|one| one["code"].as_str()).collect();
        assert!(!codes.is_empty(), "{file}: {list}");
        for code in codes {
            let code = code.unwrap_or_else(|| panic!("{file}: a problem without a code: {list}"));
            assert!(told.contains(&format!("error[{code}]")), "{file}: {code} is not in\n{told}");
            assert!(root().join(format!("docs/errors/{code}.md")).exists(), "{code} has no page");
        }
        for verb in [["plan", &file].as_slice(), &["up", &file, "--lab"], &["up", &file, "--lab", "-d"]] {
            let ended = home.run(verb).with(10);
            assert_eq!((ended.stdout.as_str(), ended.complaint()), ("", told), "{verb:?}");
        }
    }
    home.assert_nothing_left();
}

#[test]
fn every_file_that_plans_passes_the_check() {
    let home = Home::new();
    for file in all() {
        let ended = home.run(&["check", &file]).with(0);
        assert!(ended.stderr.contains("no problems"), "{}", ended.stderr);
        assert_eq!(home.run(&["check", &file, "--json"]).with(0).json(), serde_json::json!([]), "{file}");
    }
}

#[test]
fn no_two_topologies_share_a_name_and_no_page_is_left_over() {
    let names: Vec<_> = all().iter().map(|file| stem(file).to_owned()).collect();
    let unique: BTreeSet<_> = names.iter().cloned().collect();
    assert_eq!(unique.len(), names.len(), "{names:?}");
    let pages = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root().join(GOLDEN).join(folder)).expect("the pages");
        entries.map(|entry| entry.expect("a page").file_name().into_string().expect("text")).collect()
    };
    let wanted = |endings: &[&str]| -> BTreeSet<String> {
        unique.iter().flat_map(|name| endings.iter().map(move |ending| format!("{name}.{ending}"))).collect()
    };
    let told = ["txt", "ascii.txt", "json"];
    let drawn = FORMS.map(|(_, ending)| ending);
    assert_eq!(pages("plan"), wanted(&[told.as_slice(), &drawn, &["grants.json"]].concat()));
    assert_eq!(pages("explain"), wanted(&told));
    assert_eq!(pages("graph"), wanted(&GRAPHS.map(|(_, ending)| ending)));
    let wanted = topologies(WRONG).iter().map(|file| format!("{}.txt", stem(file))).collect();
    assert_eq!(pages("wrong"), wanted);
}
