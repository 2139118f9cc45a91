//! Which tunnels and forwards of a plan go on in the plan that takes its place: those that are described alike and
//! stand on what goes on. Compares two plans; what becomes of the rest is not known here.

use super::{Carrier, Entry, Plan, PlannedForward, Tool, Tunnel, TunnelId, client_command};
use crate::topology::{Bind, Forward, Given, Host, SshConfig};

/// For each tunnel and forward of the newer plan, by place: where it stood in the older one, if it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Succession {
    /// The newer plan's tunnels.
    pub tunnels: Vec<Option<usize>>,
    /// The newer plan's forwards.
    pub forwards: Vec<Option<usize>>,
}

/// What of `old` goes on in `new`. Nothing goes on twice.
pub fn succession(old: &Plan, new: &Plan) -> Succession {
    let mut kept = Succession::default();
    for tunnel in &new.tunnels {
        // Build order puts a tunnel after what it needs, so that is settled by now.
        let pair = Pair { old, new, tunnels: &kept.tunnels };
        let found =
            old.tunnels.iter().enumerate().find(|(place, was)| {
                !kept.tunnels.contains(&Some(*place)) && pair.is_same_tunnel(was, tunnel)
            });
        let found = found.map(|(place, _)| place);
        kept.tunnels.push(found);
    }
    let pair = Pair { old, new, tunnels: &kept.tunnels };
    kept.forwards = new
        .forwards
        .iter()
        .map(|forward| old.forwards.iter().position(|was| pair.is_same_forward(was, forward)))
        .collect();
    kept
}

struct Pair<'p> {
    old: &'p Plan,
    new: &'p Plan,
    /// What is known of the newer plan's tunnels.
    tunnels: &'p [Option<usize>],
}

impl Pair<'_> {
    fn is_same_tunnel(&self, was: &Tunnel, is: &Tunnel) -> bool {
        let outside = |tunnel: &Tunnel| {
            let client = (tunnel.client.kind(), tunnel.client.host().cloned());
            (client, tunnel.target.clone(), tunnel.kept.clone(), session_settings(&tunnel.server))
        };
        outside(was) == outside(is)
            && self.is_same_ground(was.through.as_ref(), is.through.as_ref())
            && self.is_same_ground(was.client.control(), is.client.control())
            && carried(was.carrier.as_ref()) == carried(is.carrier.as_ref())
            && (is.client.is_local() || self.is_same_command(was, is))
    }

    /// A client on another host is told everything that it keeps listening when it is started.
    fn is_same_command(&self, was: &Tunnel, is: &Tunnel) -> bool {
        let command = |plan: &Plan, tunnel: &Tunnel| {
            [Tool::OpenSsh, Tool::Dropbear].map(|tool| client_command(plan, tunnel, tool))
        };
        command(self.old, was) == command(self.new, is)
    }

    fn is_same_forward(&self, was: &PlannedForward, is: &PlannedForward) -> bool {
        let near = |forward: &PlannedForward| forward.listener.as_ref().map(|near| near.host.clone());
        let via = |forward: &PlannedForward| forward.listener.as_ref().map(|near| near.via.clone());
        served(&was.forward) == served(&is.forward)
            && was.target == is.target
            && near(was) == near(is)
            && was.entry.as_ref().map(door) == is.entry.as_ref().map(door)
            && self.is_same_ground(via(was).as_ref(), via(is).as_ref())
            && self.is_same_ground(was.via.as_ref(), is.via.as_ref())
            && was.standby.len() == is.standby.len()
            && was.standby.iter().zip(&is.standby).all(|(was, is)| self.is_same_forward(was, is))
    }

    fn is_same_ground(&self, was: Option<&TunnelId>, is: Option<&TunnelId>) -> bool {
        match (was, is) {
            (None, None) => true,
            (Some(was), Some(is)) => {
                let stood = self.new.place(is).and_then(|place| self.tunnels.get(place).copied().flatten());
                stood.is_some() && stood == self.old.place(was)
            }
            _ => false,
        }
    }
}

/// What of a host makes a difference to a session that is open: not where a setting came from, nor what is told of it.
fn session_settings(host: &Host) -> Host {
    Host {
        ssh_config: SshConfig::default(),
        given: Given::default(),
        client: None,
        bind: Bind::Loopback,
        label: None,
        note: None,
        ..host.clone()
    }
}

