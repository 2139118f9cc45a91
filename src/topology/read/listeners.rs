//! Every fixed listener of the file, to find two that want the same address and port.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;

use super::Reader;
use crate::topology::{Listen, Problem, code};

/// The listeners seen so far.
#[derive(Default)]
pub(super) struct Listeners {
    exact: HashMap<(IpAddr, u16), Range<usize>>,
    /// Any listener of this family on this port: what a wildcard address collides with.
    family: HashMap<(bool, u16), Range<usize>>,
}

impl Listeners {
    /// Remembers a listener, and reports it when an earlier one is in its way.
    pub(super) fn add(&mut self, reader: &mut Reader, listen: Listen, place: Range<usize>) {
        let Listen { address, port } = listen;
        if port == Listen::AUTO.port {
            return;
        }
        let wildcard = match address {
            IpAddr::V4(_) => IpAddr::from([0u8; 4]),
            IpAddr::V6(_) => IpAddr::from([0u16; 8]),
        };
        let earlier = if address == wildcard {
            self.family.get(&(address.is_ipv6(), port))
        } else {
            self.exact.get(&(address, port)).or_else(|| self.exact.get(&(wildcard, port)))
        };
        if let Some(earlier) = earlier {
            let message = format!("two listeners want {listen}");
            reader.report(
                Problem::new(code::LISTEN_TWICE, place.clone(), "and here again", message)
                    .also(earlier.clone(), "taken here")
                    .help("give one of them another port, or \"auto\""),
            );
        }
        self.exact.entry((address, port)).or_insert_with(|| place.clone());
        self.family.entry((address.is_ipv6(), port)).or_insert(place);
    }
}
