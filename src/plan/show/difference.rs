//! What would change in a run, for people and as `hopper.diff/1`.

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::{Style, fold};
use crate::plan::{Diff, Part, Step};
use crate::topology::escape;

/// A line for each tunnel and forward, and one for what holds for all if that differs, with `+ ~ - =` in front, and the counts. Whatever came from a run or a
/// file is escaped.
pub fn difference(diff: &Diff, style: Style) -> String {
    let count = |step| diff.count(step);
    lines(diff, style)
        + &format!(
            "{} to open, {} to change, {} to close, {} to keep.\n",
            count(Step::Open),
            count(Step::Change),
            count(Step::Close),
            count(Step::Keep)
        )
}

/// The same for what was done already.
pub fn difference_done(diff: &Diff, style: Style) -> String {
    let count = |step| diff.count(step);
    lines(diff, style)
        + &format!(
            "{} opened, {} changed, {} closed, {} kept.\n",
            count(Step::Open),
            count(Step::Change),
            count(Step::Close),
            count(Step::Keep)
        )
}

fn lines(diff: &Diff, style: Style) -> String {
    let widest = diff.parts().map(|part| escape(&part.id).width()).max().unwrap_or(0).min(24);
    let mut out = String::new();
    for part in diff.parts() {
        out.push_str(&line(part, widest, style));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn line(part: &Part, widest: usize, style: Style) -> String {
    let sign = match part.step {
        Step::Open => '+',
        Step::Change => '~',
        Step::Close => '-',
        Step::Keep => '=',
    };
    let id = escape(&part.id);
    let gap = " ".repeat((widest + 2).saturating_sub(id.width()).max(2));
    let changes = part.changes.iter().map(|change| match (change.what.as_str(), &change.from, &change.to) {
        ("via" | "through", ..) => "over a session that is opened anew".to_owned(),
        (what, from, to) => format!("{what} {} -> {}", told(from), told(to)),
    });
    let changes: Vec<String> = changes.collect();
    let was = match &part.was {
        Some(was) if *was != part.id => format!(" (runs as {was})"),
        _ => String::new(),
    };
    let what = if changes.is_empty() { part.what.clone() } else { changes.join(", ") };
    let text = format!("  {sign} {id}{gap}{}", escape(&format!("{what}{was}")));
    fold(&text, 0, 6, style.width).join("\n") + "\n"
}

/// A value as one says it.
fn told(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        // A route.
        Value::Array(steps) if steps.iter().all(Value::is_string) && !steps.is_empty() => {
            steps.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("/")
        }
        other => other.to_string(),
    }
}

/// The difference for programs, as schema `hopper.diff/1`. What is absent is null.
pub fn difference_json(diff: &Diff, running: bool) -> Value {
    json!({
        "schema": "hopper.diff/1",
        "topology": diff.topology,
        "running": running,
        "policy": diff.policy.as_ref().map(part),
        "tunnels": diff.tunnels.iter().map(part).collect::<Vec<_>>(),
        "forwards": diff.forwards.iter().map(part).collect::<Vec<_>>(),
        "summary": {
            "open": diff.count(Step::Open),
            "change": diff.count(Step::Change),
            "close": diff.count(Step::Close),
            "keep": diff.count(Step::Keep),
        },
    })
}

fn part(part: &Part) -> Value {
    let changes = part.changes.iter();
    let changes = changes.map(|one| json!({ "what": one.what, "from": one.from, "to": one.to }));
    json!({
        "id": part.id,
        "was": part.was,
        "step": match part.step {
            Step::Open => "open",
            Step::Change => "change",
            Step::Close => "close",
            Step::Keep => "keep",
        },
        "changes": changes.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::vnc;
    use crate::plan::show::{Glyphs, json};
    use crate::plan::{PlanOptions, diff, plan};
    use crate::topology::Strategy;

    #[test]
    fn each_part_has_a_line_and_nothing_of_a_run_reaches_the_terminal_raw() {
        let planned = |topology| plan(&topology, &PlanOptions::default()).unwrap();
        let mut running = json(&planned(vnc()));
        running["forwards"][0]["listen"] = "127.0.0.1:1\u{1b}[2J".into();
        running["tunnels"][2]["user"] = "eve".into();
        let found = diff(Some(&running), &planned(vnc())).unwrap();
        let text = difference(&found, Style { glyphs: Glyphs::Ascii, width: 80 });
        let wanted = "  = T1   gate-b, ssh gate-b:22
  = T2   gate-c, ssh gate-c:22 through T1
  + T3   gate-d, ssh gate-d:22 through T2
  - T3   gate-d, ssh eve@gate-d:22 through T2
  ~ vnc  listen 127.0.0.1:1\\u{1b}[2J -> 127.0.0.1:5901, over a session that is
      opened anew

1 to open, 1 to change, 1 to close, 2 to keep.
";
        assert_eq!(text, wanted);
        let value = difference_json(&found, true);
        assert_eq!(value["tunnels"][3]["step"], "close", "{value}");
        assert_eq!(value["forwards"][0]["changes"][1]["what"], "via", "{value}");
    }

    #[test]
    fn two_sessions_to_one_host_are_told_apart_by_their_clients() {
        let topology = vnc().with_clients_everywhere();
        let by = |strategy| {
            let options = PlanOptions { strategy: Some(strategy), ..PlanOptions::default() };
            plan(&topology, &options).unwrap()
        };
        let running = json(&by(Strategy::Nested));
        let found = diff(Some(&running), &by(Strategy::Telescoped)).unwrap();
        let text = difference(&found, Style { glyphs: Glyphs::Ascii, width: 80 });
        for line in [
            "  + T2   gate-c, ssh gate-c:22 by the ssh of gate-b\n",
            "  + T3   gate-d, ssh gate-d:22 through T2 at gate-b:2201\n",
            "  - T3   gate-d, ssh gate-d:22 through T2\n",
        ] {
            assert!(text.contains(line), "no {line:?} in\n{text}");
        }
    }
}
