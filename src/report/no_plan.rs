//! Why there is no plan, for a person and for machines (`hopper.error/1`): what was wanted, how far one
//! gets, and what is in the way.

use serde_json::{Value, json};

use super::page;
use super::style::Style;
use super::words::count;
use crate::engine::{Exit, Phase};
use crate::plan::{NoRoute, PlanError};
use crate::topology::escape;

/// Hosts that are named before the rest is only counted.
const NAMED: usize = 8;

/// Every error, as [`failure::render`](super::failure::render) shows one, and how many there are.
pub fn render(errors: &[PlanError], style: Style) -> String {
    let mut text = String::new();
    for error in errors {
        let (message, facts) = match error {
            PlanError::NoRoute(error) => no_route(error),
            _ => (error.to_string(), Vec::new()),
        };
        let paragraphs = [page::facts(&facts, style), page::help(&error.help(), style)];
        text.push_str(&page::page((error.code(), &message), &paragraphs, style));
        text.push('\n');
    }
    let problems = u64::try_from(errors.len()).unwrap_or(u64::MAX);
    text + &format!("{}. Nothing was started.\n", count(problems, "problem"))
}

/// A list of `hopper.error/1`.
pub fn json(errors: &[PlanError]) -> Value {
    let one = |error: &PlanError| {
        json!({
            "schema": "hopper.error/1",
            "code": error.code(),
            "exit": Exit::Topology.code(),
            "message": error.to_string(),
            "phase": Phase::Plan.as_str(),
            "help": error.help(),
        })
    };
    errors.iter().map(one).collect()
}

fn no_route(error: &NoRoute) -> (String, Vec<(&'static str, String)>) {
    let message =
        format!("no route to {} (forward {})", escape(&error.target.to_string()), escape(&error.forward.0));
    let mut reached: Vec<String> =
        error.reached.iter().take(NAMED).map(|host| host.as_str().to_owned()).collect();
    if let Some(more @ 1..) = error.reached.len().checked_sub(NAMED) {
        reached.push(format!("and {more} more"));
    }
    let reached = if reached.is_empty() { "no host by SSH".to_owned() } else { reached.join(", ") };
    let mut facts = vec![("reached", reached)];
    facts.extend(error.obstacles.iter().map(|obstacle| ("in the way", obstacle.to_string())));
    if error.more > 0 {
        facts.push(("in the way", format!("and {} more", error.more)));
    }
    (message, facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{PlanOptions, plan};
    use crate::topology::parse;

    const WALLED: &str = r#"{
      "hopper": 1,
      "firewalls": { "fw1": { "deny": ["22"] } },
      "hosts": { "gate": "gate.example.net", "web": { "address": "web.example.net", "ssh": false } },
      "links": [{ "from": "local", "to": "gate", "through": ["fw1"] }, "gate -> web"],
      "forwards": { "web": "8080 -> web:80" }
    }"#;

    #[test]
    fn what_is_in_the_way_is_a_table_and_machines_get_a_list() {
        let topology = parse(WALLED, "walled").unwrap();
        let errors = plan(&topology, &PlanOptions::default()).unwrap_err();
        let text = render(&errors, Style::PLAIN);
        let wanted = "\
error[H0201]: no route to web:80 (forward web)

  reached     no host by SSH
  in the way  fw1 stops port 22 on local -> gate
";
        assert!(text.starts_with(wanted), "{text}");
        assert!(text.ends_with("\n\n1 problem. Nothing was started.\n"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        let json = json(&errors);
        assert_eq!((&json[0]["code"], &json[0]["phase"]), (&"H0201".into(), &"plan".into()));
    }
}
