//! What all hosts of one lab share: the rules, the host keys, and the token that ends everything.
//! Joins a dialler to whatever answers; never decides whether it may.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{PrivateKey, PublicKey};
use russh::server::Config;
use tokio::io::DuplexStream;
use tokio_util::sync::CancellationToken;

use crate::topology::{Algorithms, HostId, Topology};

use super::algorithms;
use super::faults::Faults;
use super::host;
use super::listeners::{Listener, Owner};
use super::pump;
use super::rules::{Answer, Rules};

/// Bytes in flight each way between two machines of the lab.
const WIRE: usize = 256 * 1024;

/// The state that every session of a lab refers to.
pub(super) struct World {
    rules: RwLock<Arc<Rules>>,
    servers: RwLock<HashMap<HostId, Server>>,
    client_key: PublicKey,
    faults: Option<Faults>,
    closing: CancellationToken,
}

#[derive(Clone)]
struct Server {
    key: PublicKey,
    /// What its key was chosen for.
    algorithms: Algorithms,
    config: Arc<Config>,
}

impl World {
    /// Makes a host key and a server configuration for every host that runs SSH.
    pub(super) fn new(topology: &Topology, client_key: PublicKey, faults: Option<Faults>) -> Self {
        let world = World {
            rules: RwLock::new(Arc::new(Rules::new(topology))),
            servers: RwLock::default(),
            client_key,
            faults,
            closing: CancellationToken::new(),
        };
        world.add_servers(topology);
        world
    }

    /// Goes by another topology from now on. Hosts that are known keep their keys, and sessions go on.
    pub(super) fn renew(&self, topology: &Topology) {
        self.add_servers(topology);
        let mut rules = Rules::new(topology);
        rules.listeners = self.rules().listeners.clone();
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    fn add_servers(&self, topology: &Topology) {
        let mut servers = self.servers.write().unwrap_or_else(PoisonError::into_inner);
        for host in topology.hosts.iter().filter(|host| host.ssh) {
            let known = servers.get(&host.id);
            if known.is_none_or(|server| server.algorithms != host.algorithms) {
                let private = algorithms::host_key(&host.algorithms);
                let key = private.public_key().clone();
                let (algorithms, config) = (host.algorithms.clone(), Arc::new(host::config(private)));
                servers.insert(host.id.clone(), Server { key, algorithms, config });
            }
        }
    }

    pub(super) fn rules(&self) -> Arc<Rules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn server(&self, host: &HostId) -> Option<Server> {
        self.servers.read().unwrap_or_else(PoisonError::into_inner).get(host).cloned()
    }

    pub(super) fn client_key(&self) -> &PublicKey {
        &self.client_key
    }

    pub(super) fn host_key(&self, host: &HostId) -> Option<PublicKey> {
        self.server(host).map(|server| server.key)
    }

    pub(super) fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }

    /// The wire from one host to what answers there: the dialler's end. `None` where the way there refuses;
    /// waits while it is silent.
    pub(super) async fn connect(self: &Arc<Self>, from: &HostId, answer: Answer) -> Option<DuplexStream> {
        let Some(faults) = &self.faults else { return Some(self.answer(answer)) };
        let way = faults.dial(from, answer.host());
        if !way.admits().await {
            return None;
        }
        let (near, far) = tokio::io::duplex(WIRE);
        self.spawn(way.carry(far, self.answer(answer)));
        Some(near)
    }

    /// Starts what answers, and gives the other end of its wire.
    fn answer(self: &Arc<Self>, answer: Answer) -> DuplexStream {
        let (near, far) = tokio::io::duplex(WIRE);
        match answer {
            Answer::Ssh(id) => match self.server(&id) {
                Some(server) => {
                    self.spawn(host::serve(self.clone(), id, server.config, far));
                }
                None => tracing::error!(host = %id, "the lab has no server for this host"),
            },
            Answer::StandIn { host, stand_in } => {
                self.spawn(async move {
                    if let Err(error) = stand_in.serve(&host, far).await {
                        tracing::debug!(%host, %error, "a stand-in of the lab lost its client");
                    }
                });
            }
            Answer::Listener(host, port) => {
                // It may be given back by now; then the dialler's wire just ends.
                if let Some(listener) = self.rules().listeners.at(&host, port) {
                    self.meet(host, port, listener, far);
                }
            }
        }
        near
    }

    /// Joins a dialler to the client whose listener it met.
    fn meet(self: &Arc<Self>, host: HostId, port: u16, listener: Listener, far: DuplexStream) {
        let Listener { address, owner } = listener;
        match owner {
            Owner::Session(session) => self.spawn(async move {
                let opened = session.channel_open_forwarded_tcpip(address, port.into(), "127.0.0.1", 0).await;
                match opened {
                    Ok(channel) => pump::join(channel, far).await,
                    Err(error) => tracing::debug!(%host, %error, "a client turned a stream away"),
                }
            }),
            Owner::Client { server, target, gone } => {
                let world = self.clone();
                self.spawn(async move {
                    match world.rules().dial_endpoint(&server, &target) {
                        Ok(answer) => {
                            let bridge = async {
                                if let Some(wire) = world.connect(&server, answer).await {
                                    pump::bridge(far, wire).await;
                                }
                            };
                            // Streams of a client end with it.
                            let _ = gone.run_until_cancelled_owned(bridge).await;
                        }
                        Err(refusal) => tracing::info!(%server, %refusal, "the lab refuses a dial"),
                    }
                });
            }
        }
    }

    /// Runs a task that ends with the lab.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.closing().run_until_cancelled_owned(task));
    }
}

/// A new ed25519 key that no file ever holds.
pub(super) fn fresh_key() -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::random(&mut rand::rng()))
}
