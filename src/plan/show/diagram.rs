//! The whole topology as boxes and arrows, with what the plan uses marked: what every diagram language
//! is given to write down.

use std::collections::{HashMap, HashSet};

use crate::plan::graph::Graph;
use crate::plan::reach::{End, Reach};
use crate::plan::{Plan, TunnelId};
use crate::topology::{HostId, Link, Topology, escape};

/// Boxes and arrows. A box is named by its place.
pub(super) struct Diagram {
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
    /// A host that can only be dialled, or something within a host.
    Target,
}

/// A box.
pub(super) struct Shape {
    /// What it stands for.
    pub(super) kind: Kind,
    /// Its lines, escaped for people but not for any language.
    pub(super) lines: Vec<String>,
    /// Whether a planned route touches it.
    pub(super) used: bool,
}

/// An arrow between two boxes.
pub(super) struct Arrow {
    /// Where it starts.
    pub(super) from: usize,
    /// Where it ends.
    pub(super) to: usize,
    /// The firewalls it crosses, in order. Escaped like the lines of a box, as is all below.
    pub(super) walls: Vec<String>,
    /// The only ports it lets through, if not all.
    pub(super) ports: Option<String>,
    /// The tunnels and forwards for whom it is the last link.
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
    pub(super) fn new(plan: &Plan, topology: &Topology) -> Self {
        let (mut uses, within) = uses(plan, topology);
        let on_route: HashSet<&HostId> = plan.forwards.iter().flat_map(|planned| &planned.route).collect();
        let mut boxes = vec![Shape {
            kind: Kind::Local,
            lines: vec![HostId::LOCAL.to_owned()],
            used: on_route.contains(&HostId::local()),
        }];
        let mut places = HashMap::from([(HostId::LOCAL, 0)]);
        for host in &topology.hosts {
            places.insert(host.id.as_str(), boxes.len());
            let mut lines = vec![escape(host.id.as_str())];
            lines.extend(host.label.as_deref().map(escape));
            if host.address.host != host.id.as_str() {
                lines.push(escape(&host.address.host));
            }
            let kind = if host.ssh { Kind::Server } else { Kind::Target };
            boxes.push(Shape { kind, lines, used: on_route.contains(&host.id) });
        }
        let mut arrows = Vec::with_capacity(topology.links.len() + within.len());
        for (place, link) in topology.links.iter().enumerate() {
            let ends = (places.get(link.from.as_str()), places.get(link.to.as_str()));
            let (Some(&from), Some(&to)) = ends else { continue };
            let Use { riders, tubes } = uses.remove(&place).unwrap_or_default();
            let (walls, ports) = (walls(topology, link), ports(link));
            arrows.push(Arrow { from, to, walls, ports, used: !riders.is_empty(), riders, tubes });
        }
        for (host, endpoint, forward) in within {
            let Some(&from) = places.get(host.as_str()) else { continue };
            let to = boxes.len();
            boxes.push(Shape { kind: Kind::Target, lines: vec![endpoint], used: true });
            let (walls, riders) = (Vec::new(), vec![forward]);
            arrows.push(Arrow { from, to, walls, ports: None, riders, tubes: None, used: true });
        }
        Diagram { boxes, arrows }
    }
}

/// Who uses a link.
#[derive(Default)]
struct Use {
    riders: Vec<String>,
    tubes: Option<(usize, usize)>,
}

/// Who uses which link, by the link's place in the file, and the forwards that end within a host: that
/// host, what is dialled, by which.
fn uses(plan: &Plan, topology: &Topology) -> (HashMap<usize, Use>, Vec<(HostId, String, String)>) {
    let graph = Graph::new(topology);
    let reach = Reach::new(&graph);
    let mut uses: HashMap<usize, Use> = HashMap::new();
    for (tunnel, tubes) in plan.tunnels.iter().zip(tubes(plan)) {
        let reached = graph.node(&tunnel.server.id).and_then(|node| reach.host(node)?.by);
        if let Some((_, edge)) = reached {
            let of = uses.entry(graph.net[edge].place).or_default();
            of.riders.push(tunnel.id.to_string());
            of.tubes =
                of.tubes.map_or(Some(tubes), |(out, inner)| Some((out.min(tubes.0), inner.max(tubes.1))));
        }
    }
    let mut within = Vec::new();
    for planned in &plan.forwards {
        let forward = &planned.forward;
        let id = escape(&forward.id.0);
        match reach.way(&graph, &forward.to).map(|way| way.end) {
            Some(End::Link(edge, port)) => {
                uses.entry(graph.net[edge].place).or_default().riders.push(format!("{id} :{port}"));
            }
            Some(End::Within(endpoint)) => {
                within.push((forward.to.host().clone(), escape(&endpoint.to_string()), id));
            }
            None => {}
        }
    }
    (uses, within)
}

/// For each tunnel, its depth and that of the deepest one that rides it, itself included.
fn tubes(plan: &Plan) -> Vec<(usize, usize)> {
    let places: HashMap<&TunnelId, usize> =
        plan.tunnels.iter().enumerate().map(|(place, tunnel)| (&tunnel.id, place)).collect();
    let below: Vec<Option<usize>> = plan
        .tunnels
        .iter()
        .map(|tunnel| tunnel.through.as_ref().and_then(|id| places.get(id).copied()))
        .collect();
    // A tunnel comes after the one it rides: one pass inwards, one back.
    let mut tubes: Vec<(usize, usize)> = Vec::with_capacity(below.len());
    for below in &below {
        let depth = below.and_then(|below| tubes.get(below)).map_or(1, |tube| tube.0 + 1);
        tubes.push((depth, depth));
    }
    for (place, below) in below.iter().enumerate().rev() {
        let deepest = tubes[place].1;
        if let Some(tube) = below.and_then(|below| tubes.get_mut(below)) {
            tube.1 = tube.1.max(deepest);
        }
    }
    tubes
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
