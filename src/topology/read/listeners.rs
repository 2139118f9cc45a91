//! Every fixed listener of the file, to find two that want the same address and port.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;

use super::Reader;
use crate::topology::{HostId, Listen, Problem, code, quoted};

/// The listeners seen so far.
#[derive(Default)]
pub(super) struct Listeners {
    exact: HashMap<(HostId, IpAddr, u16), Range<usize>>,
    /// Any listener of this family on this port: what a wildcard address collides with.
    family: HashMap<(HostId, bool, u16), Range<usize>>,
}

impl Listeners {
    /// Remembers a listener of a machine, and reports it when an earlier one is in its way.
    pub(super) fn add(&mut self, reader: &mut Reader, on: &HostId, listen: Listen, place: Range<usize>) {
        let Listen { address, port } = listen;
        if port == Listen::AUTO.port {
            return;
        }
        let wildcard = match address {
            IpAddr::V4(_) => IpAddr::from([0u8; 4]),
            IpAddr::V6(_) => IpAddr::from([0u16; 8]),
        };
        let earlier = if address == wildcard {
            self.family.get(&(on.clone(), address.is_ipv6(), port))
        } else {
            let exact = |address| self.exact.get(&(on.clone(), address, port));
            exact(address).or_else(|| exact(wildcard))
        };
        if let Some(earlier) = earlier {
            let whose = if on.is_local() { String::new() } else { format!(" on {}", quoted(on.as_str())) };
            let message = format!("two listeners want {listen}{whose}");
            reader.report(
                Problem::new(code::LISTEN_TWICE, place.clone(), "and here again", message)
                    .also(earlier.clone(), "taken here")
                    .help("give one of them another port, or \"auto\""),
            );
        }
        self.exact.entry((on.clone(), address, port)).or_insert_with(|| place.clone());
        self.family.entry((on.clone(), address.is_ipv6(), port)).or_insert(place);
    }
}
