//! The near end of a forward that listens on another host: whose server listens, and over which tunnels it is
//! asked to.

use super::TunnelId;
use crate::topology::{FirewallId, HostId};

/// A listener that a host's SSH server keeps for a forward (RFC 4254, section 7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FarListener {
    /// The host.
    pub host: HostId,
    /// The tunnel to that host, over whose session the server is asked.
    pub via: TunnelId,
    /// Hosts from local to that one, both included.
    pub route: Vec<HostId>,
    /// The link of each hop, by its place in the file.
    pub links: Vec<usize>,
    /// The firewalls of each hop.
    pub walls: Vec<Vec<FirewallId>>,
    /// Every tunnel it rides, in build order.
    pub tunnels: Vec<TunnelId>,
}

#[cfg(test)]
mod tests {
    use crate::plan::fixture::empty;
    use crate::plan::{Carrier, Plan, PlanError, PlanOptions, plan, plan_everywhere};
    use crate::topology::{Address, Endpoint, HostId, Listen, Strategy, Target, Topology, parse};

    /// Two gates side by side, each with a host behind it.
    fn two_sides() -> Topology {
        empty("sides")
            .with_host("a")
            .with_host("b")
            .with_target("left")
            .with_target("right")
            .with_link("local", "a")
            .with_link("local", "b")
            .with_link("a", "left")
            .with_link("b", "right")
    }

    impl Topology {
        /// Has the last forward listen on this host.
        fn listening_on(mut self, host: &str, port: u16) -> Self {
            if let Some(forward) = self.forwards.last_mut() {
                forward.on = Some(HostId::new(host));
                forward.listen = Listen { port, ..Listen::AUTO };
            }
            self
        }
    }

    fn planned(topology: &Topology) -> Plan {
        plan(topology, &PlanOptions::default()).unwrap()
    }

    fn ids(tunnels: &[super::TunnelId]) -> Vec<&str> {
        tunnels.iter().map(|id| id.0.as_str()).collect()
    }

    #[test]
    fn each_end_has_a_route_of_its_own_and_both_meet_here() {
        let plan = planned(&two_sides().forward_to("page", "right", 80).listening_on("a", 8080));
        let page = &plan.forwards[0];
        let near = page.listener.as_ref().unwrap();
        assert_eq!((near.host.as_str(), ids(&near.tunnels)), ("a", vec!["T1"]));
        assert_eq!((page.via.as_ref().map(|id| id.0.as_str()), ids(&page.tunnels)), (Some("T2"), vec!["T2"]));
        assert_eq!(page.needs().map(|id| id.0.as_str()).collect::<Vec<_>>(), ["T1", "T2"]);
        assert_eq!((page.hops(), page.depth(), page.rides().count()), (2, 1, 2));
        assert!(!plan.is_control(&near.via));
    }

    #[test]
    fn what_leads_to_local_is_dialled_here_and_rides_one_way_only() {
        let own = Endpoint::Tcp(Address::new("127.0.0.1", 22));
        let plan = planned(&two_sides().forward_within("in", HostId::LOCAL, own).listening_on("a", 2201));
        let door = &plan.forwards[0];
        assert_eq!((door.via.as_ref(), door.tunnels.len(), door.within), (None, 0, true));
        assert_eq!((plan.tunnels.len(), plan.hops(), plan.longest()), (1, 1, 1));
    }

    #[test]
    fn the_same_tunnel_serves_both_ends() {
        let plan = planned(&two_sides().forward_to("back", "left", 80).listening_on("a", 8080));
        assert_eq!((plan.tunnels.len(), plan.forwards[0].rides().count()), (1, 1));
    }

    #[test]
    fn both_ends_are_nested_whatever_the_strategy() {
        let topology =
            two_sides().with_clients_everywhere().forward_to("page", "right", 80).listening_on("a", 1);
        let options = PlanOptions { strategy: Some(Strategy::Telescoped), ..PlanOptions::default() };
        let plan = plan(&topology, &options).unwrap();
        assert!(plan.tunnels.iter().all(|tunnel| tunnel.client.is_local()), "{plan:?}");
    }

    #[test]
    fn a_host_that_nobody_gets_to_cannot_listen() {
        let mut topology = two_sides().forward_to("page", "right", 80).listening_on("a", 8080);
        topology.links.remove(0);
        let errors = plan(&topology, &PlanOptions::default()).unwrap_err();
        let [PlanError::NoRoute(error)] = errors.as_slice() else { panic!("{errors:?}") };
        assert_eq!(
            error.to_string(),
            "no route to a/127.0.0.1:8080 (forward page): local reaches b; no link leads to a"
        );
    }

