//! Where everything listens when no program chooses: the file's own ports, and 20001 upwards for the rest.

use std::collections::HashSet;

use crate::plan::{Carrier, Plan};
use crate::topology::Listen;

/// A concrete port for every listener of a plan; the same for the same plan.
pub(super) struct Ports {
    /// Where each tunnel's client connects, in the order of the tunnels; `None` where it dials the server.
    pub(super) carriers: Vec<Option<Listen>>,
    /// Where each forward listens here, in the order of the forwards; `None` where it does not.
    pub(super) forwards: Vec<Option<Listen>>,
    /// The first and the last port that the file does not name.
    pub(super) chosen: Option<(u16, u16)>,
}

impl Ports {
    /// Numbers the carriers first, then the forwards; no port is used twice, whatever the address.
    pub(super) fn new(plan: &Plan) -> Self {
        let carriers = plan.tunnels.iter().map(|tunnel| {
            tunnel.through.as_ref()?;
            match &tunnel.carrier {
                Some(Carrier::Port(listen)) => Some(*listen),
                Some(Carrier::Channel) | None => Some(Listen::AUTO),
                Some(Carrier::Entry(_)) => None,
            }
        });
        let carriers: Vec<Option<Listen>> = carriers.collect();
        // What another host listens for leads to a port of its own here.
        let listens = plan.forwards.iter().map(|planned| match (&planned.listener, &planned.via) {
            (None, _) => Some(planned.forward.listen),
            (Some(_), Some(_)) => Some(Listen::AUTO),
            (Some(_), None) => None,
        });
        let taken: HashSet<u16> = carriers
            .iter()
            .flatten()
            .copied()
            .chain(listens.clone().flatten())
            .map(|listen| listen.port)
            .collect();
        let mut free = (20001..=u16::MAX).chain(1024..=20000).filter(|port| !taken.contains(port));
        let mut chosen = None;
        let mut concrete = |listen: Listen| match listen.port {
            0 => {
                let port = free.next().unwrap_or_default();
                chosen = Some((chosen.map_or(port, |(first, _)| first), port));
                Listen { port, ..listen }
            }
            _ => listen,
        };
        let carriers = carriers.into_iter().map(|carrier| carrier.map(&mut concrete)).collect();
        let forwards = listens.map(|listen| listen.map(&mut concrete)).collect();
        Ports { carriers, forwards, chosen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::line;
    use crate::plan::{PlanOptions, plan};
    use crate::topology::CarrierKind;

    #[test]
    fn chosen_ports_avoid_those_of_the_file() {
        let mut topology = line(5).forward_to("auto", "h5", 81);
        topology.forwards[0].listen.port = 20002;
        topology.links[2].carrier = Some(CarrierKind::Port);
        topology.links[2].listen = Some(Listen { port: 20004, ..Listen::AUTO });
        let ports = Ports::new(&plan(&topology, &PlanOptions::default()).unwrap());
        let carriers: Vec<_> = ports.carriers.iter().map(|listen| listen.map(|listen| listen.port)).collect();
        assert_eq!(carriers, [None, Some(20001), Some(20004), Some(20003)]);
        assert_eq!(
            ports.forwards.iter().flatten().map(|listen| listen.port).collect::<Vec<_>>(),
            [20002, 20005]
        );
        assert_eq!(ports.chosen, Some((20001, 20005)));
    }
}
