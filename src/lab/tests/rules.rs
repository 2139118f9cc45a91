//! Who may dial what in the lab, judged without anybody dialling.

use super::nest::id;
use crate::lab::refusal::Refusal;
use crate::lab::rules::{Answer, Rules};
use crate::topology::{
    Address, Check, Dial, Endpoint, Forward, ForwardId, Host, HostId, Link, Listen, OnDown, Plain, Policy,
    PortSet, Target, Topology,
};

fn rules(links: Vec<Link>, targets: Vec<Target>) -> Rules {
    let forward = |to: Target| Forward {
        id: ForwardId(to.to_string()),
        at: HostId::local(),
        on: None,
        listen: Listen::AUTO,
        to,
        check: Check::Tcp,
        required: true,
        expose: false,
        plain: Plain::default(),
        on_down: OnDown::default(),
        protocol: None,
    };
    Rules::new(&Topology {
        name: "rules".to_owned(),
        description: None,
        firewalls: Vec::new(),
        hosts: ["a", "b", "c"].map(|name| Host::new(id(name))).into(),
        links,
        forwards: targets.into_iter().map(forward).collect(),
        policy: Policy::default(),
    })
}

fn seen_as(to: &str, host: &str, port: Option<u16>) -> Link {
    Link { dial: Some(Dial { host: host.to_owned(), port }), ..Link::new(id("a"), id(to)) }
}

#[test]
fn hosts_behind_one_address_are_told_apart_by_port() {
    let links = vec![seen_as("b", "192.0.2.1", Some(2201)), seen_as("c", "192.0.2.1", Some(2202))];
    let rules = rules(links, Vec::new());
    let dial = |port| rules.dial(&id("a"), &Address::new("192.0.2.1", port));
    assert_eq!(dial(2201), Ok(Answer::Ssh(id("b"))));
    assert_eq!(dial(2202), Ok(Answer::Ssh(id("c"))));
    assert!(matches!(dial(2203), Err(Refusal::Closed { .. })));
}

#[test]
fn a_redirect_on_loopback_leaves_the_hosts_own_ports_alone() {
    let own = Endpoint::Tcp(Address::new("localhost", 7));
    let links = vec![seen_as("b", "127.0.0.1", Some(2222))];
    let rules = rules(links, vec![Target::Within { host: id("a"), endpoint: own }]);
    let dial = |port| rules.dial(&id("a"), &Address::new("127.0.0.1", port));
    assert_eq!(dial(2222), Ok(Answer::Ssh(id("b"))));
    assert_eq!(
        dial(7).map(|answer| matches!(answer, Answer::StandIn { host, .. } if host == id("a"))),
        Ok(true)
    );
}

#[test]
fn one_open_link_is_enough_and_each_is_judged_alone() {
    let narrow = Link { ports: Some(PortSet::new([22..=22])), ..Link::new(id("a"), id("b")) };
    let target = Target::Dialled { host: id("b"), port: 5432 };
    let shut = rules(vec![narrow.clone()], vec![target.clone()]);
    assert!(matches!(shut.reach(&id("a"), &id("b"), 5432), Err(Refusal::Blocked { .. })));
    let open = rules(vec![narrow, Link::new(id("a"), id("b"))], vec![target]);
    assert!(open.reach(&id("a"), &id("b"), 5432).is_ok());
}

#[test]
fn what_stands_behind_a_host_is_reached_only_from_there() {
    let behind = Endpoint::Tcp(Address::new("DB.example", 5432));
    let known = Endpoint::Tcp(Address::new("c", 5432));
    let targets = [behind, known].map(|endpoint| Target::Within { host: id("a"), endpoint });
    let rules = rules(vec![Link::new(id("a"), id("b"))], targets.into());
    assert!(rules.dial(&id("a"), &Address::new("db.example", 5432)).is_ok());
    assert!(rules.dial(&id("b"), &Address::new("db.example", 5432)).is_err());
    // A host of the file needs a link like any other.
    assert!(rules.dial(&id("a"), &Address::new("c", 5432)).is_err());
}
