//! From courses to tunnels: what several forwards need is there once, in the order in which it can be
//! built.

use std::collections::{HashMap, HashSet};

use petgraph::graph::{EdgeIndex, NodeIndex};

use super::course::{Course, End};
use super::graph::{Edge, Graph};
use super::reach::Reach;
use super::{Carrier, Client, Entry, FarListener, NoPort, PlanOptions, PlannedForward, Tunnel, TunnelId};
use crate::topology::{Address, CarrierKind, Endpoint, Forward, HostClient, HostId, Listen};

/// Every session that the courses need.
pub(super) struct Draft<'g, 't> {
    graph: &'g Graph<'t>,
    reach: &'g Reach,
    sketches: Vec<Sketch>,
    known: HashMap<Key, usize>,
    /// Whether what is added from now on is for standby ways.
    standby: bool,
}

/// A forward with its way, and those it takes when that one stays down.
pub(super) struct Planned<'t> {
    pub(super) forward: &'t Forward,
    pub(super) way: (Course, Ride),
    pub(super) standby: Vec<(Course, Ride)>,
}

/// What makes two sessions the same one.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    client: NodeIndex,
    below: Option<usize>,
    /// The link from the client to the listener it dials, when that is on another host.
    step: Option<EdgeIndex>,
    /// The link that the session goes over last.
    link: EdgeIndex,
}

/// A session without a name.
struct Sketch {
    key: Key,
    /// The session over which the client is started.
    control: Option<usize>,
    hop: usize,
    layer: usize,
    standby: bool,
}

/// The sessions that one forward rides, by place.
pub(super) struct Ride {
    rides: Vec<usize>,
    /// The link over which local only connects to a listener of the last one's client, if it does.
    plain: Option<EdgeIndex>,
    /// The host that listens for it in place of local.
    near: Option<Near>,
}

/// A host that listens for a forward: the links to there, and the sessions over them.
struct Near {
    links: Vec<EdgeIndex>,
    rides: Vec<usize>,
}

/// The tunnels of a plan, and for every forward what it rides.
pub(super) struct Drawn {
    pub(super) tunnels: Vec<Tunnel>,
    pub(super) layers: Vec<Vec<TunnelId>>,
    pub(super) forwards: Vec<PlannedForward>,
}

impl<'g, 't> Draft<'g, 't> {
    pub(super) fn new(graph: &'g Graph<'t>, reach: &'g Reach) -> Self {
        Draft { graph, reach, sketches: Vec::new(), known: HashMap::new(), standby: false }
    }

    /// Whatever is added from now on is not opened before a standby way needs it.
    pub(super) fn stand_by(&mut self) {
        self.standby = true;
    }

    /// Adds what a course needs and is not there yet; and what a listener at the end of these links does.
    pub(super) fn add(&mut self, course: &Course, near: Option<Vec<EdgeIndex>>) -> Ride {
        let near = near.map(|links| Near { rides: self.chain(&links), links });
        let mut rides: Vec<usize> = Vec::new();
        let stations: Vec<NodeIndex> = course.nodes(self.graph);
        for (session, &link) in course.sessions.iter().enumerate() {
            let place = course.client(session);
            let steps_on = session > 0 && place < course.client(session - 1);
            let key = Key {
                client: stations[place],
                below: rides.last().copied(),
                step: steps_on.then(|| course.steps[place]),
                link,
            };
            let control = self.control(key.client);
            rides.push(self.sketch(key, control, course.steps.len() + session + 1));
        }
        Ride { rides, plain: course.plain.then(|| course.steps[0]), near }
    }

    /// The sessions over these links, each with its client at local.
    fn chain(&mut self, links: &[EdgeIndex]) -> Vec<usize> {
        let mut rides: Vec<usize> = Vec::new();
        for (hop, &link) in links.iter().enumerate() {
            let key = Key { client: Graph::local(), below: rides.last().copied(), step: None, link };
            rides.push(self.sketch(key, None, hop + 1));
        }
        rides
    }

