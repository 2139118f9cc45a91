//! What is granted for topologies that show one thing each.

use super::*;
use crate::plan::fixture::{empty, vnc};
use crate::plan::{PlanOptions, plan};
use crate::topology::{Strategy, Topology};

fn granted(topology: &Topology) -> Grants {
    grants(&[plan(topology, &PlanOptions::default()).unwrap()])
}

fn names(riders: &[Rider]) -> String {
    let name = |rider: &Rider| match rider {
        Rider::Tunnel(id) => id.0.clone(),
        Rider::Forward(id) => id.0.clone(),
    };
    riders.iter().map(name).collect::<Vec<_>>().join(" ")
}

/// `gate-b: T1 local [gate-c:22 for T2]; 22 from local for T1`
fn told(grants: &Grants) -> Vec<String> {
    let key = |key: &KeyGrant| {
        let opens = key.opens.iter().map(|open| format!("{} for {}", open.to, names(&open.riders)));
        format!("{} {} [{}]", key.tunnel, key.client, opens.collect::<Vec<_>>().join(", "))
    };
    let port = |one: &PortGrant| format!("{} from {} for {}", one.port, one.from, names(&one.riders));
    let host = |grant: &Grant| {
        let keys = grant.keys.iter().map(key);
        let all: Vec<_> = keys.chain(grant.ports.iter().map(port)).collect();
        format!("{}: {}", grant.host, all.join("; "))
    };
    grants.hosts.iter().map(host).collect()
}

#[test]
fn each_server_opens_what_rides_its_tunnel_and_lets_its_neighbour_in() {
    assert_eq!(
        told(&granted(&vnc())),
        [
            "gate-b: T1 local [gate-c:22 for T2]; 22 from local for T1",
            "gate-c: T2 local [gate-d:22 for T3]; 22 from gate-b for T2",
            "gate-d: T3 local [screen:5900 for vnc]; 22 from gate-c for T3",
            "screen: 5900 from gate-d for vnc",
        ]
    );
}

#[test]
fn what_two_forwards_ask_for_alike_is_granted_once() {
    let topology = vnc().forward_to("again", "screen", 5900);
    let told = told(&granted(&topology));
    assert_eq!(told[2], "gate-d: T3 local [screen:5900 for vnc again]; 22 from gate-c for T3");
    assert_eq!(told[3], "screen: 5900 from gate-d for vnc again");
}

#[test]
fn what_is_dialled_from_within_lets_nobody_in() {
    let topology = empty("in")
        .with_host("db")
        .with_link("local", "db")
        .forward_within("socket", "db", Endpoint::Unix("/run/db".to_owned()))
        .forward_within("own", "db", Endpoint::Tcp(Address::new("::1", 5432)));
    assert_eq!(
        told(&granted(&topology)),
        ["db: T1 local [/run/db for socket, [::1]:5432 for own]; 22 from local for T1"]
    );
}

#[test]
fn local_dials_what_needs_no_tunnel() {
    let topology = empty("near").with_target("web").with_link("local", "web").forward_to("w", "web", 80);
    assert_eq!(told(&granted(&topology)), ["web: 80 from local for w"]);
}

#[test]
fn a_translated_port_is_opened_as_dialled_and_let_in_as_the_host_has_it() {
    let topology = empty("nat")
        .with_host("router")
        .with_host("red")
        .with_link("local", "router")
        .with("router", "red", |link| link.seen_as("192.0.2.1", Some(2201)))
        .forward_within("x", "red", Endpoint::Tcp(Address::new("localhost", 7000)));
    let grants = granted(&topology);
    assert_eq!(grants.hosts[0].keys[0].opens[0].to.to_string(), "192.0.2.1:2201");
    let port = &grants.hosts[1].ports[0];
    assert_eq!((port.port, port.dialled.port), (22, 2201));
}

#[test]
fn a_client_elsewhere_logs_in_from_there_with_a_key_of_its_own() {
    let options = PlanOptions { strategy: Some(Strategy::Telescoped), ..PlanOptions::default() };
    let plan = plan(&vnc().with_clients_everywhere(), &options).unwrap();
    assert_eq!(
        told(&grants(&[plan])),
        [
            "gate-b: T1 local []; 22 from local for T1; 2201 from local for T3",
            "gate-c: T2 gate-b [gate-d:22 for T3]; 22 from gate-b for T2",
            "gate-d: T3 local [screen:5900 for vnc]; 22 from gate-c for T3",
            "screen: 5900 from gate-d for vnc",
        ]
    );
}

#[test]
fn who_is_lent_the_agent_must_let_it_through_and_nobody_else() {
    let mut topology = vnc().with_clients_everywhere();
    topology.hosts[0].forward_agent = true;
    topology.policy.strategy = Strategy::Telescoped;
    let grants = granted(&topology);
    let lent = |host: &str| {
        let grant = grants.hosts.iter().find(|grant| grant.host.as_str() == host).unwrap();
        grant.keys.iter().map(|key| key.agent).collect::<Vec<_>>()
    };
    assert_eq!(lent("gate-b"), [true]);
    assert!(lent("gate-c").iter().chain(&lent("gate-d")).all(|agent| !agent));
}

#[test]
fn a_loop_listens_and_dials_on_the_loopback_of_whoever_dials_the_target() {
    let mut topology = vnc();
    topology.forwards[0].check = Check::Loop;
    let granted = granted(&topology);
    let key = &granted.hosts[2].keys[0];
    let opens: Vec<_> = key.opens.iter().map(|open| open.to.to_string()).collect();
    assert_eq!(opens, ["screen:5900", "127.0.0.1:0"]);
    assert_eq!(key.listens.iter().map(|asked| asked.listen).collect::<Vec<_>>(), [Listen::AUTO]);
    let text = crate::plan::show::grants(&granted);
    assert!(
        text.contains("permitopen=\"127.0.0.1:*\"") && text.contains("opens 127.0.0.1:* for vnc"),
        "{text}"
    );
}
