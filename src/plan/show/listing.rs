//! The list of what is opened, in order: tunnels, then forwards.

use unicode_width::UnicodeWidthStr;

use crate::plan::{Carrier, Client, Plan, PlannedForward, Tunnel};
use crate::topology::Check;
use crate::topology::escape;

/// One thing that is opened.
struct Row {
    id: String,
    what: String,
    /// How, in pieces that stay whole.
    how: Vec<String>,
}

/// One line for each tunnel and each forward, in columns; what does not fit stands below.
pub(super) fn listing(plan: &Plan, width: usize) -> String {
    let tunnels = plan.tunnels.iter().filter(|it| !it.standby).map(|it| tunnel(plan, it));
    let forwards = plan.forwards.iter().map(|planned| forward(plan, planned));
    lines(&tunnels.chain(forwards).collect::<Vec<_>>(), width)
}

/// The same for the tunnels that are only opened when they are needed.
pub(super) fn standing_by(plan: &Plan, width: usize) -> String {
    let tunnels = plan.tunnels.iter().filter(|it| it.standby).map(|it| tunnel(plan, it));
    lines(&tunnels.collect::<Vec<_>>(), width)
}

fn lines(rows: &[Row], width: usize) -> String {
    let widest = |column: fn(&Row) -> &str| rows.iter().map(|row| column(row).width()).max().unwrap_or(0);
    let (first, second) = (widest(|row| &row.id), widest(|row| &row.what));
    rows.iter().map(|row| row.lines(first, second, width)).collect()
}

impl Row {
    /// The row, with its first two columns this wide.
    fn lines(&self, first: usize, second: usize, width: usize) -> String {
        let gaps = (" ".repeat(first - self.id.width() + 2), " ".repeat(second - self.what.width() + 2));
        let head = format!("  {}{}{}{}", self.id, gaps.0, self.what, gaps.1);
        // Where a piece has no room beside what is opened, all go below it.
        let widest = self.how.iter().map(|piece| piece.width()).max().unwrap_or(0);
        let beside = head.width() + widest <= width;
        let indent = if beside { head.width() } else { first + 6 };
        let pieces = pack(&self.how, width.saturating_sub(indent)).join(&format!("\n{}", " ".repeat(indent)));
        if beside {
            format!("{head}{pieces}\n")
        } else {
            format!("{}\n{}{pieces}\n", head.trim_end(), " ".repeat(indent))
        }
    }
}

/// Pieces with commas between them, in lines of at most so many columns.
fn pack(pieces: &[String], room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if line.width() + 2 + piece.width() <= room => line.push_str(&format!(", {piece}")),
            _ => lines.push(piece.clone()),
        }
    }
    lines
}

/// `T2  ssh  alice@gate-b.dmz:22  through T1 (in memory)`
fn tunnel(plan: &Plan, tunnel: &Tunnel) -> Row {
    let user = tunnel.server.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let what = format!("ssh  {user}{}", tunnel.target);
    let mut how: Vec<String> = match (&tunnel.through, &tunnel.carrier) {
        (Some(through), Some(Carrier::Port(listen))) => Some(format!("through {through} via {listen}")),
        (Some(through), Some(Carrier::Entry(entry))) => Some(format!("through {through} at {entry}")),
        (Some(through), _) => Some(format!("through {through} (in memory)")),
        (None, _) if tunnel.client.is_local() => Some("from local".to_owned()),
        (None, _) => None,
    }
    .into_iter()
    .collect();
    match &tunnel.client {
        Client::Local => {}
        Client::Exec { host, control } => how.push(format!("by the ssh of {host}, started over {control}")),
        Client::Hopper { host } => how.push(format!("by hopper on {host}")),
    }
    if plan.is_control(&tunnel.id) {
        how.push("control session".to_owned());
    }
    if let Some(kept) = &tunnel.kept {
        how.push(format!("needs {}, kept by hopper at {}", kept.forward, kept.at));
    }
    for (entry, target) in plan.kept_by(&tunnel.id) {
        how.push(format!("listens on {entry} for {target}"));
    }
    Row {
        id: tunnel.id.to_string(),
        what: escape(&what),
        how: how.iter().map(|piece| escape(piece)).collect(),
    }
}

/// `vnc  127.0.0.1:5901 -> screen:5900  dialled by gate-d over T3, check: banner "RFB "`
fn forward(plan: &Plan, planned: &PlannedForward) -> Row {
    let forward = &planned.forward;
    let what = format!("{} -> {}", forward.near(), forward.to);
    let server = planned.via.as_ref().and_then(|via| Some((via, plan.tunnel(via)?)));
    let dialled = match server {
        None => "dialled by local".to_owned(),
        Some((via, _)) if planned.goes_in() => {
            format!("nobody can dial that port; {} dials {} over {via}", forward.to.host(), planned.target)
        }
        Some((via, tunnel)) if planned.within => format!("dialled within {} over {via}", tunnel.server.id),
        Some((via, tunnel)) => format!("dialled by {} over {via}", tunnel.server.id),
    };
    let check = match &forward.check {
        Check::Tcp => "check: tcp".to_owned(),
        Check::Banner(text) => format!("check: banner {text:?}"),
        Check::Http(path) => format!("check: http {path}"),
        Check::None => "no check".to_owned(),
    };
    let mut how = vec![escape(&dialled), escape(&check)];
    if let Some(listener) = &planned.listener {
        how.insert(0, escape(&format!("{} listens, asked over {}", listener.host, listener.via)));
    }
    if let Some(entry) = &planned.entry {
        how.insert(0, escape(&format!("plain tcp to {entry}")));
    }
    if !forward.required {
        how.push("not required".to_owned());
    }
    Row { id: escape(&forward.id.0), what: escape(&what), how }
}
