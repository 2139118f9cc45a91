//! What each host must allow for a plan to work, and nothing beyond: who logs in, what its SSH server is
//! asked to open, which of its ports are dialled. Never how a host is told so.

use std::collections::HashMap;

use super::{Carrier, Plan, PlannedForward, Tunnel, TunnelId};
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

/// What each host must allow for these plans, which are of one topology and each of another machine.
///
/// A server opens what rides its tunnel, wherever the client of that tunnel or of its riders runs.
pub fn grants(plans: &[Plan]) -> Grants {
    let mut book = Book { at: HostId::local(), hosts: Vec::new(), places: HashMap::new() };
    plans.iter().for_each(|plan| book.plan(plan));
    let topology = plans.first().map(|plan| plan.topology.clone()).unwrap_or_default();
    Grants { topology, hosts: book.hosts }
}

/// The hosts so far, and where each stands.
struct Book {
    /// The machine whose plan is added.
    at: HostId,
    hosts: Vec<Grant>,
    places: HashMap<HostId, usize>,
}

impl Book {
    /// Adds what one plan asks for.
    fn plan(&mut self, plan: &Plan) {
        self.at = plan.at.clone();
        let by_id: HashMap<&TunnelId, &Tunnel> =
            plan.tunnels.iter().map(|tunnel| (&tunnel.id, tunnel)).collect();
        for tunnel in &plan.tunnels {
            let starts = |other: &Tunnel| other.client.control() == Some(&tunnel.id);
            self.login(tunnel, plan.tunnels.iter().any(starts));
            let rider = Rider::Tunnel(tunnel.id.clone());
            let below = tunnel.through.as_ref().and_then(|id| by_id.get(id).copied());
            if let Some(below) = below {
                self.open(below, &Endpoint::Tcp(tunnel.target.clone()), &rider);
            }
            let client = self.client(tunnel);
            let from = below.map_or(&client, |below| &below.server.id);
            let port = tunnel.server.address.port;
            // What another machine's hopper keeps listening, that machine dials within itself.
            if tunnel.kept.is_none() {
                self.let_in(&tunnel.server.id, port, from, &tunnel.target, &rider);
            }
            if let Some(Carrier::Entry(entry)) = &tunnel.carrier {
                self.let_in(&entry.host, entry.port(), &client, &entry.dial, &rider);
            }
        }
        // Each host must allow what stands by as well: it may be needed at any time.
        for planned in plan.forwards.iter().flat_map(PlannedForward::ways) {
            let rider = Rider::Forward(planned.forward.id.clone());
            let via = planned.via.as_ref().and_then(|id| by_id.get(id).copied());
            if let Some(via) = via {
                self.open(via, &planned.target, &rider);
            }
            if let Some(near) = planned.listener.as_ref().and_then(|near| by_id.get(&near.via).copied()) {
                self.listen(near, planned.forward.listen, &planned.forward.id);
            }
            // What is dialled from within a host is not let in by it: it need not even be there.
            let local = self.at.clone();
            if let (Target::Dialled { host, port }, Endpoint::Tcp(dialled), false) =
                (&planned.forward.to, &planned.target, planned.within)
            {
                let from = via.map_or(&local, |via| &via.server.id);
                self.let_in(host, *port, from, dialled, &rider);
            }
            if let Some(entry) = &planned.entry {
                self.let_in(&entry.host, entry.port(), &local, &entry.dial, &rider);
            }
        }
    }

    /// Where the client of a tunnel runs, as the file names it.
    fn client(&self, tunnel: &Tunnel) -> HostId {
        tunnel.client.host().unwrap_or(&self.at).clone()
    }

    fn host(&mut self, host: &HostId) -> &mut Grant {
        let place = *self.places.entry(host.clone()).or_insert_with(|| {
            self.hosts.push(Grant { host: host.clone(), user: None, keys: Vec::new(), ports: Vec::new() });
            self.hosts.len() - 1
        });
        &mut self.hosts[place]
    }

    fn login(&mut self, tunnel: &Tunnel, commands: bool) {
        let client = self.client(tunnel);
        let grant = self.host(&tunnel.server.id);
        grant.user.clone_from(&tunnel.server.user);
        let tunnel = tunnel.id.clone();
        grant.keys.push(KeyGrant { tunnel, client, opens: Vec::new(), listens: Vec::new(), commands });
    }

    /// The server of a tunnel opens this for what rides the tunnel.
    fn open(&mut self, tunnel: &Tunnel, to: &Endpoint, rider: &Rider) {
        let Some(key) = self.key(tunnel) else { return };
        match key.opens.iter_mut().find(|open| open.to == *to) {
            Some(open) if open.riders.contains(rider) => {}
            Some(open) => open.riders.push(rider.clone()),
            None => key.opens.push(Open { to: to.clone(), riders: vec![rider.clone()] }),
        }
    }

    /// The server of a tunnel listens for a forward.
    fn listen(&mut self, tunnel: &Tunnel, listen: Listen, forward: &ForwardId) {
        let asked = Asked { listen, forward: forward.clone() };
        if let Some(key) = self.key(tunnel).filter(|key| !key.listens.contains(&asked)) {
            key.listens.push(asked);
        }
    }

    /// What the key of a tunnel's client may do so far.
    fn key(&mut self, tunnel: &Tunnel) -> Option<&mut KeyGrant> {
        let client = self.client(tunnel);
        let keys = &mut self.host(&tunnel.server.id).keys;
        keys.iter_mut().find(|key| key.tunnel == tunnel.id && key.client == client)
    }

    fn let_in(&mut self, host: &HostId, port: u16, from: &HostId, dialled: &Address, rider: &Rider) {
        let ports = &mut self.host(host).ports;
        let same = |one: &&mut PortGrant| one.port == port && one.from == *from && one.dialled == *dialled;
        match ports.iter_mut().find(same) {
            Some(one) if one.riders.contains(rider) => {}
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
#[path = "grants_tests.rs"]
mod tests;
