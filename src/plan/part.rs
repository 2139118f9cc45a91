//! The part of a plan that one machine builds, where several people run hopper on the same file.

use std::net::{IpAddr, Ipv6Addr};

use super::{Carrier, Client, Plan, PlannedForward, Tunnel, TunnelId};
use crate::topology::{
    Check, Endpoint, Forward, ForwardId, HostClient, HostId, Listen, OnDown, Plain, Target, Topology,
};

impl Plan {
    /// What the hopper on this host builds; `local` is where the forwards of the file listen. Tunnels
    /// whose clients run elsewhere are left out: what rides them waits for a listener there, and what
    /// others wait for here is a forward.
    #[must_use]
    pub fn part(&self, at: &HostId) -> Plan {
        let own = |tunnel: &&Tunnel| match &tunnel.client {
            Client::Local | Client::Exec { .. } => at.is_local(),
            Client::Hopper { host } => host == at,
        };
        let mut tunnels: Vec<Tunnel> = self.tunnels.iter().filter(own).cloned().collect();
        let ids: Vec<TunnelId> = tunnels.iter().map(|tunnel| tunnel.id.clone()).collect();
        for tunnel in &mut tunnels {
            if tunnel.client.kind() == Some(HostClient::Hopper) {
                tunnel.client = Client::Local;
            }
            tunnel.through = tunnel.through.take().filter(|through| ids.contains(through));
        }
        let forwards = if at.is_local() {
            let forwards = self.forwards.iter().cloned().map(|mut planned| {
                planned.tunnels.retain(|id| ids.contains(id));
                planned.via = planned.via.filter(|via| ids.contains(via));
                planned
            });
            forwards.collect()
        } else {
            ids.iter().flat_map(|id| self.doors(at, id)).collect()
        };
        let layers = self
            .layers
            .iter()
            .map(|layer| layer.iter().filter(|id| ids.contains(id)).cloned().collect::<Vec<_>>());
        let layers = layers.filter(|layer| !layer.is_empty()).collect();
        Plan { at: at.clone(), tunnels, layers, forwards, ..self.clone() }
    }

    /// This part in terms of the topology as it is seen from that host: there the host is local, and the
    /// links of the file's own local are missing.
    pub(super) fn moved_into(mut self, topology: &Topology, at: &HostId) -> Plan {
        let stays = |place: usize| {
            topology.links.get(place).is_none_or(|link| !link.from.is_local() && !link.to.is_local())
        };
        let moved = |place: usize| (0..place).filter(|&before| stays(before)).count();
        self.tunnels.iter_mut().for_each(|tunnel| tunnel.link = moved(tunnel.link));
        for planned in &mut self.forwards {
            planned.links.iter_mut().for_each(|link| *link = moved(*link));
            planned.route.iter_mut().filter(|host| *host == at).for_each(|host| *host = HostId::local());
        }
        self
    }

    /// Both plans in one; the tunnels of the other are named anew, after these.
    pub(super) fn with(mut self, other: Plan) -> Plan {
        let first = self.tunnels.len();
        let places: Vec<&TunnelId> = other.tunnels.iter().map(|tunnel| &tunnel.id).collect();
        let named = |id: &TunnelId| {
            let place = places.iter().position(|known| *known == id).unwrap_or_default();
            TunnelId(format!("T{}", first + place + 1))
        };
        self.tunnels.extend(other.tunnels.iter().map(|tunnel| Tunnel {
            id: named(&tunnel.id),
            through: tunnel.through.as_ref().map(named),
            ..tunnel.clone()
        }));
        for (depth, layer) in other.layers.iter().enumerate() {
            if depth == self.layers.len() {
                self.layers.push(Vec::new());
            }
            self.layers[depth].extend(layer.iter().map(named));
        }
        self.forwards.extend(other.forwards.iter().map(|planned| PlannedForward {
            via: planned.via.as_ref().map(named),
            tunnels: planned.tunnels.iter().map(named).collect(),
            ..planned.clone()
        }));
        self.forwards.sort_by(|a, b| a.forward.id.cmp(&b.forward.id));
        Plan { at: other.at, ..self }
    }

