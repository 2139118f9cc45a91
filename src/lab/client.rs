//! The `ssh` that a host of the lab runs for whoever logged in there. Nothing is spoken between the two
//! hosts: it is checked that they could, and then the listeners are there. Refuses what `ssh` would for
//! the sake of links, firewalls and ports, in its words; knows nothing of channels.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::topology::{Address, HostId};

use super::command::Ssh;
use super::listeners::{Listener, Owner};
use super::refusal::Refusal;
use super::rules::{Answer, Rules};
use super::world::World;

/// What `ssh` says when somebody answered, but no SSH server.
const NO_SERVER: &str = "kex_exchange_identification: Connection closed by remote host";

/// The most clients that may lead to a server, each through the next: they could form a ring.
const MOST: usize = 64;

/// A client that runs. Its listeners and their streams are gone when this is dropped.
pub(super) struct Client {
    world: Arc<World>,
    host: HostId,
    ports: Vec<u16>,
    gone: CancellationToken,
}

impl Drop for Client {
    fn drop(&mut self) {
        for port in &self.ports {
            self.world.rules().listeners.close(&self.host, *port);
        }
        self.gone.cancel();
    }
}

impl Client {
    /// Runs it on a host. It listens when this returns.
    ///
    /// # Errors
    /// What it says before it ends, lines without the last line end.
    pub fn start(world: &Arc<World>, host: &HostId, ssh: &Ssh) -> Result<Self, String> {
        let rules = world.rules();
        let (server, ridden) = server(&rules, host, &Address::new(&ssh.host, ssh.port))?;
        let gone = CancellationToken::new();
        let mut client = Client { world: world.clone(), host: host.clone(), ports: Vec::new(), gone };
        for (port, target) in &ssh.listens {
            let owner =
                Owner::Client { server: server.clone(), target: target.clone(), gone: client.gone.clone() };
            let listener = Listener { address: "*".to_owned(), owner };
            let opened = rules.listeners.open(host, *port, listener, |port| rules.is_taken(host, port));
            client.ports.push(opened.ok_or_else(|| taken(*port))?);
        }
        for below in ridden {
            world.spawn(fall(below, client.gone.clone()));
        }
        Ok(client)
    }

    /// Returns when a client that this one rides has ended.
    pub async fn broken(&self) {
        self.gone.cancelled().await;
    }
}

/// Ends a client with the one that it rides.
async fn fall(below: CancellationToken, gone: CancellationToken) {
    tokio::select! {
        () = below.cancelled() => gone.cancel(),
        () = gone.cancelled() => {}
    }
}

/// The SSH server that a program on `from` meets at an address, and the clients whose listeners lead
/// there.
fn server(
    rules: &Rules,
    from: &HostId,
    address: &Address,
) -> Result<(HostId, Vec<CancellationToken>), String> {
    let mut answer = rules.dial(from, address).map_err(|refusal| unreachable(address, &refusal))?;
    let mut ridden = Vec::new();
    loop {
        let met = match answer {
            Answer::Ssh(host) => return Ok((host, ridden)),
            Answer::StandIn { .. } => None,
            Answer::Listener(host, port) => rules.listeners.at(&host, port),
        };
        match met.map(|listener| listener.owner) {
            Some(Owner::Client { server, target, gone }) if ridden.len() < MOST => {
                ridden.push(gone);
                answer = rules.dial_endpoint(&server, &target).map_err(|refusal| {
                    tracing::info!(%server, %refusal, "the lab refuses a dial");
                    NO_SERVER.to_owned()
                })?;
            }
            // What stands behind a session that asked for a listener is not the lab's to know.
            _ => return Err(NO_SERVER.to_owned()),
        }
    }
}

/// The words of `ssh`, and why the lab is of that opinion.
fn unreachable(address: &Address, refusal: &Refusal) -> String {
    let Address { host, port } = address;
    let words = match refusal {
        Refusal::NoRoute { .. } => "Network is unreachable",
        Refusal::Blocked { .. } => "No route to host",
        Refusal::Closed { .. } => "Connection refused",
    };
    format!("ssh: connect to host {host} port {port}: {words}\nthe lab: {refusal}")
}

fn taken(port: u16) -> String {
    format!(
        "bind [0.0.0.0]:{port}: Address already in use\n\
         channel_setup_fwd_listener_tcpip: cannot listen to port: {port}\n\
         Could not request local forwarding."
    )
}