    /// The session over which a client on this host is started.
    fn control(&mut self, client: NodeIndex) -> Option<usize> {
        let host = self.graph.net[client]?;
        if host.client != Some(HostClient::Exec) {
            return None;
        }
        let links = self.reach.links(client);
        self.chain(&links).pop()
    }

    fn sketch(&mut self, key: Key, control: Option<usize>, hop: usize) -> usize {
        if let Some(&known) = self.known.get(&key) {
            return known;
        }
        let under = key.below.into_iter().chain(control).map(|under| self.sketches[under].layer);
        let layer = under.max().map_or(0, |layer| layer + 1);
        let place = self.sketches.len();
        self.known.insert(key.clone(), place);
        let standby = self.standby;
        self.sketches.push(Sketch { key, control, hop, layer, standby });
        place
    }

    /// Names every tunnel and gives every listener its port.
    ///
    /// # Errors
    /// Every link over which no port is left for a listener.
    pub(super) fn draw(
        self,
        forwards: Vec<Planned<'_>>,
        options: &PlanOptions,
    ) -> Result<Drawn, Vec<NoPort>> {
        let mut order: Vec<usize> = (0..self.sketches.len()).collect();
        order.sort_by_key(|&place| {
            let sketch = &self.sketches[place];
            (sketch.standby, sketch.layer, self.graph.head(sketch.key.link), place)
        });
        let mut names = vec![TunnelId(String::new()); order.len()];
        for (number, &place) in order.iter().enumerate() {
            names[place] = TunnelId(format!("T{}", number + 1));
        }
        let mut doors = Doors { graph: self.graph, taken: HashMap::new(), missing: Vec::new() };
        for Planned { forward, way: (_, ride), .. } in &forwards {
            if let Some(&last) = ride.near.as_ref().and_then(|near| near.links.last()) {
                doors.taken.entry(self.graph.head(last)).or_default().insert(forward.listen.port);
            }
        }
        // What other machines' hoppers keep there is taken as well.
        for edge in self.graph.net.edge_indices() {
            let link = self.graph.net[edge].link;
            if let (Some(_), Some(port)) = (&link.kept, link.dial.as_ref().and_then(|dial| dial.port)) {
                doors.taken.entry(self.graph.tail(edge)).or_default().insert(port);
            }
        }
        let mut layers: Vec<Vec<TunnelId>> = Vec::new();
        let mut tunnels = Vec::with_capacity(order.len());
        for place in order {
            let sketch = &self.sketches[place];
            if layers.len() == sketch.layer {
                layers.push(Vec::new());
            }
            layers[sketch.layer].push(names[place].clone());
            tunnels.push(self.tunnel(sketch, &names, place, options, &mut doors));
        }
        let forwards = forwards.into_iter().map(|Planned { forward, way: (course, ride), standby }| {
            let planned = self.forward(forward, &course, &ride, &names, &mut doors);
            let standby =
                standby.iter().map(|(course, ride)| self.forward(forward, course, ride, &names, &mut doors));
            PlannedForward { standby: standby.collect(), ..planned }
        });
        let forwards = forwards.collect();
        if doors.missing.is_empty() { Ok(Drawn { tunnels, layers, forwards }) } else { Err(doors.missing) }
    }

