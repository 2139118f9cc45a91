//! Two listeners that cannot both be bound.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use super::{Carrier, Tunnel};
use crate::topology::escape;
use crate::topology::{Forward, ForwardId, HostId, Listen};

/// Two listeners of one plan that want the same address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SameListen {
    /// Who comes first in the plan.
    pub first: Listener,
    /// Who comes too late.
    pub second: Listener,
    /// What the second asked for.
    pub listen: Listen,
    /// The host that it is on; `None` is local.
    pub on: Option<HostId>,
}

/// Who listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listener {
    /// A forward.
    Forward(ForwardId),
    /// The carrier of the session to this host.
    Carrier(HostId),
}

impl SameListen {
    /// What to write instead.
    pub(super) fn help(&self) -> Vec<String> {
        vec![match &self.second {
            Listener::Forward(id) => {
                format!(
                    "give it another port, or let hopper choose: \"{}\": {{ \"listen\": \"auto\" }}",
                    escape(&id.0)
                )
            }
            Listener::Carrier(host) => format!(
                "leave \"listen\" out of the link that leads to {}, and hopper chooses a free port",
                escape(host.as_str())
            ),
        }]
    }
}

impl fmt::Display for SameListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = self.on.as_ref().map(|on| format!(" of {}", escape(on.as_str()))).unwrap_or_default();
        write!(f, "{} listens on {}{on}, which {} takes already", self.second, self.listen, self.first)
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listener::Forward(id) => write!(f, "forward {}", escape(&id.0)),
            Listener::Carrier(host) => write!(f, "the carrier to {}", escape(host.as_str())),
        }
    }
}

/// Every listener of a fixed port that an earlier one stands in the way of.
pub(super) fn find(tunnels: &[Tunnel], forwards: &[Forward]) -> Vec<SameListen> {
    let carriers = tunnels.iter().filter_map(|tunnel| match &tunnel.carrier {
        Some(Carrier::Port(listen)) => Some((Listener::Carrier(tunnel.server.id.clone()), *listen, None)),
        _ => None,
    });
    let wanted = forwards
        .iter()
        .map(|forward| (Listener::Forward(forward.id.clone()), forward.listen, forward.on.as_ref()));
    /// A host, and one of its ports.
    type Port<'f> = (Option<&'f HostId>, u16);
    let mut taken: BTreeMap<Port<'_>, Vec<(Listener, Listen)>> = BTreeMap::new();
    let mut found = Vec::new();
    for (second, listen, on) in wanted.chain(carriers).filter(|(_, listen, _)| listen.port != 0) {
        let rivals = taken.entry((on, listen.port)).or_default();
        match rivals.iter().find(|(_, rival)| overlap(rival.address, listen.address)) {
            Some((first, _)) => {
                found.push(SameListen { first: first.clone(), second, listen, on: on.cloned() });
            }
            None => rivals.push((second, listen)),
        }
    }
    found
}

/// Whether a listener on one address keeps another from the same port. `::` takes IPv4 along.
fn overlap(a: IpAddr, b: IpAddr) -> bool {
    let covers = |wide: IpAddr, other: IpAddr| wide.is_unspecified() && (wide.is_ipv6() || other.is_ipv4());
    a == b || covers(a, b) || covers(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unspecified_address_takes_the_port_from_all_others() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(overlap(ip("127.0.0.1"), ip("0.0.0.0")));
        assert!(overlap(ip("::"), ip("127.0.0.1")));
        assert!(!overlap(ip("127.0.0.1"), ip("127.0.0.2")));
        assert!(!overlap(ip("0.0.0.0"), ip("::1")));
    }
}
