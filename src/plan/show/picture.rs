//! The picture of a route: hosts, the firewalls between them, and one row for each tunnel.
//!
//! ```text
//! local ──┃fw1┃──▶ gate-b ──┃fw2┃──▶ gate-c ─────▶ screen
//! :5901 ═══════T1═════╡                 │
//!                     ╘════T2 in T1═════╡┄┄tcp┄┄▶ :5900
//! ```

mod bands;
mod ink;
mod row;

use unicode_width::UnicodeWidthStr;

use super::Style;
use crate::plan::{FarListener, Plan, PlannedForward};
use crate::topology::escape;
use crate::topology::{Endpoint, FirewallId, Strategy};
use ink::Ink;
use row::Row;

/// Columns before a picture's first line, and before a line that goes on.
const MARGIN: (usize, usize) = (2, 6);

/// The way of one forward, laid out in columns counted from local.
pub(super) struct Picture {
    ink: &'static Ink,
    width: usize,
    stations: Vec<Station>,
    /// Whether each tunnel makes one hop and begins where the one before ends.
    nested: bool,
    /// The tunnels, in build order.
    bands: Vec<Band>,
    /// Where the person's program connects, such as `:5901`.
    listen: String,
    /// What the last server dials.
    tail: String,
    /// Whether the target is a station of its own, or within the last server.
    dialled: bool,
    /// Whether clients come from the last server, instead of going there.
    incoming: bool,
}

/// A tunnel in the picture.
struct Band {
    /// The stations of its client and of its server. A nested tunnel's client is local, but it is drawn
    /// from where the tunnel ends that it rides.
    from: usize,
    to: usize,
    /// What is written on it, such as `T2 in T1`.
    label: String,
}

/// A host in the picture.
struct Station {
    name: String,
    /// The line that leads here from the station before.
    arrow: String,
    /// The first column of the name.
    left: usize,
    /// The column where tunnels end and begin.
    anchor: usize,
    /// The first column after everything that belongs to it.
    right: usize,
}

impl Picture {
    /// Lays the way of this forward out.
    pub(super) fn new(plan: &Plan, planned: &PlannedForward, style: Style) -> Self {
        let ink = Ink::of(style.glyphs);
        let tunnels = planned.tunnels.iter().filter_map(|id| plan.tunnel(id));
        let bands = tunnels.map(|tunnel| {
            let from = planned.route.iter().position(|host| host.as_str() == tunnel.client.name());
            let label = match &tunnel.through {
                Some(through) => format!("{} in {through}", tunnel.id),
                None => tunnel.id.to_string(),
            };
            Band { from: from.unwrap_or_default(), to: tunnel.hop, label }
        });
        let port = match planned.forward.listen.port {
            0 => ":auto".to_owned(),
            port => format!(":{port}"),
        };
        let dialled = !planned.within;
        let mut picture = Picture {
            ink,
            width: style.width,
            stations: Vec::new(),
            nested: plan.strategy == Strategy::Nested,
            bands: bands.collect(),
            listen: match &planned.listener {
                None => port,
                Some(listener) => format!("{}{port}", escape(listener.host.as_str())),
            },
            tail: match &planned.target {
                Endpoint::Tcp(address) if dialled => format!(":{}", address.port),
                target => escape(&target.to_string()),
            },
            dialled,
            incoming: false,
        };
        picture.stations_of(planned);
        picture
    }

    /// Lays the way to a listener on another host out.
    pub(super) fn of_listener(
        plan: &Plan,
        planned: &PlannedForward,
        near: &FarListener,
        style: Style,
    ) -> Self {
        let to_there = PlannedForward {
            listener: None,
            via: Some(near.via.clone()),
            route: near.route.clone(),
            walls: near.walls.clone(),
            tunnels: near.tunnels.clone(),
            within: true,
            ..planned.clone()
        };
        let mut picture = Picture::new(plan, &to_there, style);
        picture.stations.clear();
        picture.listen.clear();
        picture.tail = planned.forward.listen.to_string();
        picture.incoming = true;
        picture.stations_of(&to_there);
        picture
    }

    /// Adds every host of the route.
    fn stations_of(&mut self, planned: &PlannedForward) {
        for (hop, host) in planned.route.iter().enumerate() {
            let crossed =
                hop.checked_sub(1).and_then(|hop| planned.walls.get(hop)).map_or(&[][..], Vec::as_slice);
            self.add(escape(host.as_str()), crossed);
        }
    }

