//! What each host must allow for a plan to work, and nothing beyond: who logs in, what its SSH server is
//! asked to open, which of its ports are dialled. Never how a host is told so.

use std::collections::HashMap;

use super::{Carrier, Plan, Tunnel, TunnelId};
use crate::topology::{Address, Endpoint, ForwardId, HostId, Listen, Target};

/// What every host of a plan must allow: those logged in to, in build order, then the other targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    /// The topology's name.
    pub topology: String,
    /// One for each host that something is asked of.
    pub hosts: Vec<Grant>,
}

/// What one host must allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The host.
    pub host: HostId,
    /// The account logged in to; `None` means the name of the person who runs hopper.
    pub user: Option<String>,
    /// Who logs in to that account, by tunnel. Empty where nobody does.
    pub keys: Vec<KeyGrant>,
    /// The TCP ports that are dialled from outside.
    pub ports: Vec<PortGrant>,
}

/// What the key of one client may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGrant {
    /// The tunnel that logs in with it.
    pub tunnel: TunnelId,
    /// Where that tunnel's SSH client runs.
    pub client: HostId,
    /// What the SSH server is asked to open, once each.
    pub opens: Vec<Open>,
    /// Where it is asked to listen.
    pub listens: Vec<Asked>,
    /// Whether it runs commands there: an SSH client for another tunnel.
    pub commands: bool,
}

/// Something that an SSH server is asked to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Spelled as it will be asked for: servers compare the letters, not what they mean.
    pub to: Endpoint,
    /// What it is opened for.
    pub riders: Vec<Rider>,
}

/// A place where an SSH server is asked to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Spelled as it will be asked for.
    pub listen: Listen,
    /// The forward that it listens for.
    pub forward: ForwardId,
}

/// A TCP port of a host that must let a neighbour in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortGrant {
    /// The port, as the host itself has it.
    pub port: u16,
    /// The host that dials.
    pub from: HostId,
    /// What is dialled there. Its port differs where something on the way translates it.
    pub dialled: Address,
    /// What it is dialled for.
    pub riders: Vec<Rider>,
}

/// What needs a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rider {
    /// The session of this tunnel.
    Tunnel(TunnelId),
    /// The connections of this forward.
    Forward(ForwardId),
}

/// What each host must allow for this plan.
///
/// A server opens what rides its tunnel, wherever the client of that tunnel or of its riders runs.
pub fn grants(plan: &Plan) -> Grants {
    let mut book = Book::default();
    let by_id: HashMap<&TunnelId, &Tunnel> = plan.tunnels.iter().map(|tunnel| (&tunnel.id, tunnel)).collect();
    for tunnel in &plan.tunnels {
        let starts = |other: &Tunnel| other.client.control() == Some(&tunnel.id);
        book.login(tunnel, plan.tunnels.iter().any(starts));
        let rider = Rider::Tunnel(tunnel.id.clone());
        let below = tunnel.through.as_ref().and_then(|id| by_id.get(id).copied());
        if let Some(below) = below {
            book.open(below, &Endpoint::Tcp(tunnel.target.clone()), &rider);
        }
        let client = HostId::new(tunnel.client.name());
        let from = below.map_or(&client, |below| &below.server.id);
        let port = tunnel.server.address.port;
        // What another machine's hopper keeps listening, that machine dials within itself.
        if tunnel.kept.is_none() {
            book.let_in(&tunnel.server.id, port, from, &tunnel.target, &rider);
        }
        if let Some(Carrier::Entry(entry)) = &tunnel.carrier {
            book.let_in(&entry.host, entry.port(), &client, &entry.dial, &rider);
        }
    }
    for planned in &plan.forwards {
        let rider = Rider::Forward(planned.forward.id.clone());
        let via = planned.via.as_ref().and_then(|id| by_id.get(id).copied());
        if let Some(via) = via {
            book.open(via, &planned.target, &rider);
        }
        if let Some(near) = planned.listener.as_ref().and_then(|near| by_id.get(&near.via).copied()) {
            book.listen(near, planned.forward.listen, &planned.forward.id);
        }
        // What is dialled from within a host is not let in by it: it need not even be there.
        let local = HostId::local();
        if let (Target::Dialled { host, port }, Endpoint::Tcp(dialled), false) =
            (&planned.forward.to, &planned.target, planned.within)
        {
            let from = via.map_or(&local, |via| &via.server.id);
            book.let_in(host, *port, from, dialled, &rider);
        }
        if let Some(entry) = &planned.entry {
            book.let_in(&entry.host, entry.port(), &local, &entry.dial, &rider);
        }
    }
    Grants { topology: plan.topology.clone(), hosts: book.hosts }
}

/// The hosts so far, and where each stands.
#[derive(Default)]
struct Book {
    hosts: Vec<Grant>,
    places: HashMap<HostId, usize>,
}

impl Book {
    fn host(&mut self, host: &HostId) -> &mut Grant {
        let place = *self.places.entry(host.clone()).or_insert_with(|| {
            self.hosts.push(Grant { host: host.clone(), user: None, keys: Vec::new(), ports: Vec::new() });
            self.hosts.len() - 1
        });
        &mut self.hosts[place]
    }

    fn login(&mut self, tunnel: &Tunnel, commands: bool) {
        let grant = self.host(&tunnel.server.id);
        grant.user.clone_from(&tunnel.server.user);
        let (tunnel, client) = (tunnel.id.clone(), HostId::new(tunnel.client.name()));
        grant.keys.push(KeyGrant { tunnel, client, opens: Vec::new(), listens: Vec::new(), commands });
    }

