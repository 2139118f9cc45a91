//! How the planner's time grows with the topology: medians of several runs, as a markdown table.
//!
//! `cargo bench --bench plan`. Files may not be that large, so the topologies are made here. Figures are for
//! reading, not for passing.

use std::time::{Duration, Instant};

use hopper::plan::{PlanOptions, plan};
use hopper::topology::{
    Bind, Check, Forward, ForwardId, Host, HostClient, HostId, Link, Listen, OnDown, Plain, Policy, Strategy,
    Target, Topology,
};

/// How often each plan is made; the median counts.
const RUNS: usize = 5;

fn main() {
    println!("| hosts | links | forwards | nested, ms | telescoped, ms | all to one host, ms |");
    println!("|---|---|---|---|---|---|");
    for hosts in [10, 100, 1_000, 10_000] {
        let forwards = (hosts / 10).max(1);
        let plain = spread(hosts, forwards);
        let mut clients = spread(hosts, forwards);
        for host in clients.hosts.iter_mut().step_by(10) {
            (host.client, host.bind) = (Some(HostClient::Hopper), Bind::Any);
        }
        let times = [
            median(&plain, Strategy::Nested),
            median(&clients, Strategy::Telescoped),
            median(&crowded(hosts, forwards), Strategy::Nested),
        ];
        let times = times.map(|time| format!("{:.1}", time.as_secs_f64() * 1e3));
        println!("| {hosts} | {} | {forwards} | {} |", plain.links.len(), times.join(" | "));
    }
}

fn median(topology: &Topology, strategy: Strategy) -> Duration {
    let options = PlanOptions { strategy: Some(strategy), ..PlanOptions::default() };
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            let planned = plan(topology, &options);
            let time = start.elapsed();
            assert!(planned.is_ok(), "no plan for {} hosts", topology.hosts.len());
            time
        })
        .collect();
    times.sort();
    times[RUNS / 2]
}

fn id(n: usize) -> String {
    format!("h{n}")
}

/// Ten links a host, in all directions, and forwards to hosts all over.
fn spread(hosts: usize, forwards: usize) -> Topology {
    let mut topology = empty(hosts);
    for n in 0..hosts * 10 {
        let to = (n * 7919 + n / hosts + 1) % hosts;
        topology.links.push(Link::new(HostId::new(id(n % hosts)), HostId::new(id(to))));
    }
    topology.forwards = (0..forwards).map(|n| forward(n, &id((n * 31 + 5) % hosts), 80)).collect();
    topology
}

/// Every host can dial the last one, and every forward wants another port of it.
fn crowded(hosts: usize, forwards: usize) -> Topology {
    let mut topology = spread(hosts, 0);
    let last = id(hosts - 1);
    for n in 0..hosts - 1 {
        topology.links.push(Link::new(HostId::new(id(n)), HostId::new(last.as_str())));
    }
    topology.forwards = (0..forwards).map(|n| forward(n, &last, 1024 + n as u16)).collect();
    topology
}

fn empty(hosts: usize) -> Topology {
    Topology {
        name: "large".to_owned(),
        description: None,
        firewalls: Vec::new(),
        hosts: (0..hosts).map(|n| Host::new(HostId::new(id(n)))).collect(),
        links: vec![Link::new(HostId::local(), HostId::new(id(0)))],
        forwards: Vec::new(),
        policy: Policy::default(),
    }
}

fn forward(n: usize, host: &str, port: u16) -> Forward {
    Forward {
        id: ForwardId(format!("f{n}")),
        at: HostId::local(),
        on: None,
        listen: Listen::AUTO,
        to: Target::Dialled { host: HostId::new(host), port },
        check: Check::Tcp,
        required: true,
        expose: false,
        plain: Plain::Last,
        on_down: OnDown::default(),
        protocol: None,
    }
}
