//! Which routes are drawn, and whose they are.

use super::picture::Picture;
use super::{Style, and, count, fold};
use crate::plan::{Plan, PlannedForward};
use crate::topology::escape;

/// How many routes are drawn; the list names all of them.
const MOST_PICTURES: usize = 6;

/// How many forwards are named beside the one that a picture shows.
const MOST_NAMES: usize = 6;

/// The way of one forward, as a picture shows it.
struct Way<'p> {
    /// The forward's place in the file.
    place: usize,
    planned: &'p PlannedForward,
}

/// A picture, and who else goes there.
struct Drawn<'p> {
    way: Way<'p>,
    /// Forwards that go all the way.
    same: Vec<(usize, String)>,
    /// Forwards that go the first part of it.
    part: Vec<(usize, String)>,
}

/// A picture for each route that is not the beginning of another one, in the order of the forwards.
pub(super) fn pictures(plan: &Plan, style: Style) -> String {
    let mut longest_first: Vec<Way<'_>> =
        plan.forwards.iter().enumerate().map(|(place, planned)| Way { place, planned }).collect();
    longest_first.sort_by_key(|way| std::cmp::Reverse((way.planned.route.len(), way.planned.tunnels.len())));
    let mut drawn: Vec<Drawn<'_>> = Vec::new();
    let mut left_out = 0;
    for way in longest_first {
        match drawn.iter().position(|other| way.begins(&other.way)) {
            Some(other) => {
                let other = &mut drawn[other];
                let same = way.planned.route.len() == other.way.planned.route.len();
                let names = if same { &mut other.same } else { &mut other.part };
                names.push((way.place, escape(&way.planned.forward.id.0)));
            }
            None if drawn.len() < MOST_PICTURES => {
                drawn.push(Drawn { way, same: Vec::new(), part: Vec::new() });
            }
            None => left_out += 1,
        }
    }
    drawn.sort_by_key(|drawn| drawn.way.place);
    let mut out = String::new();
    for drawn in drawn {
        if plan.forwards.len() > 1 {
            out.push_str(&drawn.caption(style));
        }
        if let Some(near) = &drawn.way.planned.listener {
            out.push_str(&Picture::of_listener(plan, drawn.way.planned, near, style).draw());
            out.push('\n');
        }
        out.push_str(&Picture::new(plan, drawn.way.planned, style).draw());
        out.push('\n');
    }
    if left_out > 0 {
        out.push_str(&format!("  and {} on other routes, not drawn\n\n", count(left_out, "forward")));
    }
    out
}

impl Way<'_> {
    /// Whether another way begins with all of this one: the same hosts, firewalls and tunnels.
    fn begins(&self, other: &Way<'_>) -> bool {
        other.planned.route.starts_with(&self.planned.route)
            && other.planned.tunnels.starts_with(&self.planned.tunnels)
            && other.planned.links.starts_with(&self.planned.links)
            && other.planned.entry.is_some() == self.planned.entry.is_some()
            && other.planned.listener == self.planned.listener
    }
}

impl Drawn<'_> {
    /// `page; readings goes the same way; ssh goes part of it`
    fn caption(&self, style: Style) -> String {
        let mut text = escape(&self.way.planned.forward.id.0);
        for (names, where_to) in [(&self.same, "the same way"), (&self.part, "part of the way")] {
            let mut names = names.clone();
            names.sort();
            let more = names.len().saturating_sub(MOST_NAMES);
            let mut words: Vec<String> = names.into_iter().take(MOST_NAMES).map(|(_, name)| name).collect();
            if more > 0 {
                words.push(format!("{more} more"));
            }
            if !words.is_empty() {
                let go = if words.len() == 1 { "goes" } else { "go" };
                text.push_str(&format!("; {} {go} {where_to}", and(&words)));
            }
        }
        format!("  {}:\n", fold(&text, 2, 4, style.width.saturating_sub(1)).join("\n"))
    }
}
