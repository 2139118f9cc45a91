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

    /// Whether nothing is wrong with the forward: it works, or is opened for whoever comes.
    pub fn is_well(&self) -> bool {
        matches!(self.forward.state.as_str(), "up" | "resting")
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
        let last = || {
            let cause = self.forward.cause.as_deref()?;
            // A host that does not listen is the last of its own route; what is wrong is not the target.
            let listens = self.planned.listener.as_ref().filter(|_| self.forward.is_blamed_on_its_listener());
            Some(match listens {
                Some(listener) => (self.near.len(), listener.host.as_str(), cause),
                None => (self.hops.len(), self.planned.to.as_str(), cause),
            })
        };
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
        if let Some(lanes) = stands.lanes {
            fields.push(format!("{lanes} lanes"));
        }
    }
    fields.join("  ")
}

#[cfg(test)]
mod tests;
