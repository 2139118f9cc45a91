//! The plan as text: header, picture, what is opened in which order, what it adds up to.

use std::collections::BTreeMap;

use super::picture::Picture;
use super::{Glyphs, Style, listing};
use crate::plan::escape::plain;
use crate::plan::graph::Graph;
use crate::plan::reach::{End, Reach};
use crate::plan::single_point::SinglePoints;
use crate::plan::{Plan, PlannedForward};
use crate::topology::{HostId, Topology};

/// The plan for people. Every text that comes from the file is escaped.
pub fn text(plan: &Plan, topology: &Topology, style: Style) -> String {
    let mut out = header(plan, topology, style);
    out.push('\n');
    let graph = Graph::new(topology);
    out.push_str(&pictures(plan, &graph, style));
    out.push_str("In this order:\n\n");
    out.push_str(&listing::listing(plan));
    out.push('\n');
    let notes = notes(plan, &graph);
    if !notes.is_empty() {
        out.push_str(&notes);
        out.push('\n');
    }
    out.push_str(&sums(plan));
    out.push_str(&format!("Nothing was contacted.\nNext: hopper up {}\n", plain(&plan.topology)));
    out
}

fn header(plan: &Plan, topology: &Topology, style: Style) -> String {
    let dot = if style.glyphs == Glyphs::Unicode { '·' } else { '-' };
    let hosts = count(topology.hosts.len() + 1, "host");
    let firewalls = count(topology.firewalls.len(), "firewall");
    format!("{} {dot} {hosts}, {firewalls}\n", plain(&plan.topology))
}

/// How many routes are drawn; the list names all of them.
const MOST_PICTURES: usize = 6;

/// A picture for each route that is not the beginning of another one, in the order of the file.
fn pictures(plan: &Plan, graph: &Graph<'_>, style: Style) -> String {
    let mut longest_first: Vec<(usize, &PlannedForward)> = plan.forwards.iter().enumerate().collect();
    longest_first.sort_by_key(|(_, planned)| std::cmp::Reverse(planned.route.len()));
    let mut drawn: Vec<(usize, &PlannedForward)> = Vec::new();
    let mut left_out = 0;
    for (place, planned) in longest_first {
        if drawn.iter().any(|(_, other)| other.route.starts_with(&planned.route)) {
            continue;
        }
        if drawn.len() < MOST_PICTURES { drawn.push((place, planned)) } else { left_out += 1 }
    }
    drawn.sort_by_key(|(place, _)| *place);
    let reach = Reach::new(graph);
    let mut out = String::new();
    for (_, planned) in drawn {
        let last = match reach.way(graph, &planned.forward.to).map(|way| way.end) {
            Some(End::Link(edge, _)) => graph.net[edge].link.through.as_slice(),
            Some(End::Within(_)) | None => &[],
        };
        out.push_str(&Picture::new(plan, planned, last, style).draw());
        out.push('\n');
    }
    if left_out > 0 {
        out.push_str(&format!("  and {} on other routes, not drawn\n\n", count(left_out, "forward")));
    }
    out
}

/// The hosts that have no stand-in; forwards that depend on the same ones share a line.
fn notes(plan: &Plan, graph: &Graph<'_>) -> String {
    let points = SinglePoints::new(graph);
    let mut shared: BTreeMap<Vec<HostId>, (usize, Vec<String>)> = BTreeMap::new();
    for (place, planned) in plan.forwards.iter().enumerate() {
        let hosts = points.on_the_way_to(&planned.forward.to);
        let entry = shared.entry(hosts).or_insert_with(|| (place, Vec::new()));
        entry.1.push(plain(&planned.forward.id.0));
    }
    let mut notes: Vec<_> = shared.into_iter().filter(|(hosts, _)| !hosts.is_empty()).collect();
    notes.sort_by_key(|(_, (place, _))| *place);
    let lines = notes.into_iter().map(|(hosts, (_, forwards))| {
        let hosts: Vec<String> = hosts.iter().map(|id| plain(id.as_str())).collect();
        let are = if hosts.len() == 1 { "is a" } else { "are each a" };
        format!("note: {} {are} single point of failure for {}\n", and(&hosts), and(&forwards))
    });
    lines.collect()
}

/// Tunnels, hops, and what either strategy makes of them.
fn sums(plan: &Plan) -> String {
    let forwards = count(plan.forwards.len(), "forward");
    let mut out = format!("{}, {forwards}.", count(plan.tunnels.len(), "tunnel"));
    let longest = plan.longest();
    if longest > 0 {
        let legs = longest + 1;
        out.push_str(&format!(
            " Longest route: {}, {}.\nNested, {} {} {}. Telescoped, that would need at least {}.",
            count(plan.hops(), "hop"),
            count(longest, "tunnel"),
            count(longest, "tunnel"),
            if longest == 1 { "reaches" } else { "reach" },
            count(plan.reach(), "hop"),
            legs.div_ceil(2),
        ));
    }
    out.push('\n');
    out
}

/// A number with its noun.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Words in a row, as one says them.
fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::{empty, vnc};
    use crate::plan::{PlanOptions, plan};
    use crate::topology::{Address, Endpoint};

    fn shown(topology: &Topology, style: Style) -> String {
        text(&plan(topology, &PlanOptions::default()).unwrap(), topology, style)
    }

    #[test]
    fn vnc_reads_like_the_source_document() {
        println!("{}", shown(&vnc(), Style::default()));
        println!("{}", shown(&vnc(), Style { glyphs: Glyphs::Ascii, width: 50 }));
        println!(
            "{}",
            shown(
                &empty("x").with_host("db").with_link("local", "db").forward_within(
                    "a",
                    "db",
                    Endpoint::Tcp(Address::new("127.0.0.1", 5432))
                ),
                Style::default()
            )
        );
    }
}
