//! A host of the lab: an SSH server that lets one key in, dials for it what the file's links allow, and
//! listens for it inside the lab. What it is told to run it plays (`shell.rs`); it never runs a program and
//! never leaves this process.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::PrivateKey;
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
};
use russh::{Channel, ChannelOpenFailure, Limits, MethodKind, MethodSet};
use tokio::io::DuplexStream;

use crate::topology::{Address, HostId};

use super::algorithms;
use super::listeners::{Listener, Owner};
use super::pump;
use super::refusal::Refusal;
use super::rules::Answer;
use super::shell;
use super::transport::Transport;
use super::world::World;

/// How every host of the lab is set up, but for its key.
pub(super) fn config(key: PrivateKey) -> Config {
    Config {
        methods: MethodSet::from([MethodKind::PublicKey].as_slice()),
        // There is no secret here to protect from guessing, and the default costs a second.
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![key],
        preferred: algorithms::everything(),
        // Rekeying belongs to the client; a server that starts one under load can break the session.
        limits: Limits {
            rekey_write_limit: usize::MAX,
            rekey_read_limit: usize::MAX,
            rekey_time_limit: Duration::from_secs(1 << 30),
        },
        window_size: 2 * 1024 * 1024,
        maximum_packet_size: 32 * 1024,
        inactivity_timeout: None,
        keepalive_interval: None,
        ..Config::default()
    }
}

/// Serves one client until it leaves. Boxed, because a host dials hosts.
pub(super) fn serve(
    world: Arc<World>,
    host: HostId,
    config: Arc<Config>,
    wire: DuplexStream,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let transport = Transport::new(wire, world.closing());
        let visit = Visit { world, host: host.clone(), listens: Vec::new() };
        let ended = match russh::server::run_stream(config, transport, visit).await {
            Ok(session) => session.await,
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::debug!(%host, %error, "a client left the lab without goodbye");
        }
    })
}

/// One client's session on one host.
struct Visit {
    world: Arc<World>,
    host: HostId,
    /// Where it asked the host to listen.
    listens: Vec<(String, u16)>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        for (_, port) in &self.listens {
            self.world.rules().listeners.close(&self.host, *port);
        }
    }
}

impl Visit {
    fn judge(&self, key: &russh::keys::PublicKey) -> Auth {
        // The comment of a key is not part of it.
        if key.key_data() == self.world.client_key().key_data() { Auth::Accept } else { Auth::reject() }
    }

    /// Dials for the client, beside the session: its other channels do not wait for a way that is silent.
    fn open(&self, channel: Channel<Msg>, answer: Result<Answer, Refusal>, reply: ChannelOpenHandle) {
        let (world, host) = (self.world.clone(), self.host.clone());
        self.world.spawn(async move {
            let wire = match answer {
                Ok(answer) => world.connect(&host, answer).await,
                Err(refusal) => {
                    tracing::info!(%host, %refusal, "the lab refuses a dial");
                    None
                }
            };
            match wire {
                Some(wire) => {
                    reply.accept().await;
                    pump::join(channel, wire).await;
                }
                None => reply.reject(ChannelOpenFailure::ConnectFailed).await,
            }
        });
    }
}

async fn prohibit(reply: ChannelOpenHandle) -> Result<(), russh::Error> {
    reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
    Ok(())
}

/// Only direct-tcpip and direct-streamlocal channels are accepted (RFC 4254 section 7.2, OpenSSH
/// PROTOCOL section 2.4), and listeners on ports, at the address they are asked for as with
/// `GatewayPorts clientspecified`, and sessions, for commands only. What would be accepted or refused by default is written out, so that a new
/// russh cannot change it unseen.
impl Handler for Visit {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        _: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(self.judge(offer.public_key))
    }

    async fn auth_publickey(&mut self, _: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(self.judge(key.public_key))
    }

    async fn auth_none(&mut self, _: &str) -> Result<Auth, Self::Error> {
        Ok(Auth::reject())
    }

    async fn auth_password(&mut self, _: &str, _: &str) -> Result<Auth, Self::Error> {
        Ok(Auth::reject())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host_to_connect: &str,
        port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let answer = match u16::try_from(port_to_connect) {
            Ok(port) => self.world.rules().dial(&self.host, &Address::new(host_to_connect, port)),
            Err(_) => Err(Refusal::Closed { at: format!("{host_to_connect}:{port_to_connect}") }),
        };
        self.open(channel, answer, reply);
        Ok(())
    }

    async fn channel_open_direct_streamlocal(
        &mut self,
        channel: Channel<Msg>,
        socket_path: &str,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let answer = self.world.rules().dial_unix(&self.host, socket_path);
        self.open(channel, answer, reply);
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        self.world.spawn(shell::serve(self.world.clone(), self.host.clone(), channel, session.handle()));
        Ok(())
    }

    async fn channel_open_x11(
        &mut self,
        _channel: Channel<Msg>,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        prohibit(reply).await
    }

    async fn channel_open_forwarded_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _host_to_connect: &str,
        _port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        prohibit(reply).await
    }

    async fn tcpip_forward(
        &mut self,
        address: &str,
        port: &mut u32,
        session: &mut Session,
    ) -> Result<bool, Self::Error> {
        let rules = self.world.rules();
        let listener = Listener { address: address.to_owned(), owner: Owner::Session(session.handle()) };
        let is_taken = |port| rules.is_taken(&self.host, port);
        let wanted = u16::try_from(*port).ok();
        let Some(opened) =
            wanted.and_then(|wanted| rules.listeners.open(&self.host, wanted, listener, is_taken))
        else {
            return Ok(false);
        };
        *port = opened.into();
        self.listens.push((address.to_owned(), opened));
        Ok(true)
    }

    async fn cancel_tcpip_forward(
        &mut self,
        address: &str,
        port: u32,
        _: &mut Session,
    ) -> Result<bool, Self::Error> {
        let own = |(asked, opened): &(String, u16)| asked == address && u32::from(*opened) == port;
        let Some(at) = self.listens.iter().position(own) else { return Ok(false) };
        let (_, port) = self.listens.remove(at);
        self.world.rules().listeners.close(&self.host, port);
        Ok(true)
    }

    async fn streamlocal_forward(&mut self, _: &str, _: &mut Session) -> Result<bool, Self::Error> {
        Ok(false)
    }
}