/// What of a forward makes a difference to who is connected.
fn served(forward: &Forward) -> Forward {
    Forward { required: true, protocol: None, ..forward.clone() }
}

/// Links and firewalls are known by their places in the file, which change when a line is added.
fn carried(carrier: Option<&Carrier>) -> Option<Carrier> {
    let mut carrier = carrier.cloned();
    if let Some(Carrier::Entry(entry)) = &mut carrier {
        *entry = door(entry);
    }
    carrier
}

fn door(entry: &Entry) -> Entry {
    Entry { link: 0, firewalls: Vec::new(), ..entry.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::vnc;
    use crate::plan::{PlanOptions, plan};
    use crate::topology::{CarrierKind, Strategy, Topology};

    fn planned(topology: &Topology) -> Plan {
        plan(topology, &PlanOptions::default()).unwrap()
    }

    fn kept(old: &Topology, new: &Topology) -> (Vec<Option<usize>>, Vec<Option<usize>>) {
        let kept = succession(&planned(old), &planned(new));
        (kept.tunnels, kept.forwards)
    }

    #[test]
    fn the_same_goes_on_whatever_its_number_is_now() {
        assert_eq!(kept(&vnc(), &vnc()), (vec![Some(0), Some(1), Some(2)], vec![Some(0)]));
        let more = vnc()
            .with_host("aside")
            .with_target("web")
            .with_link("local", "aside")
            .with_link("aside", "web")
            .forward_to("web", "web", 80);
        let (tunnels, forwards) = kept(&vnc(), &more);
        let mut places: Vec<_> = tunnels.iter().flatten().copied().collect();
        places.sort_unstable();
        assert_eq!((tunnels.len(), places), (4, vec![0, 1, 2]), "aside is new, the others go on");
        assert_eq!(forwards.iter().flatten().count(), 1);
        assert_eq!(kept(&more, &vnc()).0.iter().flatten().count(), 3, "and back");
    }

    #[test]
    fn what_is_described_otherwise_goes_and_takes_along_what_stands_on_it() {
        let mut other = vnc();
        other.hosts[1].keepalive.max = 9;
        assert_eq!(kept(&vnc(), &other), (vec![Some(0), None, None], vec![None]));
        let mut other = vnc();
        other.forwards[0].listen.port = 5902;
        assert_eq!(kept(&vnc(), &other), (vec![Some(0), Some(1), Some(2)], vec![None]));
        let port = PlanOptions { carrier: Some(CarrierKind::Port), ..PlanOptions::default() };
        let found = succession(&planned(&vnc()), &plan(&vnc(), &port).unwrap());
        assert_eq!((found.tunnels, found.forwards), (vec![Some(0), None, None], vec![None]));
    }

    #[test]
    fn what_is_only_told_of_a_host_or_counts_before_the_run_was_up_ends_nothing() {
        let mut other = vnc();
        (other.hosts[0].label, other.hosts[0].note) = (Some("edge".to_owned()), Some("new".to_owned()));
        other.forwards[0].required = false;
        assert_eq!(kept(&vnc(), &other), (vec![Some(0), Some(1), Some(2)], vec![Some(0)]));
    }

    #[test]
    fn a_client_elsewhere_that_has_to_keep_another_port_is_another_one() {
        let topology = vnc().with_clients_everywhere();
        let options = PlanOptions { strategy: Some(Strategy::Telescoped), ..PlanOptions::default() };
        let telescoped = |topology: &Topology| plan(topology, &options).unwrap();
        let old = telescoped(&topology);
        assert!(old.tunnels.iter().any(|tunnel| !tunnel.client.is_local()), "{old:?}");
        let same = succession(&old, &telescoped(&topology));
        assert!(same.tunnels.iter().all(Option::is_some), "{same:?}");
        let mut new = old.clone();
        for tunnel in &mut new.tunnels {
            if let Some(Carrier::Entry(entry)) = &mut tunnel.carrier {
                entry.dial.port += 1;
            }
        }
        let client = old.tunnels.iter().position(|tunnel| !tunnel.client.is_local()).unwrap();
        assert_eq!(succession(&old, &new).tunnels[client], None);
    }
}
