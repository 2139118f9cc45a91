//! How a run stands, for a person: a tree of tunnels with the forwards on the tunnel they ride. The
//! form for machines is [`Status`] itself.

use std::collections::HashMap;
use std::time::SystemTime;

use super::plain::instead;
use super::style::{Style, Tone, columns, pad};
use super::words::{age, bytes, count};
use crate::engine::{ForwardStatus, Status, TunnelStatus};
use crate::topology::escape;

/// The tree, ending in a line end. `now` is only used for how long the run has lived.
pub fn text(status: &Status, style: Style, now: SystemTime) -> String {
    let up = |states: &mut dyn Iterator<Item = &str>| states.filter(|state| *state == "up").count();
    // What stands by is not missing.
    let wanted =
        || status.tunnels.iter().map(|tunnel| tunnel.state.as_str()).filter(|state| *state != "standby");
    let tunnels = up(&mut wanted());
    let forwards = up(&mut status.forwards.iter().map(|forward| forward.state.as_str()));
    let lived = now.duration_since(status.since).map(age).unwrap_or_default();
    let head = [
        escape(&status.name),
        format!("{} {lived}", escape(&status.state)),
        format!("pid {}", status.pid),
        format!("{tunnels}/{} tunnels, {forwards}/{} forwards", wanted().count(), status.forwards.len()),
    ];
    let mut lines = Vec::new();
    wrap(&format!("{} ", dot(&status.state, style)), 2, &head, "    ", style, &mut lines);
    if let Some(waits) = &status.waits_for {
        let fields = [
            format!("waits for {}", escape(&waits.wanted)),
            format!("hopper unlock {}", escape(&status.name)),
        ];
        wrap(
            &format!("  {}: ", escape(&waits.host)),
            columns(&waits.host) + 4,
            &fields,
            "    ",
            style,
            &mut lines,
        );
    }
    if let Some(file) = status.file.as_ref().filter(|file| file.changed == Some(true)) {
        let fields = [
            format!("{} was changed since it was read", escape(&file.path)),
            format!("hopper reload {}", escape(&status.name)),
        ];
        wrap("  ", 2, &fields, "    ", style, &mut lines);
    }
    let rows = rows(status);
    let label = rows.iter().map(Row::width).max().unwrap_or(0);
    let trips: Trips<'_> =
        status.tunnels.iter().filter_map(|tunnel| Some((tunnel.id.as_str(), tunnel.rtt_ms?))).collect();
    for row in &rows {
        row.lines(&trips, style, label, &mut lines);
    }
    lines.into_iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// The line of a topology that nobody runs, ending in a line end.
pub fn not_running(name: &str, style: Style) -> String {
    format!("{} {}   not running\n", dot("down", style), escape(name))
}

fn dot(state: &str, style: Style) -> String {
    match state {
        "up" => style.paint(Tone::Good, style.pick("●", "*")),
        "down" => style.paint(Tone::Dim, style.pick("○", "o")),
        _ => style.paint(Tone::Busy, style.pick("◐", "~")),
    }
}

/// The round trip of each tunnel that was probed, in milliseconds.
type Trips<'a> = HashMap<&'a str, f64>;

/// A line of the tree.
struct Row<'a> {
    /// For each layer below it, whether more of that layer follows further down.
    trunks: Vec<bool>,
    what: What<'a>,
}

#[derive(Clone, Copy)]
enum What<'a> {
    Tunnel(&'a TunnelStatus),
    Forward(&'a ForwardStatus),
}

/// Every tunnel below the one it rides, each with its forwards first. Only depth nests, so a chain of
/// any length takes no stack.
fn rows(status: &Status) -> Vec<Row<'_>> {
    let mut riders: HashMap<Option<&str>, Vec<What<'_>>> = HashMap::new();
    for forward in &status.forwards {
        riders.entry(forward.via.as_deref()).or_default().push(What::Forward(forward));
    }
    for tunnel in &status.tunnels {
        riders.entry(tunnel.through.as_deref()).or_default().push(What::Tunnel(tunnel));
    }
    let (mut rows, mut todo) = (Vec::new(), Vec::new());
    // Taken out, so nothing is shown twice whatever a wrong peer says. The last pushed comes first.
    let roots = riders.remove(&None).unwrap_or_default();
    todo.extend(roots.into_iter().rev().map(|what| (Vec::new(), what)));
    while let Some((trunks, what)) = todo.pop() {
        if let What::Tunnel(tunnel) = what {
            let on = riders.remove(&Some(tunnel.id.as_str())).unwrap_or_default();
            todo.extend(
                on.into_iter()
                    .rev()
                    .enumerate()
                    .map(|(from_last, what)| (trunks.iter().copied().chain([from_last > 0]).collect(), what)),
            );
        }
        rows.push(Row { trunks, what });
    }
    rows
}

