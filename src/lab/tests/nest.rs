//! The test nest: a topology of three hosts and a screen, and a plain russh client for it.

use std::sync::Arc;
use std::time::Duration;

use russh::Limits;
use russh::client::{self, AuthResult, Handle};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate};

use crate::ssh::{ByteStream, Dialled, Network};
use crate::topology::{
    Address, Check, Dial, Endpoint, Firewall, FirewallId, Forward, ForwardId, Host, HostId, Link, Listen,
    OnDown, Plain, Policy, PortSet, Target, Topology,
};

use crate::lab::Lab;

const GUARD: Duration = Duration::from_secs(60);

pub(super) fn id(text: &str) -> HostId {
    HostId::new(text)
}

fn forward(to: Target) -> Forward {
    Forward {
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
    }
}

fn within(host: &str, address: &str, port: u16) -> Forward {
    let endpoint = Endpoint::Tcp(Address::new(address, port));
    forward(Target::Within { host: id(host), endpoint })
}

/// local → a → b → c → screen. A firewall that dislikes VNC stands before all but the last.
pub(super) fn topology() -> Topology {
    let wall = Firewall {
        id: FirewallId("fw".to_owned()),
        label: Some("edge".to_owned()),
        allow: None,
        deny: PortSet::new([5900..=5999]),
    };
    let link = |from: &str, to: &str| Link {
        through: if to == "screen" { Vec::new() } else { vec![wall.id.clone()] },
        ..Link::new(id(from), id(to))
    };
    let mut hosts: Vec<Host> = ["a", "b", "c", "screen"].map(|name| Host::new(id(name))).into();
    hosts[1].address = Address::new("10.0.0.2", 2200);
    hosts[3].ssh = false;
    let mut links = vec![link("local", "a"), link("a", "b"), link("b", "c"), link("c", "screen")];
    links[2].dial = Some(Dial { host: "127.0.0.1".to_owned(), port: Some(2222) });
    let unix = Endpoint::Unix("/run/echo".to_owned());
    Topology {
        name: "nest".to_owned(),
        description: None,
        firewalls: vec![wall],
        hosts,
        links,
        forwards: vec![
            forward(Target::Dialled { host: id("screen"), port: 5900 }),
            forward(Target::Dialled { host: id("a"), port: 5901 }),
            within("a", "localhost", 80),
            within("b", "localhost", 7),
            within("c", "127.0.0.1", 7),
            within("c", "Database.example", 7),
            forward(Target::Within { host: id("c"), endpoint: unix }),
        ],
        policy: Policy::default(),
    }
}

pub(super) struct Expect(PublicKey);

impl client::Handler for Expect {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(matches!(key, PublicKeyOrCertificate::PublicKey { key, .. } if *key == self.0))
    }
}

pub(super) async fn open(lab: &Lab, host: &str, wire: impl ByteStream) -> Handle<Expect> {
    let config = client::Config {
        // The queues of a plain russh client must hold everything, or its own nesting deadlocks.
        channel_buffer_size: 100_000,
        limits: Limits {
            rekey_write_limit: usize::MAX,
            rekey_read_limit: usize::MAX,
            rekey_time_limit: Duration::from_secs(1 << 30),
        },
        ..client::Config::default()
    };
    let expect = Expect(lab.host_key(&id(host)).unwrap());
    client::connect_stream(Arc::new(config), wire, expect).await.unwrap()
}

pub(super) async fn login(session: &mut Handle<Expect>, key: PrivateKey) -> AuthResult {
    session.authenticate_publickey("anyone", PrivateKeyWithHashAlg::new(Arc::new(key), None)).await.unwrap()
}

pub(super) async fn through(
    lab: &Lab,
    session: &Handle<Expect>,
    host: &str,
    address: &str,
    port: u32,
) -> Handle<Expect> {
    let channel = session.channel_open_direct_tcpip(address, port, "local", 0).await.unwrap();
    let mut next = open(lab, host, channel.into_stream()).await;
    assert!(login(&mut next, lab.client_key()).await.success());
    next
}

pub(super) async fn dial(lab: &Lab, host: &str, port: u16) -> std::io::Result<Box<dyn ByteStream>> {
    match lab.dial(&id(host), &Address::new(host, port)).await? {
        Dialled::Memory(wire) => Ok(wire),
        Dialled::Tcp(_) => panic!("the lab opened a socket"),
    }
}

/// Sessions on a, b and c, each through the one before.
pub(super) async fn nest(lab: &Lab) -> [Handle<Expect>; 3] {
    let mut a = open(lab, "a", dial(lab, "a", 22).await.unwrap()).await;
    assert!(login(&mut a, lab.client_key()).await.success());
    let b = through(lab, &a, "b", "10.0.0.2", 2200).await;
    let c = through(lab, &b, "c", "127.0.0.1", 2222).await;
    [a, b, c]
}

pub(super) async fn guarded<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(GUARD, test).await.expect("the lab hangs")
}
