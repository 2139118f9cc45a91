//! Where hosts of the lab listen for clients: those that log in and ask for it (RFC 4254, section 7.1),
//! and those that run on the host itself. Knows which port is whose; never opens a socket.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::server::Handle;
use tokio_util::sync::CancellationToken;

use crate::topology::{Endpoint, HostId};

/// The ports that a host of the lab chooses from when it may.
const CHOSEN: std::ops::RangeInclusive<u16> = 49152..=65535;

/// All listeners of a lab that clients have.
#[derive(Clone, Default)]
pub(super) struct Listeners(Arc<Mutex<HashMap<(HostId, u16), Listener>>>);

/// One of them.
#[derive(Clone)]
pub(super) struct Listener {
    /// The address as it was asked for.
    pub address: String,
    /// Whose it is.
    pub owner: Owner,
}

/// For whom a host listens.
#[derive(Clone)]
pub(super) enum Owner {
    /// A client that is logged in, and asked for it over this session.
    Session(Handle),
    /// A client that runs on the host.
    Client {
        /// Where it is logged in.
        server: HostId,
        /// What the server dials for it.
        target: Endpoint,
        /// Fires when the client has ended.
        gone: CancellationToken,
    },
}

impl Listener {
    fn is_loopback(&self) -> bool {
        self.address == "localhost" || self.address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }
}

impl Listeners {
    fn all(&self) -> MutexGuard<'_, HashMap<(HostId, u16), Listener>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens on a port of a host, or on one that is free for port 0. The port, unless it is taken.
    pub fn open(
        &self,
        host: &HostId,
        port: u16,
        listener: Listener,
        is_taken: impl Fn(u16) -> bool,
    ) -> Option<u16> {
        let mut all = self.all();
        let wanted = if port == 0 { CHOSEN } else { port..=port };
        let mut free = wanted.filter(|port| !is_taken(*port) && !all.contains_key(&(host.clone(), *port)));
        let port = free.next()?;
        all.insert((host.clone(), port), listener);
        Some(port)
    }

    /// Listens there no more.
    pub fn close(&self, host: &HostId, port: u16) {
        self.all().remove(&(host.clone(), port));
    }

    /// What listens on a port of a host.
    pub fn at(&self, host: &HostId, port: u16) -> Option<Listener> {
        self.all().get(&(host.clone(), port)).cloned()
    }

    /// Whether a program on the host meets a listener there; other hosts do not when it is for loopback.
    pub fn answers(&self, host: &HostId, port: u16, from_elsewhere: bool) -> bool {
        self.at(host, port).is_some_and(|listener| !(from_elsewhere && listener.is_loopback()))
    }
}
