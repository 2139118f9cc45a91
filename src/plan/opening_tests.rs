//! What is said to be in the way, and the smallest openings, against trying them all.

use std::collections::HashSet;

use proptest::prelude::{ProptestConfig, TestCaseError, prop_assert, proptest};

use super::SMALLEST;
use crate::plan::course::Courses;
use crate::plan::fixture::{empty, vnc};
use crate::plan::graph::Graph;
use crate::plan::property::{lets_through, topologies};
use crate::plan::property_telescope::telescoped;
use crate::plan::reach::Reach;
use crate::plan::{PlanError, PlanOptions, plan};
use crate::topology::{Address, Bind, Endpoint, HostClient, Plain, Strategy, Topology};

fn why(topology: &Topology) -> (String, Vec<String>) {
    let errors = plan(topology, &PlanOptions::default()).unwrap_err();
    let [error @ PlanError::NoRoute(_)] = errors.as_slice() else { panic!("{errors:?}") };
    (error.to_string(), error.help())
}

#[test]
fn the_firewall_at_the_last_link_is_named() {
    let topology = empty("t")
        .with_wall("fw3", 5900..=5999)
        .with_host("gate-a")
        .with_host("gate-b")
        .with_target("screen")
        .with_link("local", "gate-a")
        .with_link("gate-a", "gate-b")
        .with("gate-b", "screen", |link| link.wall("fw3"))
        .forward_to("vnc", "screen", 5900);
    let (text, help) = why(&topology);
    assert_eq!(
        text,
        "no route to screen:5900 (forward vnc): local reaches gate-a, gate-b; fw3 stops port 5900 on gate-b -> screen"
    );
    assert_eq!(help, ["the smallest opening that would do: port 5900 on gate-b -> screen"]);
}

#[test]
fn the_way_with_the_fewest_closed_ports_is_told_from_its_first_closed_one() {
    let mut topology = vnc();
    topology.links[1].only(443);
    topology.links[3].only(80);
    let (text, help) = why(&topology);
    assert_eq!(
        text,
        "no route to screen:5900 (forward vnc): local reaches gate-b; \
         the link gate-b -> gate-c lets only port 443 through, not 22, \
         the link gate-d -> screen lets only port 80 through, not 5900"
    );
    assert_eq!(
        help,
        ["the smallest opening that would do: port 22 on gate-b -> gate-c, port 5900 on gate-d -> screen"]
    );
}

#[test]
fn a_target_that_nothing_leads_to_is_said_to_be_one() {
    let topology = empty("t").with_host("a").with_target("b").forward_to("x", "b", 80);
    assert_eq!(
        why(&topology).0,
        "no route to b:80 (forward x): local reaches no host by SSH; no link leads to b"
    );
    assert_eq!(
        why(&topology.with_link("a", "b")).0,
        "no route to b:80 (forward x): local reaches no host by SSH; \
         links lead to b only from a, and none from local to there"
    );
}

#[test]
fn a_host_without_logins_cannot_be_entered() {
    let own = Endpoint::Tcp(Address::new("127.0.0.1", 80));
    let topology = empty("t").with_target("a").with_link("local", "a").forward_within("x", "a", own);
    let (text, help) = why(&topology);
    assert!(text.ends_with("a takes no logins (\"ssh\": false)"), "{text}");
    assert_eq!(help, ["write \"a:80\", and the host before it dials a"]);
}

/// A listener on `a` can be dialled, its SSH server cannot.
fn walled() -> Topology {
    let mut topology = empty("t")
        .with_wall("edge", 22..=22)
        .with_host("a")
        .with_host("b")
        .with_target("web")
        .with("local", "a", |link| link.wall("edge"))
        .with_link("a", "b")
        .with_link("b", "web")
        .forward_to("web", "web", 80);
    topology.hosts[0].client = Some(HostClient::Hopper);
    topology.hosts[0].bind = Bind::Any;
    topology.forwards[0].plain = Plain::Ends;
    topology
}

#[test]
fn what_the_other_strategy_would_take_is_told() {
    let (_, help) = why(&walled());
    let smallest = "the smallest opening that would do: port 22 on local -> a";
    assert_eq!(help, [smallest, "there is a route with --strategy telescoped"]);

    let mut topology = walled();
    topology.links[1].only(80);
    let (_, help) = why(&topology);
    assert_eq!(
        help,
        [
            "the smallest opening that would do: port 22 on local -> a, port 22 on a -> b",
            "less would do with --strategy telescoped: port 22 on a -> b"
        ]
    );
    topology.policy.strategy = Strategy::Telescoped;
    let (text, help) = why(&topology);
    assert!(text.ends_with("; the link a -> b lets only port 80 through, not 22"), "{text}");
    assert_eq!(
        help,
        [
            "the smallest opening that would do: port 22 on a -> b",
            "more would do with --strategy nested: port 22 on local -> a, port 22 on a -> b"
        ]
    );
    topology.hosts[0].bind = Bind::Loopback;
    assert_eq!(why(&topology).1.len(), 1);
}

