//! One chain through three gates, going up, standing and failing, for the tests of this room.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use super::Style;
use crate::engine::{
    Event, Exit, Failure, ForwardSnapshot, ForwardState, ListenAddress, Phase, RunState, Snapshot, Stage,
    Status, TunnelSnapshot, TunnelState,
};
use crate::plan::{Carrier, Client, Plan, PlannedForward, Tunnel, TunnelId};
use crate::topology::{
    Address, Check, Endpoint, Forward, ForwardId, Host, HostId, Listen, OnDown, Plain, Probe, Reconnect,
    Strategy, Target,
};

/// A terminal as most people have it, without colour.
pub(super) const NICE: Style = Style { colour: false, unicode: true, width: 80 };

pub(super) fn id(number: usize) -> TunnelId {
    TunnelId(format!("T{number}"))
}

pub(super) fn vnc() -> ForwardId {
    ForwardId("screen".to_owned())
}

/// A chain through these hosts to a screen behind the last.
pub(super) fn plan(hosts: &[&str]) -> Plan {
    let tunnels: Vec<Tunnel> = (1..=hosts.len())
        .map(|at| Tunnel {
            id: id(at),
            client: Client::Local,
            server: Host::new(HostId::new(hosts[at - 1])),
            through: (at > 1).then(|| id(at - 1)),
            carrier: (at > 1).then_some(Carrier::Channel),
            target: Address::new(hosts[at - 1], 22),
            hop: at,
            link: at - 1,
            firewalls: Vec::new(),
            kept: None,
            standby: false,
        })
        .collect();
    let route = ["local"].iter().chain(hosts).chain(&["vnc"]).map(|host| HostId::new(*host)).collect();
    let forward = Forward {
        id: vnc(),
        at: HostId::local(),
        on: None,
        listen: Listen::AUTO,
        to: Target::Dialled { host: HostId::new("vnc"), port: 5900 },
        check: Check::Banner("RFB ".to_owned()),
        required: true,
        expose: false,
        plain: Plain::default(),
        on_down: OnDown::default(),
        protocol: Some("vnc".to_owned()),
    };
    Plan {
        topology: "through-firewalls".to_owned(),
        at: HostId::local(),
        strategy: Strategy::Nested,
        layers: tunnels.iter().map(|tunnel| vec![tunnel.id.clone()]).collect(),
        forwards: vec![PlannedForward {
            forward,
            listener: None,
            entry: None,
            via: tunnels.last().map(|tunnel| tunnel.id.clone()),
            target: Endpoint::Tcp(Address::new("vnc", 5900)),
            route,
            within: false,
            links: (0..=hosts.len()).collect(),
            walls: vec![Vec::new(); hosts.len() + 1],
            tunnels: tunnels.iter().map(|tunnel| tunnel.id.clone()).collect(),
            alternatives: None,
            standby: Vec::new(),
        }],
        tunnels,
        parallel: 8,
        reconnect: Reconnect::default(),
        probe: Probe::default(),
        drain: Duration::ZERO,
        failover: None,
    }
}

pub(super) fn three() -> Plan {
    plan(&["gate-a", "gate-b", "gate-c"])
}

pub(super) fn local() -> SocketAddr {
    ([127, 0, 0, 1], 5900).into()
}

/// A whole run: up, then down.
pub(super) fn run() -> Vec<Event> {
    let mut events = Vec::new();
    for at in 1..=3 {
        events.extend(Stage::ALL.map(|stage| Event::Stage { tunnel: id(at), stage }));
        let detail = "curve25519-sha256 · aes256-gcm@openssh.com · agent".to_owned();
        events.push(Event::TunnelUp { tunnel: id(at), elapsed: Duration::from_millis(182), detail });
    }
    events.push(Event::ForwardListening { forward: vnc(), at: ListenAddress::here(local()) });
    events.push(Event::ForwardChecking { forward: vnc() });
    events.push(Event::ForwardUp {
        forward: vnc(),
        at: ListenAddress::here(local()),
        answer: Some("RFB 003.008\n\x1b]0;gotcha\x07".to_owned()),
        elapsed: Duration::from_millis(74),
    });
    events.push(Event::Up { elapsed: Duration::from_millis(900) });
    events.push(Event::Closing);
    events.push(Event::ForwardClosed { forward: vnc() });
    events.extend((1..=3).rev().map(|at| Event::TunnelClosed { tunnel: id(at) }));
    events.push(Event::Down);
    events
}

pub(super) fn login_failure() -> Failure {
    Failure {
        code: "H0401",
        exit: Exit::Login,
        phase: Phase::Login,
        message: "gate-b refused every way to log in".to_owned(),
        hop: Some((2, 4)),
        host: Some(HostId::new("gate-b")),
        tunnel: Some(id(2)),
        facts: vec![
            ("as", "alice".to_owned()),
            ("offered", "agent  ed25519 SHA256:p3Fq…  refused".to_owned()),
            ("offered", "~/.ssh/id_rsa  not tried".to_owned()),
            ("accepts", "publickey, keyboard-\x1b[2Jinteractive".to_owned()),
        ],
        help: vec!["try the same login with OpenSSH:\nssh -v alice@gate-b".to_owned()],
    }
}

pub(super) fn status() -> (Status, SystemTime) {
    let since = SystemTime::UNIX_EPOCH;
    let tunnel = |at: usize, rtt, reconnects, cause: Option<&str>| TunnelSnapshot {
        id: id(at),
        through: (at > 1).then(|| id(at - 1)),
        server: HostId::new(["gate-a", "gate-b", "gate-c"][at - 1]),
        state: TunnelState::Up,
        rtt: Some(Duration::from_millis(rtt)),
        reconnects,
        cause: cause.map(str::to_owned),
        code: None,
    };
    let snapshot = Snapshot {
        state: RunState::Up,
        since,
        tunnels: vec![
            tunnel(1, 18, 0, None),
            tunnel(2, 31, 1, Some("peer \x1breset")),
            tunnel(3, 44, 0, None),
        ],
        forwards: vec![ForwardSnapshot {
            id: vnc(),
            via: Some(id(3)),
            listen: Some(ListenAddress::here(local())),
            to: "vnc:5900".to_owned(),
            protocol: Some("vnc".to_owned()),
            state: ForwardState::Up,
            clients: 2,
            connections: 9,
            bytes_up: 12_400_000,
            bytes_down: 388_000_000,
            proved_at: Some(since),
            lost: 0,
            cause: None,
            code: None,
            standby: None,
        }],
    };
    (Status::new("through-firewalls", 48213, &snapshot), since + Duration::from_secs(8_040))
}