    #[test]
    fn a_port_is_taken_on_its_own_host_only() {
        let topology = two_sides().forward_to("x", "left", 80).listening_on("a", 8080);
        let other = topology.clone().forward_to("y", "right", 80).listening_on("b", 8080);
        assert!(plan(&other, &PlanOptions::default()).is_ok());
        let same = topology.forward_to("y", "right", 80).listening_on("a", 8080);
        let errors = plan(&same, &PlanOptions::default()).unwrap_err();
        let told = errors.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(told, ["forward y listens on 127.0.0.1:8080 of a, which forward x takes already"]);
    }

    /// A listener of a client on a host in between keeps away from what a forward has there.
    #[test]
    fn listeners_in_between_leave_the_ports_of_forwards_alone() {
        let mut topology = crate::plan::fixture::line(4).with_clients_everywhere();
        topology = topology.forward_to("x", "h4", 81).listening_on("h1", 2201);
        let options = PlanOptions { strategy: Some(Strategy::Telescoped), ..PlanOptions::default() };
        let plan = plan(&topology, &options).unwrap();
        let entries = plan.tunnels.iter().filter_map(|tunnel| match &tunnel.carrier {
            Some(Carrier::Entry(entry)) if entry.host.as_str() == "h1" => Some(entry.port()),
            _ => None,
        });
        assert_eq!(entries.collect::<Vec<_>>(), [2202]);
    }

    fn branch() -> Topology {
        let file = include_str!("../../topologies/branch-office.json");
        parse(file, "branch-office").unwrap()
    }

    #[test]
    fn a_branch_that_only_dials_out_is_entered_through_what_it_keeps_elsewhere() {
        let topology = branch();
        let office = planned(&topology);
        assert_eq!(office.forwards.len(), 1);
        let way_in = &office.tunnels[1];
        assert_eq!(
            (way_in.server.id.as_str(), way_in.target.to_string()),
            ("branch", "127.0.0.1:2201".to_owned())
        );
        assert_eq!(way_in.kept.as_ref().map(|kept| kept.at.as_str()), Some("branch"));
        assert_eq!(way_in.server.recorded_name(), "branch.example.net");

        let at = Some(HostId::new("branch"));
        let branch = plan(&topology, &PlanOptions { at, ..PlanOptions::default() }).unwrap();
        assert_eq!((branch.at.as_str(), branch.tunnels.len(), branch.forwards.len()), ("branch", 1, 1));
        let door = &branch.forwards[0];
        assert_eq!(door.target, Endpoint::Tcp(Address::new("127.0.0.1", 22)));
        assert!(matches!(&door.forward.to, Target::Within { host, .. } if host.is_local()));
        assert_eq!(plan_everywhere(&topology, &PlanOptions::default()).unwrap(), [office, branch]);
    }

    #[test]
    fn a_file_that_others_run_alone_has_nothing_for_local() {
        let mut topology = branch();
        topology.forwards.retain(|forward| !forward.at.is_local());
        let errors = plan(&topology, &PlanOptions::default()).unwrap_err();
        assert_eq!((errors.len(), errors[0].code()), (1, "H0205"));
        assert_eq!(errors[0].help(), ["its forwards are run elsewhere; say where this is: --at branch"]);
        assert_eq!(plan_everywhere(&topology, &PlanOptions::default()).unwrap().len(), 1);
    }

    /// What others keep on a host is no port for a client there.
    #[test]
    fn listeners_in_between_leave_the_ports_of_other_machines_alone() {
        let mut topology = crate::plan::fixture::line(4).with_clients_everywhere();
        topology = topology.forward_to("door", "h4", 22).listening_on("h1", 2201);
        if let Some(door) = topology.forwards.last_mut() {
            door.at = HostId::new("h4");
        }
        let options = PlanOptions { strategy: Some(Strategy::Telescoped), ..PlanOptions::default() };
        let plan = plan(&topology, &options).unwrap();
        let taken = |plan: &Plan| {
            let kept = plan.tunnels.iter().flat_map(|tunnel| plan.kept_by(&tunnel.id));
            kept.map(|(entry, _)| (entry.host.to_string(), entry.port())).collect::<Vec<_>>()
        };
        assert!(!taken(&plan).contains(&("h1".to_owned(), 2201)), "{:?}", taken(&plan));
    }

    #[test]
    fn where_hopper_has_nothing_to_do_it_says_who_has() {
        let at = Some(HostId::new("meet"));
        let errors = plan(&branch(), &PlanOptions { at, ..PlanOptions::default() }).unwrap_err();
        assert_eq!(errors[0].code(), "H0205");
        assert_eq!(errors[0].help(), ["hopper has a part of this plan at local, branch"]);
    }
}