    /// The listeners that the host before this one dials, as forwards over this tunnel.
    fn doors(&self, at: &HostId, id: &TunnelId) -> Vec<PlannedForward> {
        let Some(tunnel) = self.tunnel(id) else { return Vec::new() };
        let riders = self.tunnels.iter().filter(|rider| rider.through.as_ref() == Some(id));
        let carriers = riders.filter_map(|rider| match &rider.carrier {
            Some(Carrier::Entry(entry)) => {
                let to = Target::Dialled { host: rider.server.id.clone(), port: rider.target.port };
                let check = Check::Banner("SSH-".to_owned());
                let target = Endpoint::Tcp(rider.target.clone());
                Some((rider.id.0.clone(), entry.port(), to, check, target, rider.link))
            }
            _ => None,
        });
        let plain = self.forwards.iter().filter(|planned| planned.via.as_ref() == Some(id));
        let plain = plain.filter_map(|planned| {
            let (forward, entry) = (&planned.forward, planned.entry.as_ref()?);
            let link = planned.links.last().copied().unwrap_or_default();
            let target = planned.target.clone();
            Some((
                forward.id.0.clone(),
                entry.port(),
                forward.to.clone(),
                forward.check.clone(),
                target,
                link,
            ))
        });
        let door = |(id, port, to, check, target, link): (String, u16, Target, Check, Endpoint, usize)| {
            let route = vec![at.clone(), tunnel.server.id.clone(), to.host().clone()];
            PlannedForward {
                forward: Forward {
                    id: ForwardId(id),
                    at: HostId::local(),
                    on: None,
                    listen: Listen { address: IpAddr::V6(Ipv6Addr::UNSPECIFIED), port },
                    to,
                    check,
                    required: true,
                    expose: true,
                    plain: Plain::Last,
                    on_down: OnDown::default(),
                    protocol: None,
                },
                listener: None,
                entry: None,
                via: Some(tunnel.id.clone()),
                target,
                within: false,
                links: vec![tunnel.link, link],
                walls: vec![tunnel.firewalls.clone(), Vec::new()],
                route,
                tunnels: vec![tunnel.id.clone()],
                alternatives: None,
                standby: Vec::new(),
            }
        };
        carriers.chain(plain).map(door).collect()
    }

    /// The hosts where somebody has to run hopper on the same file, by id.
    pub fn others(&self) -> Vec<&HostId> {
        let mut hosts: Vec<&HostId> = Vec::new();
        for tunnel in &self.tunnels {
            if let Client::Hopper { host } = &tunnel.client
                && !hosts.contains(&host)
            {
                hosts.push(host);
            }
        }
        hosts.sort_unstable();
        hosts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::line;
    use crate::plan::{PlanOptions, plan};
    use crate::topology::Strategy;

    fn shared(hops: usize) -> Plan {
        let mut topology = line(hops).with_clients_everywhere();
        for host in &mut topology.hosts {
            host.client = Some(HostClient::Hopper);
        }
        topology.forwards[0].plain = Plain::Ends;
        let options = PlanOptions { strategy: Some(Strategy::Telescoped), ..PlanOptions::default() };
        plan(&topology, &options).unwrap()
    }

    #[test]
    fn every_tunnel_is_built_by_exactly_one_machine() {
        let whole = shared(7);
        assert_eq!((whole.tunnels.len(), whole.others().len()), (3, 3));
        let mut built: Vec<TunnelId> =
            whole.part(&HostId::local()).tunnels.iter().map(|it| it.id.clone()).collect();
        for host in whole.others() {
            let part = whole.part(host);
            assert!(part.tunnels.iter().all(|tunnel| tunnel.client.is_local()));
            built.extend(part.tunnels.iter().map(|tunnel| tunnel.id.clone()));
        }
        built.sort();
        assert_eq!(built, ["T1", "T2", "T3"].map(|id| TunnelId(id.to_owned())));
    }

    #[test]
    fn what_one_machine_dials_another_listens_on() {
        let whole = shared(5);
        let local = whole.part(&HostId::local());
        let entry = local.forwards[0].entry.as_ref().unwrap();
        assert_eq!((local.tunnels.len(), &local.forwards[0].via), (0, &None));
        let next = whole.part(&entry.host);
        assert_eq!(next.forwards[0].forward.listen.port, entry.port());
        assert_eq!(next.forwards[0].forward.check, Check::Tcp);
        let Some(Carrier::Entry(further)) = &next.tunnels[0].carrier else { panic!("{next:?}") };
        assert_eq!(next.tunnels[0].through, None);
        let inner = whole.part(&further.host);
        assert_eq!(inner.forwards[0].forward.listen.port, further.port());
        assert_eq!(inner.forwards[0].forward.check, Check::Banner("SSH-".to_owned()));
    }
}
