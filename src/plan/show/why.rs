//! Why each forward goes the way it goes, for people: the route link by link, then what else there is.

use unicode_width::UnicodeWidthStr;

use super::{Glyphs, Style, and, count, fold};
use crate::plan::{Crossing, Explained, Explanation, Hop, Lost, Route};
use crate::topology::{Firewall, PortSet, Strategy, escape};

/// Ranges of a rule that are told; the rest are counted.
const MOST_RANGES: usize = 4;

/// The explanation for people. Every text that comes from the file is escaped.
pub fn why(explanation: &Explanation, style: Style) -> String {
    let dot = if style.glyphs == Glyphs::Unicode { '·' } else { '-' };
    let mut out = String::new();
    for explained in &explanation.forwards {
        let (topology, forward) = (escape(&explanation.topology), &explained.forward);
        let head = format!("{topology} {dot} {} to {}", forward.id, forward.to);
        out.push_str(&lines(&escape(&head), 0, 2, style));
        out.push('\n');
        out.push_str(&forward_text(explained, style));
        out.push('\n');
    }
    if !explanation.forwards.is_empty() {
        out.push_str("Nothing was contacted.\n");
    }
    if style.glyphs == Glyphs::Ascii { out.replace('…', "...") } else { out }
}

fn forward_text(explained: &Explained, style: Style) -> String {
    let chosen = &explained.chosen;
    let mut out = lines(&format!("takes  {}", way(chosen)), 2, 9, style);
    out.push_str(&lines(&format!("       {}", price(chosen)), 2, 9, style));
    out.push('\n');
    out.push_str(&links(&chosen.hops.iter().collect::<Vec<_>>(), 4, style));
    if !chosen.hops.is_empty() {
        out.push('\n');
    }
    if !explained.control.is_empty() {
        out.push_str("  starts SSH clients on hosts in between over\n\n");
        out.push_str(&links(&explained.control.iter().collect::<Vec<_>>(), 4, style));
        out.push('\n');
    }
    if let (Some(host), Some(listener)) = (&explained.forward.on, &explained.listener) {
        out.push_str(&lines(
            &format!("listens on {}  {}", escape(host.as_str()), way(listener)),
            2,
            9,
            style,
        ));
        out.push_str(&lines(&format!("       {}", price(listener)), 2, 9, style));
        out.push('\n');
        out.push_str(&links(&listener.hops.iter().collect::<Vec<_>>(), 4, style));
        out.push('\n');
    }
    let mut before = vec![chosen];
    for (n, route) in explained.runners_up.iter().enumerate() {
        out.push_str(&lines(&format!("next {}  {}", n + 1, way(route)), 2, 10, style));
        let text = format!("{}: {}", price(route), lost(route, explained));
        out.push_str(&lines(&format!("        {text}"), 2, 10, style));
        // Where hosts alone do not tell it from a better one, the links do.
        if let Some(alike) = before.iter().find(|other| other.hosts().eq(route.hosts())) {
            let other = route.hops.iter().zip(&alike.hops).filter(|(hop, than)| hop.place != than.place);
            out.push_str(&links(&other.map(|(hop, _)| hop).collect::<Vec<_>>(), 12, style));
        }
        before.push(route);
    }
    if explained.runners_up.is_empty() && !explained.cut {
        out.push_str("  next    there is no other route\n");
    }
    if explained.cut {
        let text = "next    the search for other routes was cut: it became too long, so there may be more and better ones";
        out.push_str(&lines(text, 2, 10, style));
    }
    if !chosen.hops.is_empty() {
        out.push('\n');
        out.push_str(&lines(&apart(explained), 2, 4, style));
    }
    out
}

/// What stands in when a host of the route fails.
fn apart(explained: &Explained) -> String {
    if let Some(apart) = &explained.apart {
        let other = match explained.runners_up.iter().position(|route| route.is(apart)) {
            Some(place) => format!("next {}", place + 1),
            None => format!("{} ({})", way(apart), price(apart)),
        };
        return format!("stand-in: {other} shares no host in between with it");
    }
    let single: Vec<String> = explained.single_points.iter().map(|id| escape(id.as_str())).collect();
    match single.len() {
        0 if explained.cut => "no stand-in was found before the search was cut".to_owned(),
        0 if explained.runners_up.is_empty() => "no stand-in: there is no other route".to_owned(),
        0 => "no stand-in: every other route shares a host in between with it".to_owned(),
        1 => format!("no stand-in: every route passes {}, a single point of failure", single[0]),
        _ => format!("no stand-in: every route passes {}, each a single point of failure", and(&single)),
    }
}