#[test]
fn a_session_on_the_targets_own_host_may_take_the_least() {
    let topology = empty("t")
        .with_host("a")
        .with_host("db")
        .with("local", "a", |link| link.only(1))
        .with("a", "db", |link| link.only(22))
        .forward_to("db", "db", 5432);
    assert_eq!(why(&topology).1, ["the smallest opening that would do: port 22 on local -> a"]);
}

/// Every port that could be opened on a link, and is not open.
fn shut(topology: &Topology) -> Vec<(usize, u16)> {
    let ports = |place: usize| {
        let own = topology.host(&topology.links[place].to).unwrap().address.port;
        [own, 80, 5900, 2201]
            .into_iter()
            .filter(move |&port| !lets_through(topology, &topology.links[place], port))
    };
    (0..topology.links.len()).flat_map(|place| ports(place).map(move |port| (place, port))).collect()
}

/// The topology with these ports opened: a link of its own for each.
fn opened(topology: &Topology, openings: &[(usize, u16)]) -> Topology {
    let mut topology = topology.clone();
    for &(place, port) in openings {
        let mut link = topology.links[place].clone();
        link.through.clear();
        link.only(port);
        topology.links.push(link);
    }
    topology
}

/// `the smallest opening that would do: port 22 on a -> b, …` as ports to open.
fn advised(topology: &Topology, help: &str) -> Vec<(usize, u16)> {
    let (_, list) = help.split_once(": ").unwrap();
    let one = |text: &str| {
        let words: Vec<&str> = text.split(' ').collect();
        let [_, port, _, from, _, to] = words.as_slice() else { panic!("{text}") };
        let at = |link: &crate::topology::Link| link.from.as_str() == *from && link.to.as_str() == *to;
        (topology.links.iter().position(at).unwrap(), port.parse().unwrap())
    };
    list.split(", ").map(one).collect()
}

/// Whether the one forward has a route that comes by no host twice: what opens the same port for two visits
/// is told as two.
fn has_route(topology: &Topology, strategy: Strategy) -> bool {
    let graph = Graph::new(topology);
    let reach = Reach::new(&graph);
    Courses::new(&graph, &reach, strategy).best(&topology.forwards[0]).is_some_and(|course| {
        let nodes = course.nodes(&graph);
        nodes.iter().collect::<HashSet<_>>().len() == nodes.len()
    })
}

/// Whether a set of openings does.
type Does<'d> = &'d dyn Fn(&[(usize, u16)]) -> bool;

/// Whether any set of so many openings gives a route.
fn some_would_do(topology: &Topology, openings: usize, strategy: Strategy) -> bool {
    fn choose(rest: &[(usize, u16)], chosen: &mut Vec<(usize, u16)>, left: usize, does: Does<'_>) -> bool {
        if left == 0 {
            return does(chosen);
        }
        (0..rest.len()).any(|place| {
            chosen.push(rest[place]);
            let found = choose(&rest[place + 1..], chosen, left - 1, does);
            chosen.pop();
            found
        })
    }
    choose(&shut(topology), &mut Vec::new(), openings, &|set| has_route(&opened(topology, set), strategy))
}

fn the_smallest_opening_is_one(topology: &Topology, strategy: Strategy) -> Result<(), TestCaseError> {
    let options = PlanOptions { strategy: Some(strategy), ..PlanOptions::default() };
    for forward in &topology.forwards {
        let alone = Topology { forwards: vec![forward.clone()], ..topology.clone() };
        let Err(errors) = plan(&alone, &options) else { continue };
        let help = errors[0].help();
        let Some(advice) = help.iter().find(|text| text.starts_with(SMALLEST)) else {
            let all = shut(&alone);
            prop_assert!(plan(&opened(&alone, &all), &options).is_err(), "an opening would do: {help:?}");
            continue;
        };
        let advised = advised(&alone, advice);
        prop_assert!(plan(&opened(&alone, &advised), &options).is_ok(), "does not open: {advice}");
        // Where there are very many sets, trying them all takes too long.
        if shut(&alone).len().pow(advised.len() as u32 - 1) <= 300 {
            prop_assert!(!some_would_do(&alone, advised.len() - 1, strategy), "less would do: {advice}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_smallest_opening_opens_and_nothing_smaller_does(topology in topologies()) {
        the_smallest_opening_is_one(&topology, Strategy::Nested)?;
    }

    #[test]
    fn the_smallest_opening_for_clients_in_between_opens_and_nothing_smaller_does(topology in telescoped()) {
        the_smallest_opening_is_one(&topology, Strategy::Telescoped)?;
    }
}
