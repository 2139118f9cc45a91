//! The whole topology as boxes and arrows, and what a plan uses of it: what every diagram language is
//! given to write down.

mod columns;
mod uses;

use std::collections::{HashMap, HashSet};

use super::count;
use crate::plan::{Plan, PlannedForward, Tunnel};
use crate::topology::{Forward, HostId, Link, Target, Topology, escape};
use uses::{Inner, Use, uses};

/// Boxes and arrows. A box is named by its place. Every text is escaped for people, but not for any language.
pub struct Diagram {
    /// The topology's name.
    pub(super) name: String,
    /// What there is, counted.
    pub(super) counts: String,
    /// Tunnels and forwards: the id of each, and what it is.
    pub(super) rows: Vec<(String, String)>,
    /// Local first, then the hosts by id, then what forwards dial within a host.
    pub(super) boxes: Vec<Shape>,
    /// The links in the order of the file, then the forwards that end within a host.
    pub(super) arrows: Vec<Arrow>,
}

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The machine hopper runs on.
    Local,
    /// A host one can log in to.
    Server,
    /// A host that can only be dialled.
    Target,
    /// Something within a host.
    Inside,
}

/// A box.
pub(super) struct Shape {
    /// What it stands for.
    pub(super) kind: Kind,
    /// Its lines, the id first.
    pub(super) lines: Vec<String>,
    /// The forwards that shall end here, as far as no arrow says so.
    pub(super) ends: Vec<String>,
    /// Whether a planned route touches it; without a plan, whether a forward ends there.
    pub(super) used: bool,
}

impl Shape {
    /// All that stands in it, a line each.
    pub(super) fn all(&self) -> Vec<String> {
        [self.lines.as_slice(), &self.ends].concat()
    }
}

/// An arrow between two boxes.
pub(super) struct Arrow {
    /// Where it starts.
    pub(super) from: usize,
    /// Where it ends.
    pub(super) to: usize,
    /// The firewalls it crosses, in order.
    pub(super) walls: Vec<String>,
    /// The only ports it lets through, if not all.
    pub(super) ports: Option<String>,
    /// The tunnels and forwards that begin or end with it.
    pub(super) riders: Vec<String>,
    /// How deep the sessions are that pass over it: the outermost, and the innermost. A session that
    /// rides none has depth 1.
    pub(super) tubes: Option<(usize, usize)>,
    /// Whether a planned route goes over it.
    pub(super) used: bool,
}

impl Arrow {
    /// All that is to be said of it, a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let riders = (!self.riders.is_empty()).then(|| self.riders.join(", "));
        self.walls.iter().cloned().chain(self.ports.clone()).chain(riders).collect()
    }
}

impl Diagram {
    /// Everything in the topology; marked is what the plan uses.
    pub fn of_plan(plan: &Plan, topology: &Topology) -> Self {
        let plan = &plan.preferred();
        let (mut uses, within) = uses(plan);
        let rows = plan.tunnels.iter().map(tunnel).chain(plan.forwards.iter().map(planned));
        let (tunnels, forwards) =
            (count(plan.tunnels.len(), "tunnel"), count(plan.forwards.len(), "forward"));
        let mut diagram = Diagram {
            name: escape(&plan.topology),
            counts: format!("{tunnels}, {forwards}"),
            rows: rows.collect(),
            ..Diagram::empty(topology, |place| uses.remove(&place).unwrap_or_default())
        };
        let near = plan.forwards.iter().filter_map(|planned| planned.listener.as_ref());
        let near = near.flat_map(|listener| &listener.route);
        let far = plan.forwards.iter().flat_map(|planned| &planned.route);
        let on_route: HashSet<&HostId> = far.chain(near).collect();
        diagram.boxes[0].used = on_route.contains(&HostId::local());
        for (shape, host) in diagram.boxes[1..].iter_mut().zip(&topology.hosts) {
            shape.used = on_route.contains(&host.id);
        }
        diagram.within(topology, within, true);
        diagram
    }

    /// Everything in the topology, whether or not there is a plan; marked is where its forwards shall end.
    pub fn of_topology(topology: &Topology) -> Self {
        let mut diagram = Diagram::empty(topology, |_| Use::default());
        let mut within = Vec::new();
        for forward in &topology.forwards {
            let id = escape(&forward.id.0);
            match &forward.to {
                Target::Dialled { host, port } => {
                    let shape = topology.hosts.iter().position(|one| one.id == *host);
                    if let Some(shape) = shape.and_then(|place| diagram.boxes.get_mut(place + 1)) {
                        shape.ends.push(format!("{id} :{port}"));
                        shape.used = true;
                    }
                }
                Target::Within { host, endpoint } => {
                    let endpoint = escape(&endpoint.to_string());
                    within.push(Inner { host: host.clone(), endpoint, forward: id });
                }
            }
        }
        diagram.within(topology, within, false);
        let counted = [
            count(topology.hosts.len(), "host"),
            count(topology.firewalls.len(), "firewall"),
            count(topology.links.len(), "link"),
            count(topology.forwards.len(), "forward"),
        ];
        let rows = topology.forwards.iter().map(|one| (escape(&one.id.0), forward(one))).collect();
        Diagram { counts: counted.join(", "), rows, ..diagram }
    }