/// `local -> gate -> web`
fn way(route: &Route) -> String {
    let hosts: Vec<String> = route.hosts().map(|id| escape(id.as_str())).collect();
    hosts.join(" -> ")
}

/// `cost 20, 1 tunnel`
fn price(route: &Route) -> String {
    format!("cost {}, {}", route.cost, count(route.tunnels, "tunnel"))
}

fn lost(route: &Route, explained: &Explained) -> String {
    let telescoped = explained.strategy == Strategy::Telescoped;
    match route.lost_to(&explained.chosen, explained.strategy) {
        Lost::Dearer(more) => format!("dearer by {more}"),
        Lost::MoreTunnels(more) if telescoped => format!("{} more", count(more, "tunnel")),
        Lost::MoreTunnels(more) => format!("as dear, but {} more", count(more, "tunnel")),
        Lost::Later => "as good, but later in the file".to_owned(),
    }
}

/// One line for each link, in columns; what does not fit stands below.
fn links(hops: &[&Hop], indent: usize, style: Style) -> String {
    let row = |hop: &&Hop| {
        let link = format!("{} -> {}", escape(hop.link.from.as_str()), escape(hop.link.to.as_str()));
        let kind = match hop.crossing {
            Crossing::Session => "ssh port",
            Crossing::Listener => "listener",
            Crossing::Target => "tcp port",
        };
        [link, format!("cost {}", hop.link.cost), format!("{kind} {}", hop.target.port), rules(hop)]
    };
    let rows: Vec<[String; 4]> = hops.iter().map(row).collect();
    let widest = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let wide = [widest(0), widest(1), widest(2)];
    let beside = indent + wide.iter().sum::<usize>() + 6;
    let longest = rows.iter().flat_map(|row| row[3].split(' ')).map(|word| word.width()).max().unwrap_or(0);
    let below = beside + longest.max(20) > style.width;
    let mut out = String::new();
    for row in &rows {
        let pad = |column: usize| " ".repeat(wide[column] - row[column].width());
        let head =
            format!("{}{}{}  {}{}  {}{}", " ".repeat(indent), row[0], pad(0), row[1], pad(1), row[2], pad(2));
        if below {
            let narrow = [&row[0], &row[1], &row[2]].map(String::as_str).join("  ");
            out.push_str(&lines(&narrow, indent, indent + 4, style));
            out.push_str(&" ".repeat(indent + 2));
            out.push_str(&(fold(&row[3], indent + 2, indent + 4, style.width).join("\n") + "\n"));
        } else {
            out.push_str(&format!("{head}  {}\n", fold(&row[3], beside, beside, style.width).join("\n")));
        }
    }
    out
}

/// What let the port through: `fw1 allows 22, fw2 denies only 5900-5999`
fn rules(hop: &Hop) -> String {
    let port = hop.target.port;
    let own = hop.link.ports.as_ref().map(|ports| format!("the link allows {}", ranges_with(ports, port)));
    let rules: Vec<String> =
        own.into_iter().chain(hop.firewalls.iter().map(|wall| firewall(wall, port))).collect();
    if rules.is_empty() { "any port goes".to_owned() } else { rules.join(", ") }
}

fn firewall(wall: &Firewall, port: u16) -> String {
    let id = escape(&wall.id.0);
    match &wall.allow {
        Some(allow) => format!("{id} allows {}", ranges_with(allow, port)),
        None if wall.deny.ranges().is_empty() => format!("{id} denies nothing"),
        None => {
            let few = PortSet::new(wall.deny.ranges().iter().take(MOST_RANGES).cloned());
            let more = wall.deny.ranges().len().saturating_sub(MOST_RANGES);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{id} denies only {few}{more}")
        }
    }
}

/// The first range of a set that holds the port.
fn ranges_with(ports: &PortSet, port: u16) -> PortSet {
    PortSet::new(ports.ranges().iter().find(|range| range.contains(&port)).cloned())
}

/// Text in lines, all of them after so many spaces, and the later ones after `next`.
fn lines(text: &str, indent: usize, next: usize, style: Style) -> String {
    format!("{}{}\n", " ".repeat(indent), fold(text, indent, next, style.width).join("\n"))
}
