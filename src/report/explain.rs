//! The route that a running forward takes, hop by hop, with how each hop stands now. For people, and as
//! `hopper.route/1`.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::hop::{Hop, Trip};
use super::plain::instead;
use super::style::{Style, columns, pad};
use super::words::{age, bytes, count};
use crate::engine::{ForwardStatus, Status, TunnelStatus};
use crate::plan::show::fold;
use crate::plan::{Said, SaidForward};
use crate::topology::escape;

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

/// A running forward with its hops.
#[derive(Debug)]
pub struct Route<'r> {
    status: &'r Status,
    planned: &'r SaidForward,
    forward: &'r ForwardStatus,
    /// To the host that listens for it; none when local does.
    near: Vec<Hop<'r>>,
    /// To its target.
    hops: Vec<Hop<'r>>,
}

impl<'r> Route<'r> {
    /// The route of the forward with this id; `None` when the run has no such forward.
    pub fn new(status: &'r Status, plan: &'r Said, id: &str) -> Option<Self> {
        let planned = plan.forwards.iter().find(|forward| forward.id == id)?;
        let forward = status.forwards.iter().find(|forward| forward.id == id)?;
        let near = planned.listener.as_ref();
        let near = near.map(|near| Hop::walk(&near.route, &plan.chain(Some(&near.via)), status));
        let mut hops = Hop::walk(&planned.route, &plan.chain(planned.via.as_ref()), status);
        match hops.last_mut().filter(|hop| hop.session.is_none()) {
            Some(last) => (last.to, last.dials) = (&planned.to, planned.target.as_deref()),
            // Dialled within the last host.
            None => {
                let from = planned.route.last().map_or("", String::as_str);
                let dials = planned.target.as_deref();
                hops.push(Hop { from, to: &planned.to, dials, session: None, trip: None });
            }
        }
        Some(Route { status, planned, forward, near: near.unwrap_or_default(), hops })
    }

    /// Whether the forward works.
    pub fn is_up(&self) -> bool {
        self.forward.state == "up"
    }

