//! What stands by in a plan: the ways that forwards take when theirs stays down, and the tunnels that only they need.

use super::{and, fold, listing};
use crate::plan::{Plan, PlannedForward, TunnelId};
use crate::topology::{Failover, HostId, escape};

/// One line for each way that stands by, then the tunnels that are opened for them; nothing where the plan does not
/// fail over.
pub(super) fn standby(plan: &Plan, width: usize) -> String {
    let Some(terms) = plan.failover else { return String::new() };
    let tunnels = listing::standing_by(plan, width);
    let mut out = format!("When a hop stays down for {}:\n\n", said(terms.after));
    for planned in &plan.forwards {
        let id = escape(&planned.forward.id.0);
        if planned.standby.is_empty() {
            out.push_str(&format!("  {id}: there is no other route\n"));
        }
        for way in &planned.standby {
            out.push_str(&format!(
                "  {}\n",
                fold(&format!("{id}: {}", line(planned, way)), 2, 4, width).join("\n")
            ));
        }
    }
    if !tunnels.is_empty() {
        out.push_str(&format!("\nOpened when needed:\n\n{tunnels}"));
    }
    let back = back(terms);
    out.push_str(&(String::from("\n") + &fold(&back, 0, 0, width).join("\n") + "\n\n"));
    out
}

/// `without gate-1: local -> edge -> gate-2 -> web, over T1 and T4`
fn line(planned: &PlannedForward, way: &PlannedForward) -> String {
    let hosts =
        |route: &[HostId]| route.iter().map(|host| escape(host.as_str())).collect::<Vec<_>>().join(" -> ");
    let without = planned.hosts_beside(way);
    let without: Vec<String> = without.into_iter().map(|host| escape(host.as_str())).collect();
    let without =
        if without.is_empty() { "by another link".to_owned() } else { format!("without {}", and(&without)) };
    let near = way.listener.as_ref().map(|near| format!("{}, which listens; ", hosts(&near.route)));
    let over: Vec<String> = way.rides().map(TunnelId::to_string).collect();
    let over = if over.is_empty() { String::new() } else { format!(", over {}", and(&over)) };
    format!("{without}: {}{}{over}", near.unwrap_or_default(), hosts(&way.route))
}

fn back(terms: Failover) -> String {
    match terms.back {
        None => "What has moved stays where it is for as long as that works.".to_owned(),
        Some(back) => format!(
            "Back on its first route once that has been whole for {} and nobody is connected.",
            said(back)
        ),
    }
}

/// In the units of the file.
fn said(time: std::time::Duration) -> String {
    match (time.as_millis(), time.as_secs()) {
        (millis, _) if millis % 1000 != 0 => format!("{millis} ms"),
        (_, seconds) if seconds % 60 != 0 || seconds == 0 => format!("{seconds} s"),
        (_, seconds) => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::fixture::empty;
    use crate::plan::show::{Style, ssh, text};
    use crate::plan::{PlanOptions, plan};
    use crate::topology::{Failover, Topology};

    fn gates(back: bool) -> Topology {
        let mut topology = empty("gates")
            .with_host("edge")
            .with_host("gate-1")
            .with_host("gate-2")
            .with_target("web")
            .with_link("local", "edge")
            .with_link("edge", "gate-1")
            .with("edge", "gate-2", |link| link.cost = 20)
            .with_link("gate-1", "web")
            .with_link("gate-2", "web")
            .forward_to("web", "web", 80);
        topology.policy.failover =
            Some(Failover { back: back.then_some(Failover::BACK), ..Failover::default() });
        topology
    }

    fn shown(topology: &Topology) -> String {
        text(&plan(topology, &PlanOptions::default()).unwrap(), topology, Style::default())
    }

    #[test]
    fn what_stands_by_is_told_below_what_is_built() {
        let wanted = "
In this order:

  T1   ssh  edge:22              from local
  T2   ssh  gate-1:22            through T1 (in memory)
  web  127.0.0.1:auto -> web:80  dialled by gate-1 over T2, check: tcp

When a hop stays down for 30 s:

  web: without gate-1: local -> edge -> gate-2 -> web, over T1 and T3

Opened when needed:

  T3  ssh  gate-2:22  through T1 (in memory)

What has moved stays where it is for as long as that works.

note: edge is a single point of failure for web

2 tunnels, 1 standing by, 1 forward. Longest route: 3 hops, 2 tunnels.
";
        let text = shown(&gates(false));
        assert!(text.contains(wanted), "{text}");
        let back = "Back on its first route once that has been whole for 1 min and nobody is\nconnected.\n";
        assert!(shown(&gates(true)).contains(back), "{}", shown(&gates(true)));
    }

    #[test]
    fn where_there_is_no_other_route_that_is_said() {
        let mut topology = gates(false);
        topology.links.retain(|link| link.cost != 20);
        assert!(shown(&topology).contains("\n  web: there is no other route\n\nWhat has moved"));
    }

    #[test]
    fn the_commands_are_those_of_the_first_way_and_say_so() {
        let topology = gates(false);
        let text = ssh(&plan(&topology, &PlanOptions::default()).unwrap());
        assert!(text.contains("# The first way of each forward only: ssh does not fail over.\n"), "{text}");
        assert!(!text.contains("gate-2"), "{text}");
    }
}