    /// Hosts and links, with what uses each link by its place in the file.
    fn empty(topology: &Topology, mut uses: impl FnMut(usize) -> Use) -> Self {
        let local =
            Shape { kind: Kind::Local, lines: vec![HostId::LOCAL.to_owned()], ends: Vec::new(), used: false };
        let mut boxes = vec![local];
        let mut places = HashMap::from([(HostId::LOCAL, 0)]);
        for host in &topology.hosts {
            places.insert(host.id.as_str(), boxes.len());
            let mut lines = vec![escape(host.id.as_str())];
            lines.extend(host.label.as_deref().map(escape));
            if host.address.host != host.id.as_str() {
                lines.push(escape(&host.address.host));
            }
            let kind = if host.ssh { Kind::Server } else { Kind::Target };
            boxes.push(Shape { kind, lines, ends: Vec::new(), used: false });
        }
        let mut arrows = Vec::with_capacity(topology.links.len());
        for (place, link) in topology.links.iter().enumerate() {
            let ends = (places.get(link.from.as_str()), places.get(link.to.as_str()));
            let (Some(&from), Some(&to)) = ends else { continue };
            let Use { riders, tubes } = uses(place);
            let (walls, ports) = (walls(topology, link), ports(link));
            arrows.push(Arrow { from, to, walls, ports, used: !riders.is_empty(), riders, tubes });
        }
        Diagram { name: escape(&topology.name), counts: String::new(), rows: Vec::new(), boxes, arrows }
    }

    /// Adds what forwards dial within a host.
    fn within(&mut self, topology: &Topology, within: Vec<Inner>, used: bool) {
        let hosts = topology.hosts.iter().enumerate().map(|(place, host)| (host.id.as_str(), place + 1));
        let places: HashMap<&str, usize> = hosts.chain([(HostId::LOCAL, 0)]).collect();
        for Inner { host, endpoint, forward } in within {
            let Some(&from) = places.get(host.as_str()) else { continue };
            let to = self.boxes.len();
            self.boxes.push(Shape {
                kind: Kind::Inside,
                lines: vec![endpoint],
                ends: Vec::new(),
                used: true,
            });
            let (walls, riders) = (Vec::new(), vec![forward]);
            self.arrows.push(Arrow { from, to, walls, ports: None, riders, tubes: None, used });
        }
    }
}

/// `T2`: `ssh alice@gate-c.example.net:22 in T1, to gate-c`
fn tunnel(tunnel: &Tunnel) -> (String, String) {
    let user = tunnel.server.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let rides = match &tunnel.through {
        Some(below) if tunnel.client.is_local() => format!("in {below}"),
        Some(below) => format!("in {below} from {}", tunnel.client.name()),
        None => format!("from {}", tunnel.client.name()),
    };
    let text = format!("ssh {user}{} {rides}, to {}", tunnel.target, tunnel.server.id);
    (tunnel.id.to_string(), escape(&text))
}

/// `vnc`: `127.0.0.1:5901 → screen:5900 over T3`
fn planned(planned: &PlannedForward) -> (String, String) {
    let over = planned.via.as_ref().map(|via| format!(" over {via}")).unwrap_or_default();
    (escape(&planned.forward.id.0), format!("{}{over}", forward(&planned.forward)))
}

/// `127.0.0.1:5901 → screen:5900`
fn forward(forward: &Forward) -> String {
    escape(&format!("{} → {}", forward.near(), forward.to))
}

/// The firewalls that a link crosses.
fn walls(topology: &Topology, link: &Link) -> Vec<String> {
    let walls = link.through.iter().map(|id| {
        let label = topology.firewall(id).and_then(|wall| wall.label.as_deref());
        escape(&label.map_or_else(|| id.0.clone(), |label| format!("{id}: {label}")))
    });
    walls.collect()
}

/// The only ports that a link lets through by itself.
fn ports(link: &Link) -> Option<String> {
    let ports = link.ports.as_ref()?;
    Some(if ports.ranges().is_empty() { "no port".to_owned() } else { format!("only {ports}") })
}
