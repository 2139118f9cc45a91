//! The plan of a run as its forwards go at this moment, some of them on ways that stood by. Shows nothing.

use crate::engine::Status;
use crate::plan::Said;

/// A run's plan as its forwards go now: each on the way that it takes.
#[must_use]
pub fn as_taken(mut plan: Said, status: &Status) -> Said {
    for planned in &mut plan.forwards {
        let stands = status.forwards.iter().find(|forward| forward.id == planned.id);
        if let Some(standby) = stands.and_then(|forward| forward.standby.as_ref()) {
            *planned = planned.by_way(standby.way);
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::show;
    use crate::report::explain::Route;
    use crate::report::sample::{NICE, status, three};
    use crate::report::style::Style;

    #[test]
    fn a_forward_on_a_standby_way_is_shown_on_that_and_says_why() {
        let ((mut status, now), mut said) = (status(), Said::read(&show::json(&three())).unwrap());
        status.tunnels[1].cause = None;
        let hosts = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        said.forwards[0].standby = vec![crate::plan::SaidWay {
            target: Some("vnc:5900".to_owned()),
            via: Some("T2".to_owned()),
            route: hosts(&["local", "gate-a", "gate-b", "vnc"]),
            listener: None,
        }];
        status.forwards[0].standby = Some(crate::engine::StandbyStatus {
            way: 1,
            by: Vec::new(),
            instead_of: hosts(&["gate-c"]),
            cause: "gate-c:\u{1b} nothing listens".to_owned(),
            code: "H0601".to_owned(),
        });
        let said = as_taken(said, &status);
        let text = Route::new(&status, &said, "screen").unwrap().text(NICE, now);
        let wanted = "\
through-firewalls · screen to vnc:5900   up

  without gate-c, because gate-c:\\u{1b} nothing listens [H0601]

  1  local → gate-a     T1  up  rtt 18 ms
  2  gate-a → gate-b    T2  up  rtt 31 ms (+13)  1 reconnect
  3  gate-b → vnc:5900  up, answered 2 h 14 min ago
";
        assert!(text.starts_with(wanted), "{text}");
        let row = crate::report::status::text(&status, Style { width: 120, ..NICE }, now);
        assert!(row.contains("   without gate-c, because H0601   2 clients"), "{row}");
    }
}
