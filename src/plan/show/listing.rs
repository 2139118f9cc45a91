//! The list of what is opened, in order: tunnels, then forwards.

use unicode_width::UnicodeWidthStr;

use crate::plan::{Carrier, Plan, PlannedForward, Tunnel};
use crate::topology::escape;
use crate::topology::{Check, Target};

/// One line for each tunnel and each forward, in columns.
pub(super) fn listing(plan: &Plan) -> String {
    let tunnels = plan.tunnels.iter().map(tunnel);
    let forwards = plan.forwards.iter().map(|planned| forward(plan, planned));
    let rows: Vec<[String; 3]> = tunnels.chain(forwards).collect();
    let widest = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let (first, second) = (widest(0), widest(1));
    let lines = rows.iter().map(|[id, what, how]| {
        let gaps = (" ".repeat(first - id.width() + 2), " ".repeat(second - what.width() + 2));
        format!("  {id}{}{what}{}{how}\n", gaps.0, gaps.1)
    });
    lines.collect()
}

/// `T2  ssh  alice@gate-b.dmz:22  through T1 (in memory)`
fn tunnel(tunnel: &Tunnel) -> [String; 3] {
    let user = tunnel.server.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let what = format!("ssh  {user}{}", tunnel.target);
    let how = match (&tunnel.through, tunnel.carrier) {
        (Some(through), Some(Carrier::Port(listen))) => format!("through {through} via {listen}"),
        (Some(through), _) => format!("through {through} (in memory)"),
        (None, _) => format!("from {}", tunnel.client),
    };
    [tunnel.id.to_string(), escape(&what), escape(&how)]
}

/// `vnc  127.0.0.1:5901 -> screen:5900  dialled by gate-d over T3, check: banner "RFB "`
fn forward(plan: &Plan, planned: &PlannedForward) -> [String; 3] {
    let forward = &planned.forward;
    let what = format!("{} -> {}", forward.listen, forward.to);
    let server = planned.via.as_ref().and_then(|via| Some((via, plan.tunnel(via)?)));
    let mut how = match (server, &forward.to) {
        (None, _) => "dialled by local".to_owned(),
        (Some((via, _)), Target::Within { host, .. }) => format!("dialled within {host} over {via}"),
        (Some((via, tunnel)), _) => format!("dialled by {} over {via}", tunnel.server.id),
    };
    how.push_str(&match &forward.check {
        Check::Tcp => ", check: tcp".to_owned(),
        Check::Banner(text) => format!(", check: banner {text:?}"),
        Check::Http(path) => format!(", check: http {path}"),
        Check::None => ", no check".to_owned(),
    });
    if !forward.required {
        how.push_str(", not required");
    }
    [escape(&forward.id.0), escape(&what), escape(&how)]
}
