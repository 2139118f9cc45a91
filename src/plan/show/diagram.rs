//! The whole topology as boxes and arrows, with what the plan uses marked: what every diagram language
//! is given to write down.

use std::collections::{HashMap, HashSet};

use crate::plan::{Carrier, Plan};
use crate::topology::{Endpoint, HostId, Link, Topology, escape};

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
    /// Its lines: firewalls, ports, and the tunnels and forwards that use it. Escaped like those of a box.
    pub(super) lines: Vec<String>,
    /// Whether a planned route goes over it.
    pub(super) used: bool,
}

impl Diagram {
    /// Everything in the topology; marked is what the plan uses.
    pub(super) fn new(plan: &Plan, topology: &Topology) -> Self {
        let (uses, within) = uses(plan);
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
            let riders = uses.get(&place);
            let lines = rules(topology, link).into_iter().chain(riders.map(|riders| riders.join(", ")));
            arrows.push(Arrow { from, to, lines: lines.collect(), used: riders.is_some() });
        }
        for (host, endpoint, forward) in within {
            let Some(&from) = places.get(host.as_str()) else { continue };
            let to = boxes.len();
            boxes.push(Shape { kind: Kind::Target, lines: vec![endpoint], used: true });
            arrows.push(Arrow { from, to, lines: vec![forward], used: true });
        }
        Diagram { boxes, arrows }
    }
}

/// Who rides a link, by the link's place in the file.
type Uses = HashMap<usize, Vec<String>>;

/// Who rides which link, and the forwards that end within a host: that host, what is dialled, by which.
fn uses(plan: &Plan) -> (Uses, Vec<(HostId, String, String)>) {
    let mut uses = Uses::new();
    let mut mark = |link: usize, rider: String| uses.entry(link).or_default().push(rider);
    for tunnel in &plan.tunnels {
        if let Some(Carrier::Entry(entry)) = &tunnel.carrier {
            mark(entry.link, tunnel.id.to_string());
        }
        mark(tunnel.link, tunnel.id.to_string());
    }
    let mut within = Vec::new();
    for planned in &plan.forwards {
        let id = escape(&planned.forward.id.0);
        if let Some(entry) = &planned.entry {
            mark(entry.link, format!("{id} :{}", entry.port()));
        }
        match (&planned.target, planned.links.last()) {
            (Endpoint::Tcp(address), Some(&link)) if !planned.within => {
                mark(link, format!("{id} :{}", address.port))
            }
            (target, _) => within.push((planned.forward.to.host().clone(), escape(&target.to_string()), id)),
        }
    }
    (uses, within)
}

/// What a link lets through, a line each.
fn rules(topology: &Topology, link: &Link) -> Vec<String> {
    let walls = link.through.iter().map(|id| {
        let label = topology.firewall(id).and_then(|wall| wall.label.as_deref());
        escape(&label.map_or_else(|| id.0.clone(), |label| format!("{id}: {label}")))
    });
    let ports = link.ports.as_ref().map(|ports| match ports.ranges() {
        [] => "no port".to_owned(),
        _ => format!("only {ports}"),
    });
    walls.chain(ports).collect()
}