    /// Adds the next host of the route, far enough away for the tunnel's name to fit under the line.
    fn add(&mut self, name: String, walls: &[FirewallId]) {
        let hop = self.stations.len();
        let half = name.width() / 2;
        let mut arrow = self.ink.line.repeat(2);
        for wall in walls {
            arrow.push_str(&format!("{0}{1}{0}{2}", self.ink.wall, escape(&wall.0), self.ink.line));
        }
        arrow.push_str(&self.ink.line.repeat(if walls.is_empty() { 3 } else { 1 }));
        let left = match self.stations.last() {
            None => 0,
            Some(before) => {
                let on = self.bands.iter().filter(|band| band.to == hop);
                let label = on.map(|band| band.label.width()).max().unwrap_or(0);
                let natural = before.right + 1 + arrow.width() + 1 + 1;
                let needed = (before.anchor + 1 + label + 4).saturating_sub(half);
                arrow.push_str(&self.ink.line.repeat(needed.saturating_sub(natural)));
                natural.max(needed)
            }
        };
        let servers = self.servers();
        let last = hop == servers + usize::from(self.dialled);
        let mut station = Station { anchor: left + half, right: left + name.width(), left, arrow, name };
        if hop == 0 {
            // Under local stands the listener; tunnels and dials start right of it.
            station.anchor = self.listen.width();
            station.right = station.right.max(self.listen.width());
        }
        if last && self.dialled {
            station.right = station.right.max(left + self.tail.width());
        } else if last {
            station.right = station.right.max(station.anchor + 5 + self.tail.width());
        }
        self.stations.push(station);
    }

    /// The station of the last server.
    fn servers(&self) -> usize {
        self.bands.last().map_or(0, |band| band.to)
    }

    /// The picture, folded where it gets too wide; one of bands that overlap only between hosts and
    /// bands.
    pub(super) fn draw(&self) -> String {
        let mut out = String::new();
        if !self.nested {
            self.draw_bands(&mut out);
            return out;
        }
        let (mut from, last) = (0, self.stations.len() - 1);
        loop {
            let margin = if from == 0 { MARGIN.0 } else { MARGIN.1 };
            let fits =
                |&to: &usize| margin + self.stations[to].right - self.stations[from].left <= self.width;
            let to = (from + 1..=last).take_while(fits).last().unwrap_or((from + 1).min(last));
            self.draw_line(&mut out, from, to, margin);
            if to == last {
                return out;
            }
            from = to;
        }
    }

    /// One line of the picture: the hosts, then a row for each tunnel between them.
    fn draw_line(&self, out: &mut String, from: usize, to: usize, margin: usize) {
        let shift = |column: usize| column + margin - self.stations[from].left;
        let ink = self.ink;
        let mut row = Row::default();
        for (place, station) in self.stations[from..=to].iter().enumerate() {
            if place > 0 {
                row.put(&format!(" {}{} ", station.arrow, ink.head));
            }
            row.seek(shift(station.left), " ");
            row.put(&station.name);
            if place + from < to {
                // A label under the name may be wider than the name.
                row.seek(shift(station.right), " ");
            }
        }
        row.end(out);

        let (servers, last) = (self.servers(), self.stations.len() - 1);
        let mut row = Row::default();
        for hop in from + 1..=to.min(servers) {
            self.begin(&mut row, hop - 1, shift(self.stations[hop - 1].anchor));
            let end = shift(self.stations[hop].anchor);
            let label = &self.bands[hop - 1].label;
            let room = end - row.at - label.width();
            row.put(&format!("{}{label}", ink.tunnel.repeat(room / 2)));
            row.seek(end, ink.tunnel);
            row.put(ink.end);
            if hop == servers && to == last {
                break;
            }
            for later in hop + 1..=to.min(servers) {
                row.seek(shift(self.stations[later].anchor), " ");
                row.put(ink.down);
            }
            row.end(out);
        }
        if to == last {
            if row.at == 0 {
                self.begin(&mut row, servers, shift(self.stations[servers].anchor));
            }
            self.finish(&mut row, shift(self.stations[last].left));
            row.end(out);
        }
    }

    /// From the last server to what it dials, or from its listener.
    fn finish(&self, row: &mut Row, target: usize) {
        if self.incoming {
            row.put(&format!("{}{} {}", self.ink.back, self.ink.plain.repeat(2), self.tail));
            return;
        }
        row.put(&self.ink.plain.repeat(2));
        if self.dialled {
            row.put("tcp");
            row.seek(target.saturating_sub(2), self.ink.plain);
        }
        row.put(&format!("{} {}", self.ink.head, self.tail));
    }

    /// The start of a row: the listener under local, or the corner under the server before.
    fn begin(&self, row: &mut Row, station: usize, anchor: usize) {
        if station == 0 {
            row.seek(anchor - self.listen.width(), " ");
            row.put(&self.listen);
            row.put(if self.incoming { "" } else { " " });
        } else {
            row.seek(anchor, " ");
            row.put(self.ink.begin);
        }
    }
}