impl Row<'_> {
    /// Columns before the label: a branch for each layer.
    fn indent(&self) -> usize {
        2 + 3 * self.trunks.len()
    }

    /// What stands before the label, and before whatever is below it: `├─` where a sibling follows, whose
    /// line goes on past this row.
    fn branches(&self, style: Style) -> (String, String) {
        let Some((own, outer)) = self.trunks.split_last() else { return ("  ".to_owned(), "  ".to_owned()) };
        let trunk = |more: &bool| if *more { style.pick("│  ", "|  ") } else { "   " };
        let outer: String = outer.iter().map(trunk).collect();
        let branch = if *own { style.pick("├─ ", "|- ") } else { style.pick("└─ ", "`- ") };
        (format!("  {outer}{branch}"), format!("  {outer}{}", trunk(own)))
    }

    fn label(&self) -> String {
        match &self.what {
            What::Tunnel(tunnel) => format!("{} {}", escape(&tunnel.id), escape(&tunnel.server)),
            What::Forward(forward) => escape(&forward.id),
        }
    }

    fn width(&self) -> usize {
        self.indent() + columns(&self.label())
    }

    fn lines(&self, trips: &Trips<'_>, style: Style, label: usize, lines: &mut Vec<String>) {
        let name = pad(&self.label(), label.saturating_sub(self.indent()) + 3);
        let (branch, below) = self.branches(style);
        let head = format!("{branch}{name}");
        let fields = match &self.what {
            What::Tunnel(tunnel) => tunnel_fields(tunnel, trips),
            What::Forward(forward) => forward_fields(forward, style),
        };
        // Deep chains on narrow terminals: further lines start where they still have room.
        let later = (label + 3).min(style.width / 2);
        wrap(&head, columns(&head), &fields, &pad(&below, later), style, lines);
    }
}

fn tunnel_fields(tunnel: &TunnelStatus, trips: &Trips<'_>) -> Vec<String> {
    let mut fields = vec![pad(&escape(&tunnel.state), 4)];
    if let Some(rtt) = tunnel.rtt_ms {
        let below = tunnel.through.as_deref().and_then(|below| trips.get(below));
        // Two probes are never taken at once: a small difference means nothing, and may even be negative.
        let added = below.map(|below| rtt - below).filter(|added| *added >= 0.1);
        let added = added.map_or(String::new(), |added| format!(" (+{})", millis(added)));
        fields.push(format!("rtt {} ms{added}", millis(rtt)));
    }
    if tunnel.reconnects > 0 {
        fields.push(count(tunnel.reconnects, "reconnect"));
    }
    if let Some(lanes) = tunnel.lanes {
        fields.push(format!("{lanes} lanes"));
    }
    if let Some(cause) = &tunnel.cause {
        fields.push(format!("\"{}\"", escape(cause)));
    }
    fields
}

fn forward_fields(forward: &ForwardStatus, style: Style) -> Vec<String> {
    let listen = forward.listen.as_deref().map_or("not bound".to_owned(), escape);
    let mut fields = vec![format!("{listen} {} {}", style.pick("→", "->"), escape(&forward.to))];
    if forward.state != "up" {
        fields.push(escape(&forward.state));
    }
    if forward.state == "resting" {
        fields.push("opened when somebody connects".to_owned());
    }
    if let Some(standby) = &forward.standby {
        fields.push(format!(
            "{}, because {}",
            instead(&standby.by, &standby.instead_of),
            escape(&standby.code)
        ));
    }
    fields.push(count(forward.clients, "client"));
    if forward.bytes_up > 0 || forward.bytes_down > 0 {
        let (up, down) = (style.pick("↑", "up"), style.pick("↓", "down"));
        fields.push(format!("{up} {} {down} {}", bytes(forward.bytes_up), bytes(forward.bytes_down)));
    }
    let listen = forward.listen.as_ref().and_then(|listen| listen.parse().ok());
    if let (Some(protocol), Some(listen)) = (&forward.protocol, listen) {
        fields.push(super::url(&escape(protocol), listen));
    }
    fields
}

