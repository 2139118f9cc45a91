//! What people and programs see of a file's problems.

use super::{Look, problems_json, render};
use crate::topology::parse;

const PLAIN: Look = Look { width: 100, colour: false, unicode: true };

fn drawn(text: &str, look: Look) -> String {
    render(&parse(text, "corp").unwrap_err(), "corp.json", text, look)
}

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

#[test]
fn every_problem_is_drawn_with_its_place() {
    println!("{}", drawn(BAD, PLAIN));
    println!("{}", drawn(BAD, Look { unicode: false, ..PLAIN }));
    println!("{:#}", problems_json(&parse(BAD, "corp").unwrap_err(), "corp.json", BAD));
}