    /// What broke, nearest to local: the hop, counted from 1, where it leads, and why.
    fn broken(&self) -> Option<(usize, &str, &str)> {
        let broken = |hops: &'_ [Hop<'r>]| {
            hops.iter().enumerate().find_map(|(at, hop)| {
                let cause = hop.session?.1?.cause.as_deref()?;
                Some((at + 1, hop.to, cause))
            })
        };
        let sessions = broken(&self.near).or_else(|| broken(&self.hops));
        let last = || Some((self.hops.len(), self.planned.to.as_str(), self.forward.cause.as_deref()?));
        sessions.or_else(last)
    }

    /// A line for each hop, then what went over it and what broke. `now` is only used for how long ago the far
    /// end answered.
    pub fn text(&self, style: Style, now: SystemTime) -> String {
        let dot = style.pick("·", "-");
        let forward = self.forward;
        let mut out = format!(
            "{} {dot} {} to {}   {}\n\n",
            escape(&self.status.name),
            escape(&forward.id),
            escape(&forward.to),
            escape(&forward.state)
        );
        if let Some(standby) = &forward.standby {
            let way = instead(&standby.by, &standby.instead_of);
            let why = format!("{way}, because {} [{}]", escape(&standby.cause), escape(&standby.code));
            out.push_str(&format!("  {}\n\n", fold(&why, 2, 2, style.width).join("\n")));
        }
        if let Some(listener) = &self.planned.listener {
            out.push_str(&format!("  to {}, which listens:\n", escape(&listener.host)));
            self.rows(&self.near, style, now, &mut out);
            out.push_str("\n  to its target:\n");
        }
        self.rows(&self.hops, style, now, &mut out);
        out.push_str(&format!("\n  {}\n", self.traffic(style)));
        if let Some((hop, host, cause)) = self.broken() {
            out.push_str(&format!("  broken at hop {hop}, {}: {}\n", escape(host), escape(cause)));
        }
        out
    }

    /// A line for each of these hops.
    fn rows(&self, hops: &[Hop<'_>], style: Style, now: SystemTime, out: &mut String) {
        let arrow = style.pick("→", "->");
        let ways: Vec<String> =
            hops.iter().map(|hop| format!("{} {arrow} {}", escape(hop.from), escape(hop.to))).collect();
        let widest = ways.iter().map(|way| columns(way)).max().unwrap_or(0);
        let digits = hops.len().to_string().len();
        for (at, (hop, way)) in hops.iter().zip(&ways).enumerate() {
            let number = format!("{:>digits$}", at + 1);
            let fields = match hop.session {
                Some((id, stands)) => session_fields(id, stands, hop.trip),
                None => self.forward_fields(now),
            };
            let beside = 2 + digits + 2 + widest + 2 + columns(&fields) <= style.width;
            let line = match beside {
                true => format!("  {number}  {}{fields}", pad(way, widest + 2)),
                false => format!("  {number}  {way}\n{}{fields}", " ".repeat(digits + 6)),
            };
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }

    fn forward_fields(&self, now: SystemTime) -> String {
        let ago = self.forward.proved_at.and_then(|then| now.duration_since(then).ok());
        let proved = ago.map(|ago| format!(", answered {} ago", age(ago))).unwrap_or_default();
        format!("{}{proved}", escape(&self.forward.state))
    }

    fn traffic(&self, style: Style) -> String {
        let forward = self.forward;
        let (up, down) = (style.pick("↑", "up"), style.pick("↓", "down"));
        format!(
            "{}   {}, {}   {up} {} {down} {}",
            forward.listen.as_deref().map_or("not bound".to_owned(), escape),
            count(forward.clients, "client"),
            count(forward.connections, "connection"),
            bytes(forward.bytes_up),
            bytes(forward.bytes_down)
        )
    }

    /// `hopper.route/1`. What is absent is null.
    pub fn json(&self) -> Value {
        let forward = serde_json::to_value(self.forward).unwrap_or_default();
        json!({
            "schema": "hopper.route/1",
            "topology": self.status.name,
            "state": self.status.state,
            "forward": forward,
            "route": self.planned.route,
            "hops": self.hops_json(&self.hops),
            "listener": self.planned.listener.as_ref().map(|near| {
                json!({ "host": near.host, "route": near.route, "hops": self.hops_json(&self.near) })
            }),
            "broken": self.broken().map(|(hop, host, cause)| json!({ "hop": hop, "at": host, "cause": cause })),
        })
    }

    fn hops_json(&self, hops: &[Hop<'_>]) -> Vec<Value> {
        let hops = hops.iter().enumerate().map(|(at, hop)| {
            let stands = hop.session.and_then(|(_, stands)| stands);
            let last = hop.session.is_none().then_some(self.forward);
            json!({
                "hop": at + 1,
                "from": hop.from,
                "to": hop.to,
                "dials": hop.dials,
                "tunnel": hop.session.map(|(id, _)| id),
                "state": stands.map(|one| &one.state).or(last.map(|one| &one.state)),
                "rtt_ms": hop.trip.map(|trip| trip.whole),
                "own_rtt_ms": hop.trip.and_then(|trip| trip.own),
                "reconnects": stands.map(|one| one.reconnects),
                "cause": stands.and_then(|one| one.cause.as_ref()).or(last.and_then(|one| one.cause.as_ref())),
            })
        });
        hops.collect()
    }
}

fn session_fields(id: &str, stands: Option<&TunnelStatus>, trip: Option<Trip>) -> String {
    let mut fields = vec![escape(id)];
    if let Some(stands) = stands {
        fields.push(escape(&stands.state));
        if let Some(trip) = trip {
            let own = trip.own.filter(|own| trip.rides && *own >= 0.1);
            let own = own.map(|own| format!(" (+{})", super::status::millis(own))).unwrap_or_default();
            fields.push(format!("rtt {} ms{own}", super::status::millis(trip.whole)));
        }
        if stands.reconnects > 0 {
            fields.push(count(stands.reconnects, "reconnect"));
        }
    }
    fields.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::show;
    use crate::report::sample::{NICE, status, three};

    fn said() -> Said {
        Said::read(&show::json(&three())).unwrap()
    }

    #[test]
    fn each_hop_has_a_line_with_its_own_share_of_the_round_trip() {
        let ((mut status, now), said) = (status(), said());
        status.tunnels[1].cause = None;
        let route = Route::new(&status, &said, "screen").unwrap();
        let wanted = "\
through-firewalls · screen to vnc:5900   up

  1  local → gate-a     T1  up  rtt 18 ms
  2  gate-a → gate-b    T2  up  rtt 31 ms (+13)  1 reconnect
  3  gate-b → gate-c    T3  up  rtt 44 ms (+13)
  4  gate-c → vnc:5900  up, answered 2 h 14 min ago

  127.0.0.1:5900   2 clients, 9 connections   ↑ 12.4 MB ↓ 388.0 MB
";
        assert_eq!(route.text(NICE, now), wanted);
        let json = route.json();
        assert_eq!((&json["hops"][1]["own_rtt_ms"], &json["broken"]), (&13.0.into(), &Value::Null), "{json}");
        assert!(Route::new(&status, &said, "nothing").is_none());
    }

    #[test]
    fn what_broke_nearest_to_local_is_told_once_and_escaped() {
        let ((mut status, now), said) = (status(), said());
        status.forwards[0].cause = Some("no answer".to_owned());
        let text = Route::new(&status, &said, "screen").unwrap().text(Style::PLAIN, now);
        assert!(text.ends_with("  broken at hop 2, gate-b: peer \\u{1b}reset\n"), "{text}");
        assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 80), "{text}");
        status.tunnels[1].cause = None;
        let text = Route::new(&status, &said, "screen").unwrap().text(Style::PLAIN, now);
        assert!(text.ends_with("  broken at hop 4, vnc:5900: no answer\n"), "{text}");
    }

    #[test]
    fn a_forward_on_a_standby_way_is_shown_on_that_and_says_why() {
        let ((mut status, now), mut said) = (status(), said());
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
        let row = super::super::status::text(&status, Style { width: 120, ..NICE }, now);
        assert!(row.contains("   without gate-c, because H0601   2 clients"), "{row}");
    }

    /// T1 from gate-a to gate-b, and T2 from local, which gate-a lets in, to gate-c.
    #[test]
    fn a_hop_before_the_client_of_the_session_below_belongs_to_the_one_that_is_let_in() {
        let ((mut status, now), mut said) = (status(), said());
        said.tunnels.remove(0);
        status.tunnels.remove(0);
        status.tunnels[0].cause = None;
        said.tunnels[0].client = "gate-a".to_owned();
        said.tunnels[0].through = None;
        said.tunnels[1].listen = Some("gate-a:2201".to_owned());
        said.tunnels[1].entry = Some("gate-a.example.net:2201".to_owned());
        let route = Route::new(&status, &said, "screen").unwrap();
        let text = route.text(NICE, now);
        for line in [
            "  1  local → gate-a     T3  up\n",
            "  2  gate-a → gate-b    T2  up  rtt 31 ms",
            "T3  up  rtt 44 ms (+13)\n",
        ] {
            assert!(text.contains(line), "no {line:?} in\n{text}");
        }
        assert_eq!(route.json()["hops"][0]["dials"], "gate-a.example.net:2201");
    }

    #[test]
    fn a_plan_that_goes_in_circles_ends() {
        let ((status, now), mut said) = (status(), said());
        said.tunnels[0].through = Some("T3".to_owned());
        let text = Route::new(&status, &said, "screen").unwrap().text(NICE, now);
        assert!(text.contains("  4  "), "{text}");
    }
}