/// Whole milliseconds from ten on; below, a tenth matters.
pub(super) fn millis(ms: f64) -> String {
    if ms < 9.95 { format!("{ms:.1}") } else { format!("{ms:.0}") }
}

/// Fields behind a head that takes `used` columns; those that do not fit start a new line with `later`.
fn wrap(head: &str, mut used: usize, fields: &[String], later: &str, style: Style, lines: &mut Vec<String>) {
    let mut line = head.to_owned();
    for (at, field) in fields.iter().enumerate() {
        let gap = if at == 0 { 0 } else { 3 };
        if at > 0 && used + gap + columns(field.trim_end()) > style.width {
            lines.push(std::mem::replace(&mut line, later.to_owned()));
            used = columns(later);
        } else {
            line.push_str(&" ".repeat(gap));
            used += gap;
        }
        line.push_str(field);
        used += columns(field);
    }
    lines.push(line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{NICE, status};

    #[test]
    fn status_is_a_tree_with_what_each_layer_adds() {
        let (status, now) = status();
        assert_eq!(
            text(&status, Style { width: 120, ..NICE }, now),
            "\
● through-firewalls   up 2 h 14 min   pid 48213   3/3 tunnels, 1/1 forwards
  T1 gate-a         up     rtt 18 ms
  └─ T2 gate-b      up     rtt 31 ms (+13)   1 reconnect   \"peer \\u{1b}reset\"
     └─ T3 gate-c   up     rtt 44 ms (+13)
        └─ screen   127.0.0.1:5900 → vnc:5900   2 clients   ↑ 12.4 MB ↓ 388.0 MB   vnc://127.0.0.1:5900
"
        );
    }

    #[test]
    fn status_fits_80_columns_and_ascii() {
        let (status, now) = status();
        let text = text(&status, Style::PLAIN, now);
        assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 80), "{text}");
        let last = "\n                    up 12.4 MB down 388.0 MB   vnc://127.0.0.1:5900\n";
        assert!(text.ends_with(last), "{text}");
        assert_eq!(not_running("corp", NICE), "○ corp   not running\n");
    }

    #[test]
    fn what_waits_for_a_person_says_what_to_type() {
        let (mut status, now) = status();
        let (host, wanted) = ("gate-b".to_owned(), "the password of \u{1b}alice".to_owned());
        status.waits_for = Some(crate::engine::WaitsFor { host, wanted });
        let text = text(&status, Style { width: 120, ..NICE }, now);
        let line = text.lines().nth(1).unwrap();
        assert_eq!(
            line,
            "  gate-b: waits for the password of \\u{1b}alice   hopper unlock through-firewalls"
        );
    }

    #[test]
    fn siblings_share_a_trunk_and_what_adds_nothing_says_nothing() {
        let (mut status, now) = status();
        // T3 rides T1, beside T2 and what rides that.
        status.tunnels[2].through = Some("T1".to_owned());
        status.tunnels[2].rtt_ms = Some(18.06);
        status.forwards[0].via = Some("T2".to_owned());
        let tree = |style| {
            let text = text(&status, style, now);
            text.lines().skip(1).map(|line| line.chars().take(39).collect()).collect::<Vec<String>>()
        };
        let lines = tree(Style { width: 120, ..NICE });
        assert_eq!(lines[1], "  ├─ T2 gate-b   up     rtt 31 ms (+13)");
        assert!(lines[2].starts_with("  │  └─ screen "), "{lines:?}");
        assert_eq!(lines[3].trim_end(), "  └─ T3 gate-c   up     rtt 18 ms");
        assert!(tree(Style { width: 120, ..Style::PLAIN })[2].starts_with("  |  `- screen "));
        let narrow = text(&status, Style { width: 60, ..NICE }, now);
        assert!(narrow.contains("\n  │              \"peer"), "the trunk goes on beside it: {narrow}");
        assert!(!text(&status, NICE, now).contains("(+0"));
    }
}
