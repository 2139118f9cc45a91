//! One topology, seen from one of its machines: that machine is local, only its own forwards are wanted, and
//! what hopper keeps listening on other machines can be used like any link.

use std::borrow::Cow;

use super::{Dial, Endpoint, Forward, HostId, Kept, Link, PortSet, Target, Topology};

impl Topology {
    /// The topology as hopper sees it on this machine, where it is run with `--at`.
    ///
    /// A forward of another machine that listens on a host and ends at the SSH port of another is a link
    /// between the two: a branch office that nobody can dial is entered so. Such links come after those of
    /// the file. The machine that the file calls local can be dialled from nowhere else, so its links are
    /// left out elsewhere.
    pub fn seen_from(&self, at: &HostId) -> Cow<'_, Topology> {
        if at.is_local() && self.forwards.iter().all(|forward| forward.at.is_local()) {
            return Cow::Borrowed(self);
        }
        let mut seen = Topology { forwards: Vec::new(), ..self.clone() };
        let kept = self.forwards.iter().filter(|forward| forward.at != *at);
        seen.links.extend(kept.filter_map(|forward| self.way_in(forward)));
        seen.forwards = self.forwards.iter().filter(|forward| forward.at == *at).cloned().collect();
        if !at.is_local() {
            seen.hosts.retain(|host| host.id != *at);
            seen.links.retain(|link| !link.from.is_local() && !link.to.is_local());
            for link in &mut seen.links {
                here(at, &mut link.from);
                here(at, &mut link.to);
            }
            for forward in &mut seen.forwards {
                here(at, &mut forward.at);
                let (Target::Dialled { host, .. } | Target::Within { host, .. }) = &mut forward.to;
                here(at, host);
            }
        }
        Cow::Owned(seen)
    }

    /// The machines whose hopper runs a forward of this file, by id, local first where it is one.
    pub fn vantages(&self) -> Vec<&HostId> {
        let mut all: Vec<&HostId> = self.forwards.iter().map(|forward| &forward.at).collect();
        all.sort_unstable_by_key(|at| (!at.is_local(), *at));
        all.dedup();
        all
    }

    /// The link that this forward is to others.
    fn way_in(&self, forward: &Forward) -> Option<Link> {
        let (on, port) = (forward.on.clone()?, forward.listen.port);
        let to = self.host(forward.to.host()).filter(|host| host.ssh && port != 0)?;
        let ends_at = match &forward.to {
            Target::Dialled { port, .. } => Some(*port),
            Target::Within { endpoint: Endpoint::Tcp(address), .. } if is_own(address.host.as_str()) => {
                Some(address.port)
            }
            Target::Within { .. } => None,
        };
        if ends_at != Some(to.address.port) || to.id == on {
            return None;
        }
        // Whoever listens on every address is there at the one of its own too.
        let address = match forward.listen.address {
            any if any.is_unspecified() && any.is_ipv6() => "::1".to_owned(),
            any if any.is_unspecified() => "127.0.0.1".to_owned(),
            one => one.to_string(),
        };
        Some(Link {
            dial: Some(Dial { host: address, port: Some(port) }),
            ports: Some(PortSet::new([port..=port])),
            kept: Some(Kept { forward: forward.id.clone(), at: forward.at.clone() }),
            ..Link::new(on, to.id.clone())
        })
    }
}

/// The machine that hopper runs on has one name only.
fn here(at: &HostId, id: &mut HostId) {
    if id == at {
        *id = HostId::local();
    }
}

/// Whether a name means the machine itself that dials it.
fn is_own(name: &str) -> bool {
    name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::parse;

    /// The branch can only dial out; what it keeps on the host where both meet lets others in.
    fn branch() -> Topology {
        let file = r#"{ "hopper": 1, "name": "branch-office",
            "hosts": { "meet": "relay@meet.example.net", "branch": "ops@branch", "camera": { "ssh": false } },
            "links": ["branch -> meet", "local -> meet", { "from": "branch", "to": "camera", "ports": [80] }],
            "forwards": {
                "door": { "at": "branch", "listen": "meet/2201", "to": "branch/127.0.0.1:22" },
                "camera": "8080 -> camera:80" } }"#;
        parse(file, "branch-office").unwrap()
    }

    fn ids(topology: &Topology) -> (Vec<&str>, Vec<String>) {
        let forwards = topology.forwards.iter().map(|forward| forward.id.0.as_str()).collect();
        (forwards, topology.links.iter().map(|link| format!("{} -> {}", link.from, link.to)).collect())
    }

    #[test]
    fn what_another_machine_keeps_listening_is_a_link() {
        let whole = branch();
        let seen = whole.seen_from(&HostId::local());
        let (forwards, links) = ids(&seen);
        assert_eq!(forwards, ["camera"]);
        assert_eq!(links, ["branch -> meet", "local -> meet", "branch -> camera", "meet -> branch"]);
        let way_in = &seen.links[3];
        let dial = way_in.dial.as_ref().unwrap();
        assert_eq!((dial.host.as_str(), dial.port), ("127.0.0.1", Some(2201)));
        assert!(way_in.ports.as_ref().is_some_and(|ports| ports.contains(2201) && !ports.contains(22)));
        assert_eq!(
            way_in.kept.as_ref().map(|kept| (kept.forward.0.as_str(), kept.at.as_str())),
            Some(("door", "branch"))
        );
    }

    #[test]
    fn elsewhere_that_machine_is_local_and_only_its_own_forwards_count() {
        let whole = branch();
        let seen = whole.seen_from(&HostId::new("branch"));
        let (forwards, links) = ids(&seen);
        assert_eq!(forwards, ["door"]);
        assert_eq!(links, ["local -> meet", "local -> camera"]);
        assert!(seen.host(&HostId::new("branch")).is_none());
        let door = &seen.forwards[0];
        assert!(door.at.is_local() && door.to.host().is_local());
        assert_eq!(door.near(), "meet/127.0.0.1:2201");
        assert_eq!(whole.vantages(), [&HostId::local(), &HostId::new("branch")]);
    }

    #[test]
    fn a_file_for_one_machine_is_seen_as_it_is() {
        let mut whole = branch();
        whole.forwards.retain(|forward| forward.at.is_local());
        assert!(matches!(whole.seen_from(&HostId::local()), Cow::Borrowed(_)));
    }

    #[test]
    fn only_a_known_port_that_ends_at_an_ssh_server_lets_others_in() {
        let ways = |change: fn(&mut Forward)| {
            let mut whole = branch();
            change(whole.forwards.iter_mut().find(|forward| !forward.at.is_local()).unwrap());
            whole.seen_from(&HostId::local()).links.len() - whole.links.len()
        };
        assert_eq!(ways(|_| ()), 1);
        assert_eq!(ways(|door| door.listen.port = 0), 0);
        assert_eq!(ways(|door| door.to = Target::Dialled { host: HostId::new("branch"), port: 22 }), 1);
        assert_eq!(ways(|door| door.to = Target::Dialled { host: HostId::new("branch"), port: 80 }), 0);
        assert_eq!(ways(|door| door.to = Target::Dialled { host: HostId::new("camera"), port: 22 }), 0);
        assert_eq!(ways(|door| door.on = None), 0);
    }
}
