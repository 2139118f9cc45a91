//! SSH hosts and firewalls that hopper itself plays, in this process, for `hopper up FILE --lab`.
//!
//! The lab knows a [`Topology`] and nothing else, which another one may replace: every host of it that runs SSH is a real SSH
//! server on in-memory streams, every link and firewall is checked for every dial, and behind the
//! ports that the forwards name stand small honest programs (a VNC screen, a web page, an echo). A host
//! that is told to run its own `ssh` plays that too. What
//! a forward dials from within a host and the file does not know is played as well: it stands
//! somewhere behind that host. It never opens a socket, never reads the person's keys and never
//! touches a host of the file.

mod algorithms;
mod client;
mod command;
mod echo;
mod faults;
mod host;
mod listeners;
mod page;
mod picture;
mod pixel;
mod pump;
mod refusal;
mod rules;
mod screen;
mod shell;
mod stand_in;
#[cfg(test)]
mod tests;
mod transport;
mod world;

use std::io;
use std::sync::Arc;

use russh::keys::{HashAlg, PrivateKey, PublicKey};
use tokio_util::sync::DropGuard;

use crate::ssh::{Dialled, Dialling, Network};
use crate::topology::{Address, HostId, Topology};

pub use faults::{Fault, Faults};
use world::World;

/// The hosts of one topology, alive until this is dropped: then every stream into the lab breaks and
/// every task of it ends.
pub struct Lab {
    world: Arc<World>,
    client_key: PrivateKey,
    _closing: DropGuard,
}

impl Lab {
    /// Plays the hosts of this topology, each with a fresh host key, behind one fresh client key.
    pub fn new(topology: &Topology) -> Self {
        Self::play(topology, None)
    }

    /// The same, where things can be made to go wrong between the hosts.
    pub fn with_faults(topology: &Topology, faults: Faults) -> Self {
        Self::play(topology, Some(faults))
    }

    fn play(topology: &Topology, faults: Option<Faults>) -> Self {
        let client_key = world::fresh_key();
        let world = Arc::new(World::new(topology, client_key.public_key().clone(), faults));
        let closing = world.closing().drop_guard();
        Lab { world, client_key, _closing: closing }
    }

    /// Goes by another topology from now on: hosts that it has keep their keys, and sessions that are open go on.
    pub fn renew(&self, topology: &Topology) {
        self.world.renew(topology);
    }

    /// The key a host proves itself with; `None` for hosts without SSH.
    pub fn host_key(&self, host: &HostId) -> Option<PublicKey> {
        self.world.host_key(host)
    }

    /// The host key's fingerprint, `SHA256:…`, as a topology file pins it.
    pub fn fingerprint(&self, host: &HostId) -> Option<String> {
        self.host_key(host).map(|key| key.fingerprint(HashAlg::Sha256).to_string())
    }

    /// The only key that logs in, on every host and for every user name.
    pub fn client_key(&self) -> PrivateKey {
        self.client_key.clone()
    }
}

impl Network for Lab {
    /// Dials from local. Of another machine only `host` and the port count, because local may write the address in ways
    /// that the file does not know. Without faults it answers at once: a firewall
    /// of the lab refuses instead of dropping, so that trying a file takes no time-outs.
    ///
    /// # Errors
    /// `NetworkUnreachable` without a link from local, `HostUnreachable` naming the firewall or link
    /// that blocks the port, `ConnectionRefused` where nothing of the file listens.
    fn dial<'a>(&'a self, host: &'a HostId, address: &'a Address) -> Dialling<'a> {
        Box::pin(async move {
            let (rules, local) = (self.world.rules(), HostId::local());
            let answer = match host.is_local() {
                true => rules.dial(&local, address),
                false => rules.reach(&local, host, address.port),
            };
            let answer = answer.map_err(|refusal| io::Error::new(refusal.kind(), refusal.to_string()))?;
            let wire = self.world.connect(&local, answer).await.ok_or(io::ErrorKind::ConnectionRefused)?;
            Ok(Dialled::Memory(Box::new(wire)))
        })
    }
}
