//! The plan as text: header, picture, what is opened in which order, what it adds up to.

use std::collections::BTreeMap;

use super::pictures::pictures;
use super::{Glyphs, Style, and, count, fold, listing, standby, warnings};
use crate::plan::detour;
use crate::plan::graph::Graph;
use crate::plan::single_point::SinglePoints;
use crate::plan::{self, Plan, PlanOptions};
use crate::topology::escape;
use crate::topology::{HostId, Strategy, Topology};

/// The plan for people. Every text that comes from the file is escaped.
pub fn text(plan: &Plan, topology: &Topology, style: Style) -> String {
    let mut out = header(plan, topology, style);
    out.push('\n');
    let graph = Graph::new(topology);
    out.push_str(&pictures(plan, style));
    out.push_str("In this order:\n\n");
    out.push_str(&listing::listing(plan, style.width));
    out.push('\n');
    out.push_str(&standby::standby(plan, style.width));
    let notes = notes(plan, topology, &graph, style) + &warnings(plan, style.width);
    if !notes.is_empty() {
        out.push_str(&notes);
        out.push('\n');
    }
    out.push_str(&sums(plan, topology, style));
    out.push_str("Nothing was contacted.\n");
    out
}

/// Local is no host of the file, and not counted.
fn header(plan: &Plan, topology: &Topology, style: Style) -> String {
    let dot = if style.glyphs == Glyphs::Unicode { '·' } else { '-' };
    let hosts = count(topology.hosts.len(), "host");
    let firewalls = count(topology.firewalls.len(), "firewall");
    let at = match plan.at.is_local() {
        true => String::new(),
        false => format!(" {dot} at {}, which is local here", escape(plan.at.as_str())),
    };
    format!("{} {dot} {hosts}, {firewalls}{at}\n", escape(&plan.topology))
}

/// The hosts that have no stand-in; forwards that depend on the same ones share a line.
fn notes(plan: &Plan, topology: &Topology, graph: &Graph<'_>, style: Style) -> String {
    let points = SinglePoints::new(graph);
    let mut left = detour::ALL_LOOKS;
    let mut shared: BTreeMap<Vec<HostId>, (usize, Vec<String>)> = BTreeMap::new();
    for (place, planned) in plan.forwards.iter().enumerate() {
        let hosts = match plan.strategy {
            Strategy::Nested => Some(points.of(&planned.forward)),
            // A search for each host: where they are too many, nothing is said.
            Strategy::Telescoped => {
                detour::single_points(topology, &planned.forward, &planned.route, &mut left)
            }
        };
        let hosts = hosts.unwrap_or_default();
        let entry = shared.entry(hosts).or_insert_with(|| (place, Vec::new()));
        entry.1.push(escape(&planned.forward.id.0));
    }
    let mut notes: Vec<_> = shared.into_iter().filter(|(hosts, _)| !hosts.is_empty()).collect();
    notes.sort_by_key(|(_, (place, _))| *place);
    let lines = notes.into_iter().map(|(hosts, (_, forwards))| {
        let hosts: Vec<String> = hosts.iter().map(|id| escape(id.as_str())).collect();
        let are = if hosts.len() == 1 { "is a" } else { "are each a" };
        let note = format!("note: {} {are} single point of failure for {}", and(&hosts), and(&forwards));
        fold(&note, 0, 6, style.width).join("\n") + "\n"
    });
    lines.collect()
}

/// Tunnels, hops, and what either strategy makes of them.
fn sums(plan: &Plan, topology: &Topology, style: Style) -> String {
    let active = || plan.tunnels.iter().filter(|tunnel| !tunnel.standby);
    let control = active().filter(|tunnel| plan.is_control(&tunnel.id)).count();
    let mut tunnels = count(active().count() - control, "tunnel");
    if control > 0 {
        tunnels.push_str(&format!(" and {} to start SSH clients", count(control, "control session")));
    }
    if active().count() < plan.tunnels.len() {
        tunnels.push_str(&format!(", {} standing by", plan.tunnels.len() - active().count()));
    }
    let forwards = count(plan.forwards.len(), "forward");
    let longest = plan.longest();
    if longest == 0 {
        return format!("{tunnels}, {forwards}.\n");
    }
    let (hops, rides) = (count(plan.hops(), "hop"), count(longest, "tunnel"));
    let reach = if longest == 1 { "reaches" } else { "reach" };
    let own = format!("{tunnels}, {forwards}. Longest route: {hops}, {rides}.");
    let other =
        format!("{rides} {reach} up to {}. {}", count(plan.reach(), "hop"), other_strategy(plan, topology));
    [own, other].map(|line| fold(&line, 0, 0, style.width).join("\n") + "\n").concat()
}

