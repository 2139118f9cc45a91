//! The marks of a picture: links, the tubes of sessions, firewalls, hosts and their texts. Knows how each is
//! written, not where it belongs.

use super::layout::{Place, Turn, Way, half};
use super::xml::{self, LINE};
use crate::plan::show::diagram::{Kind, Shape};

/// The line of an arrow, from host to host.
pub(super) fn path(way: &Way) -> String {
    let (x, y) = way.from;
    let (end, down) = way.to;
    let (left, right) = way.lane;
    let lane = way.y;
    match way.turn {
        Turn::Ahead => {
            let (out, into) = ((x + left) / 2, (right + end) / 2);
            format!(
                "M{x} {y}C{out} {y} {out} {lane} {left} {lane}H{right}C{into} {lane} {into} {down} {end} {down}"
            )
        }
        Turn::Beside => {
            let (out, back) = ((y + lane) / 2, (lane + down) / 2);
            format!("M{x} {y}C{left} {y} {left} {out} {left} {lane}C{left} {back} {left} {down} {end} {down}")
        }
        Turn::Round => format!("M{x} {y}H{left}V{lane}H{right}V{down}H{end}"),
    }
}

/// The head of an arrow, which fades beside `any` that is used.
pub(super) fn tip(way: &Way, used: bool, any: bool) -> String {
    let (x, y) = way.to;
    let class = match (used, any) {
        (true, _) => "tip",
        (false, true) => "dim",
        (false, false) => "dark",
    };
    let from_left = match way.turn {
        Turn::Ahead => true,
        Turn::Beside => false,
        Turn::Round => way.lane.1 < x,
    };
    let back = if from_left { x.saturating_sub(9) } else { x + 9 };
    format!(
        "<polygon class=\"{class}\" points=\"{x},{y} {back},{} {back},{}\"/>\n",
        y.saturating_sub(5),
        y + 5
    )
}

/// Sessions around a link, one in the other. Those too deep to be told apart are drawn as one.
pub(super) fn tubes(path: &str, outer: usize, inner: usize, deepest: usize) -> String {
    let mut widths: Vec<(usize, usize)> =
        (outer..=inner).map(|depth| (2 * half(depth, deepest), depth)).collect();
    widths.dedup_by_key(|(width, _)| *width);
    let tube = |(width, depth): (usize, usize)| {
        let (tint, within) = (depth % 2, width - 2);
        format!(
            "<path class=\"edge\" stroke-width=\"{width}\" d=\"{path}\"/>\n\
             <path class=\"t{tint}\" stroke-width=\"{within}\" d=\"{path}\"/>\n"
        )
    };
    widths.into_iter().map(tube).collect()
}

/// Firewalls as bars across an arrow.
pub(super) fn walls(way: &Way, many: usize, body: usize) -> String {
    let (left, right) = (way.lane.0.min(way.lane.1), way.lane.0.max(way.lane.1));
    if way.turn == Turn::Beside {
        // There the line runs from top to bottom.
        let (x, first) = (left.saturating_sub(body), (way.y + 2).saturating_sub(4 * many));
        let bar = |at: usize| {
            let (y, width) = (first + 8 * at, 2 * body);
            format!("<rect class=\"wall\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"4\" rx=\"1\"/>\n")
        };
        return (0..many).map(bar).collect();
    }
    let middle = if way.turn == Turn::Ahead { (left + right) / 2 } else { left + 12 + 6 * many };
    let first = middle.saturating_sub(6 * many) + 4;
    let bar = |at: usize| {
        let (x, y) = (first + 12 * at, way.y.saturating_sub(body));
        format!("<rect class=\"wall\" x=\"{x}\" y=\"{y}\" width=\"4\" height=\"{}\" rx=\"1\"/>\n", 2 * body)
    };
    (0..many).map(bar).collect()
}

/// A host, or what stands for one.
pub(super) fn host(shape: &Shape, place: &Place) -> String {
    let Place { x, y, width, height } = place;
    let lines = shape.all();
    let round = match shape.kind {
        Kind::Local => 18,
        Kind::Server => 3,
        Kind::Target | Kind::Inside => 10,
    };
    let class = if shape.used { "box on" } else { "box" };
    let mut out = format!(
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>\n"
    );
    let middle = x + width / 2;
    let first = y + (height - lines.len() * LINE) / 2 + 12;
    for (at, line) in lines.iter().enumerate() {
        let (y, class) = (first + at * LINE, if at == 0 || at >= shape.lines.len() { "b" } else { "s" });
        let text = xml::text(line);
        out.push_str(&format!(
            "<text class=\"{class}\" x=\"{middle}\" y=\"{y}\" text-anchor=\"middle\">{text}</text>\n"
        ));
    }
    out
}

/// Lines of text at the lane of an arrow, from this height on.
pub(super) fn label(way: &Way, lines: &[&String], first: usize, class: &str) -> String {
    let (left, right) = (way.lane.0.min(way.lane.1), way.lane.0.max(way.lane.1));
    let (x, anchor) = match way.turn {
        Turn::Ahead => ((left + right) / 2, " text-anchor=\"middle\""),
        Turn::Beside => (left + 14, ""),
        Turn::Round => (left + 12, ""),
    };
    let line = |(at, line): (usize, &&String)| {
        let y = first + at * LINE;
        format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>{}</text>\n", xml::text(line))
    };
    lines.iter().enumerate().map(line).collect()
}