    /// The server of a tunnel opens this for what rides the tunnel.
    fn open(&mut self, tunnel: &Tunnel, to: &Endpoint, rider: &Rider) {
        let keys = &mut self.host(&tunnel.server.id).keys;
        let Some(key) = keys.iter_mut().find(|key| key.tunnel == tunnel.id) else { return };
        match key.opens.iter_mut().find(|open| open.to == *to) {
            Some(open) => open.riders.push(rider.clone()),
            None => key.opens.push(Open { to: to.clone(), riders: vec![rider.clone()] }),
        }
    }

    /// The server of a tunnel listens for a forward.
    fn listen(&mut self, tunnel: &Tunnel, listen: Listen, forward: &ForwardId) {
        let keys = &mut self.host(&tunnel.server.id).keys;
        let key = keys.iter_mut().find(|key| key.tunnel == tunnel.id);
        key.into_iter().for_each(|key| key.listens.push(Asked { listen, forward: forward.clone() }));
    }

    fn let_in(&mut self, host: &HostId, port: u16, from: &HostId, dialled: &Address, rider: &Rider) {
        let ports = &mut self.host(host).ports;
        let same = |one: &&mut PortGrant| one.port == port && one.from == *from && one.dialled == *dialled;
        match ports.iter_mut().find(same) {
            Some(one) => one.riders.push(rider.clone()),
            None => ports.push(PortGrant {
                port,
                from: from.clone(),
                dialled: dialled.clone(),
                riders: vec![rider.clone()],
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::{empty, vnc};
    use crate::plan::{PlanOptions, plan};
    use crate::topology::{Strategy, Topology};

    fn granted(topology: &Topology) -> Grants {
        grants(&plan(topology, &PlanOptions::default()).unwrap())
    }

    fn names(riders: &[Rider]) -> String {
        let name = |rider: &Rider| match rider {
            Rider::Tunnel(id) => id.0.clone(),
            Rider::Forward(id) => id.0.clone(),
        };
        riders.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    /// `gate-b: T1 local [gate-c:22 for T2]; 22 from local for T1`
    fn told(grants: &Grants) -> Vec<String> {
        let key = |key: &KeyGrant| {
            let opens = key.opens.iter().map(|open| format!("{} for {}", open.to, names(&open.riders)));
            format!("{} {} [{}]", key.tunnel, key.client, opens.collect::<Vec<_>>().join(", "))
        };
        let port = |one: &PortGrant| format!("{} from {} for {}", one.port, one.from, names(&one.riders));
        let host = |grant: &Grant| {
            let keys = grant.keys.iter().map(key);
            let all: Vec<_> = keys.chain(grant.ports.iter().map(port)).collect();
            format!("{}: {}", grant.host, all.join("; "))
        };
        grants.hosts.iter().map(host).collect()
    }

    #[test]
    fn each_server_opens_what_rides_its_tunnel_and_lets_its_neighbour_in() {
        assert_eq!(
            told(&granted(&vnc())),
            [
                "gate-b: T1 local [gate-c:22 for T2]; 22 from local for T1",
                "gate-c: T2 local [gate-d:22 for T3]; 22 from gate-b for T2",
                "gate-d: T3 local [screen:5900 for vnc]; 22 from gate-c for T3",
                "screen: 5900 from gate-d for vnc",
            ]
        );
    }

    #[test]
    fn what_two_forwards_ask_for_alike_is_granted_once() {
        let topology = vnc().forward_to("again", "screen", 5900);
        let told = told(&granted(&topology));
        assert_eq!(told[2], "gate-d: T3 local [screen:5900 for vnc again]; 22 from gate-c for T3");
        assert_eq!(told[3], "screen: 5900 from gate-d for vnc again");
    }

    #[test]
    fn what_is_dialled_from_within_lets_nobody_in() {
        let topology = empty("in")
            .with_host("db")
            .with_link("local", "db")
            .forward_within("socket", "db", Endpoint::Unix("/run/db".to_owned()))
            .forward_within("own", "db", Endpoint::Tcp(Address::new("::1", 5432)));
        assert_eq!(
            told(&granted(&topology)),
            ["db: T1 local [/run/db for socket, [::1]:5432 for own]; 22 from local for T1"]
        );
    }

    #[test]
    fn local_dials_what_needs_no_tunnel() {
        let topology = empty("near").with_target("web").with_link("local", "web").forward_to("w", "web", 80);
        assert_eq!(told(&granted(&topology)), ["web: 80 from local for w"]);
    }

    #[test]
    fn a_translated_port_is_opened_as_dialled_and_let_in_as_the_host_has_it() {
        let topology = empty("nat")
            .with_host("router")
            .with_host("red")
            .with_link("local", "router")
            .with("router", "red", |link| link.seen_as("192.0.2.1", Some(2201)))
            .forward_within("x", "red", Endpoint::Tcp(Address::new("localhost", 7000)));
        let grants = granted(&topology);
        assert_eq!(grants.hosts[0].keys[0].opens[0].to.to_string(), "192.0.2.1:2201");
        let port = &grants.hosts[1].ports[0];
        assert_eq!((port.port, port.dialled.port), (22, 2201));
    }

    #[test]
    fn a_client_elsewhere_logs_in_from_there_with_a_key_of_its_own() {
        let options = PlanOptions { strategy: Some(Strategy::Telescoped), ..PlanOptions::default() };
        let plan = plan(&vnc().with_clients_everywhere(), &options).unwrap();
        assert_eq!(
            told(&grants(&plan)),
            [
                "gate-b: T1 local []; 22 from local for T1; 2201 from local for T3",
                "gate-c: T2 gate-b [gate-d:22 for T3]; 22 from gate-b for T2",
                "gate-d: T3 local [screen:5900 for vnc]; 22 from gate-c for T3",
                "screen: 5900 from gate-d for vnc",
            ]
        );
    }
}