/// What the other strategy makes of the same topology.
fn other_strategy(plan: &Plan, topology: &Topology) -> String {
    let other = match plan.strategy {
        Strategy::Nested => Strategy::Telescoped,
        Strategy::Telescoped => Strategy::Nested,
    };
    let options = PlanOptions { strategy: Some(other), ..PlanOptions::default() };
    let longest = match plan::plan(topology, &options) {
        Ok(found) => found.longest(),
        Err(_) => return format!("Strategy {} finds no plan.", other.as_str()),
    };
    if other == Strategy::Nested {
        return format!("Strategy nested takes {}.", count(longest, "tunnel"));
    }
    if longest < plan.longest() {
        return format!("Strategy telescoped takes {}.", count(longest, "tunnel"));
    }
    // Each telescoped tunnel gains a hop at both ends; the last one is dialled plainly, and so is the
    // first where the forward allows it.
    let (protected, plain) = ((longest + 1).div_ceil(2), longest.div_ceil(2));
    let fewer = match (protected < longest, plain < protected) {
        (true, true) => format!("{protected} would do, or {plain} with plain ends"),
        (true, false) => format!("{protected} would do"),
        (false, true) => format!("{plain} would do with plain ends"),
        (false, false) => return "Strategy telescoped takes as many.".to_owned(),
    };
    format!(
        "Strategy telescoped takes as many; where hosts in between may run SSH clients (\"client\"), {fewer}."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::{empty, line, vnc};
    use crate::plan::{PlanOptions, plan};
    use crate::topology::{Address, CarrierKind, Endpoint};

    fn shown(topology: &Topology, style: Style) -> String {
        text(&plan(topology, &PlanOptions::default()).unwrap(), topology, style)
    }

    #[test]
    fn vnc_reads_like_the_source_document() {
        let wanted = "\
vnc · 4 hosts, 3 firewalls

  local ──┃fw1┃──▶ gate-b ──┃fw2┃──▶ gate-c ──┃fw3┃──▶ gate-d ─────▶ screen
  :5901 ══════T1══════╡                 │                 │
                      ╘════T2 in T1═════╡                 │
                                        ╘════T3 in T2═════╡┄┄tcp┄┄┄▶ :5900

In this order:

  T1   ssh  gate-b:22                 from local
  T2   ssh  gate-c:22                 through T1 (in memory)
  T3   ssh  gate-d:22                 through T2 (in memory)
  vnc  127.0.0.1:5901 -> screen:5900  dialled by gate-d over T3
                                      check: banner \"RFB \"

note: gate-b, gate-c and gate-d are each a single point of failure for vnc

3 tunnels, 1 forward. Longest route: 4 hops, 3 tunnels.
3 tunnels reach up to 4 hops. Strategy telescoped takes as many; where hosts in
between may run SSH clients (\"client\"), 2 would do.
Nothing was contacted.
";
        assert_eq!(shown(&vnc(), Style::default()), wanted);
    }

    #[test]
    fn a_picture_that_is_too_wide_is_folded_at_a_host() {
        let narrow = shown(&vnc(), Style { glyphs: Glyphs::Ascii, width: 50 });
        let wanted = "
  local --|fw1|--> gate-b --|fw2|--> gate-c
  :5901 ======T1======+                 |
                      +====T2 in T1=====+
      gate-c --|fw3|--> gate-d -----> screen
         +====T3 in T2=====+..tcp...> :5900
";
        assert!(narrow.contains(wanted), "{narrow}");
        assert!(narrow.is_ascii());
    }

    #[test]
    fn what_has_no_room_beside_goes_below_and_nothing_is_cut() {
        let narrow = shown(&vnc(), Style { glyphs: Glyphs::Ascii, width: 50 });
        let wanted = "
  T3   ssh  gate-d:22
         through T2 (in memory)
  vnc  127.0.0.1:5901 -> screen:5900
         dialled by gate-d over T3
         check: banner \"RFB \"
";
        assert!(narrow.contains(wanted), "{narrow}");
        assert!(narrow.lines().all(|line| line.len() <= 50), "{narrow}");
    }

    #[test]
    fn a_target_within_a_host_hangs_on_its_tunnel() {
        let own = Endpoint::Tcp(Address::new("127.0.0.1", 5432));
        let topology = empty("db").with_host("db").with_link("local", "db").forward_within("db", "db", own);
        let wanted = "
  local ─────▶ db
  :auto ═══T1═══╡┄┄▶ 127.0.0.1:5432
";
        let text = shown(&topology, Style::default());
        assert!(text.contains(wanted), "{text}");
        assert!(!text.contains("note:"), "{text}");
    }

    #[test]
    fn a_listening_carrier_says_where() {
        let topology = line(3);
        let plan =
            plan(&topology, &PlanOptions { carrier: Some(CarrierKind::Port), ..PlanOptions::default() })
                .unwrap();
        let text = text(&plan, &topology, Style::default());
        assert!(text.contains("through T1 via 127.0.0.1:auto\n"), "{text}");
    }

    #[test]
    fn a_stand_in_is_no_single_point_of_failure() {
        let topology = empty("two")
            .with_host("a")
            .with_host("b")
            .with_host("in")
            .with_target("web")
            .with_link("local", "a")
            .with_link("local", "b")
            .with_link("a", "in")
            .with_link("b", "in")
            .with_link("in", "web")
            .forward_to("web", "web", 80);
        let text = shown(&topology, Style::default());
        assert!(text.contains("note: in is a single point of failure for web\n"), "{text}");
    }

    #[test]
    fn nothing_from_the_file_reaches_the_terminal_raw() {
        let mut topology = line(2);
        topology.hosts[0].user = Some("a\u{1b}[2J".to_owned());
        assert!(shown(&topology, Style::default()).contains("a\\u{1b}[2J@h1:22"));
    }
}