    fn tunnel(
        &self,
        sketch: &Sketch,
        names: &[TunnelId],
        place: usize,
        options: &PlanOptions,
        doors: &mut Doors<'_, 't>,
    ) -> Tunnel {
        let edge = &self.graph.net[sketch.key.link];
        let client = match (self.graph.net[sketch.key.client], sketch.control) {
            (None, _) => Client::Local,
            (Some(host), Some(control)) => {
                Client::Exec { host: host.id.clone(), control: names[control].clone() }
            }
            (Some(host), None) => Client::Hopper { host: host.id.clone() },
        };
        let kind = options.carrier.or(edge.link.carrier).unwrap_or(CarrierKind::Channel);
        Tunnel {
            id: names[place].clone(),
            client,
            server: edge.server.clone(),
            through: sketch.key.below.map(|below| names[below].clone()),
            carrier: sketch.key.below.map(|_| match (sketch.key.step, kind) {
                (Some(step), _) => Carrier::Entry(doors.entry(step)),
                (None, CarrierKind::Channel) => Carrier::Channel,
                // What the file names is the listener of the tunnel that is there from the start.
                (None, CarrierKind::Port) if sketch.standby => Carrier::Port(Listen::AUTO),
                (None, CarrierKind::Port) => Carrier::Port(edge.link.listen.unwrap_or(Listen::AUTO)),
            }),
            target: edge.address(edge.ssh_port),
            hop: sketch.hop,
            link: edge.place,
            firewalls: edge.link.through.clone(),
            kept: edge.link.kept.clone(),
            standby: sketch.standby,
        }
    }

    /// What a forward needs so that the host at the end of these links listens for it.
    fn listener(&self, Near { links, rides }: &Near, names: &[TunnelId]) -> Option<FarListener> {
        let nodes = std::iter::once(Graph::local()).chain(links.iter().map(|&link| self.graph.head(link)));
        let hops = || links.iter().map(|&link| &self.graph.net[link]);
        Some(FarListener {
            host: self.graph.id(self.graph.head(*links.last()?)),
            via: names[*rides.last()?].clone(),
            route: nodes.map(|node| self.graph.id(node)).collect(),
            links: hops().map(|edge| edge.place).collect(),
            walls: hops().map(|edge| edge.link.through.clone()).collect(),
            tunnels: rides.iter().map(|&place| names[place].clone()).collect(),
        })
    }

    fn forward(
        &self,
        forward: &Forward,
        course: &Course,
        ride: &Ride,
        names: &[TunnelId],
        doors: &mut Doors<'_, 't>,
    ) -> PlannedForward {
        let links = course.steps.iter().chain(&course.sessions).map(|&link| &self.graph.net[link]);
        let mut hops: Vec<&Edge<'_>> = links.collect();
        let target = match &course.end {
            End::Within(endpoint) => endpoint.clone(),
            End::Link(link, port) => {
                let edge = &self.graph.net[*link];
                hops.push(edge);
                Endpoint::Tcp(edge.address(*port))
            }
        };
        let route: Vec<HostId> =
            course.nodes(self.graph).into_iter().map(|node| self.graph.id(node)).collect();
        PlannedForward {
            forward: forward.clone(),
            listener: ride.near.as_ref().and_then(|near| self.listener(near, names)),
            entry: ride.plain.map(|step| doors.entry(step)),
            via: ride.rides.last().map(|&last| names[last].clone()),
            target,
            route,
            within: matches!(course.end, End::Within(_)),
            links: hops.iter().map(|edge| edge.place).collect(),
            walls: hops.iter().map(|edge| edge.link.through.clone()).collect(),
            tunnels: ride.rides.iter().map(|&place| names[place].clone()).collect(),
            alternatives: None,
            standby: Vec::new(),
        }
    }
}

/// The listeners on hosts in between.
struct Doors<'g, 't> {
    graph: &'g Graph<'t>,
    taken: HashMap<NodeIndex, HashSet<u16>>,
    missing: Vec<NoPort>,
}

impl Doors<'_, '_> {
    /// A listener of its own on the host that this link leads to.
    fn entry(&mut self, step: EdgeIndex) -> Entry {
        let edge = &self.graph.net[step];
        let taken = self.taken.entry(self.graph.head(step)).or_default();
        let port = edge.entry_port(taken).unwrap_or_else(|| {
            let from = self.graph.id(self.graph.tail(step));
            self.missing.push(NoPort { from, to: edge.server.id.clone() });
            0
        });
        taken.insert(port);
        let dial: Address = edge.address(port);
        Entry { host: edge.server.id.clone(), dial, link: edge.place, firewalls: edge.link.through.clone() }
    }
}
