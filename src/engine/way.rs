//! Notices that this machine would go another way now to where a session goes: the network changed, and what was true
//! before need not be true any more. Asks the system where it would send to, and sends nothing; so whatever else
//! comes and goes on the machine, an address of a container or a lifetime that is renewed, is no news.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// The way to one machine that local dials.
#[derive(Debug, Clone)]
pub(super) struct Way {
    peer: IpAddr,
    /// The address of our own that is used for it; `None` where the system knows no way.
    from: Option<IpAddr>,
    find: fn(IpAddr) -> Option<IpAddr>,
    /// Whether it changed since the session was opened over it.
    pub moved: bool,
}

impl Way {
    /// As it is now.
    pub fn to(peer: IpAddr) -> Way {
        Way::found_by(peer, from)
    }

    fn found_by(peer: IpAddr, find: fn(IpAddr) -> Option<IpAddr>) -> Way {
        Way { peer, from: find(peer), find, moved: false }
    }

    /// Whether it has changed since this was asked last.
    pub fn changed(&mut self) -> bool {
        let was = std::mem::replace(&mut self.from, (self.find)(self.peer));
        let changed = was != self.from;
        if changed {
            tracing::info!(peer = %self.peer, ?was, now = ?self.from, "the way there changed");
        }
        self.moved |= changed;
        changed
    }
}

/// The address that the system would use to send something there. To connect a socket of datagrams sends none.
fn from(peer: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match peer {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    /// Of the service that throws everything away (RFC 863); it must only not be 0.
    const DISCARD: u16 = 9;
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((peer, DISCARD)).ok()?;
    socket.local_addr().ok().map(|local| local.ip())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static SOURCE: Cell<Option<IpAddr>> = const { Cell::new(None) };
    }

    #[test]
    fn another_address_and_no_way_at_all_are_changes_and_the_same_is_none() {
        let at = |last: u8| Some(IpAddr::from([10, 0, 0, last]));
        SOURCE.set(at(1));
        let mut way = Way::found_by(IpAddr::from([10, 0, 9, 9]), |_| SOURCE.get());
        assert!(!way.changed() && !way.moved);
        for source in [at(2), None, at(2)] {
            SOURCE.set(source);
            assert!(way.changed(), "{source:?}");
            assert!(!way.changed() && way.moved, "told once");
        }
    }

    #[test]
    fn the_way_to_this_machine_itself_is_there_and_stays() {
        for own in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from([127, 0, 0, 2])] {
            let mut way = Way::to(own);
            assert!(way.from.is_some_and(|from| from.is_loopback()), "{way:?}");
            assert!(!way.changed());
        }
    }
}
