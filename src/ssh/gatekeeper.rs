//! What a server may do to us: show its key, refuse a channel, pass on a client that came where this
//! session asked it to listen, use the agent while a command may, say why it ends, and nothing else. Every other channel that a server
//! opens is refused: hopper asked for none.

use std::sync::Arc;

use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::{PublicKey, PublicKeyOrCertificate};
use russh::{Channel, ChannelId, ChannelOpenFailure, Names, cipher};
use tokio::sync::{mpsc, oneshot};

use super::expectation::{Expectation, Grounds};
use super::host_key_refusal::HostKeyRefusal;
use super::lending::Lending;
use super::listening::Listening;
use super::newcomer::Newcomer;
use super::notes::{Notes, REFUSALS_KEPT};
use crate::topology::escape;

/// The handler of one session.
pub struct Gatekeeper {
    /// What the server must show.
    pub expectation: Expectation,
    /// Where findings go.
    pub notes: Arc<Notes>,
    /// Where the server was asked to listen.
    pub listening: Listening,
    /// The agent, where a command may use it.
    pub lending: Lending,
    /// Whoever opens the session settles what to do about a key that is refused as it is.
    pub newcomers: mpsc::Sender<Newcomer>,
}

impl Gatekeeper {
    async fn judge(&self, shown: &PublicKeyOrCertificate) -> Result<Grounds, HostKeyRefusal> {
        let refusal = match self.expectation.judge(shown) {
            Err(refusal) if self.expectation.may_accept(&refusal) => refusal,
            judged => return judged,
        };
        let (answer, settled) = oneshot::channel();
        let (key, expectation) = (shown.public_key(), self.expectation.clone());
        let newcomer = Newcomer { key, refusal: refusal.clone(), expectation, answer };
        match self.newcomers.send(newcomer).await {
            Ok(()) => settled.await.unwrap_or(Err(refusal)),
            Err(_) => Err(refusal),
        }
    }
}

impl Handler for Gatekeeper {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        match self.judge(shown).await {
            Ok(grounds) => {
                self.expectation.met(&shown.public_key(), grounds);
                self.notes.facts().shown = Some(shown.public_key());
                Ok(true)
            }
            Err(refusal) => {
                self.notes.facts().host_key = Some(refusal);
                Ok(false)
            }
        }
    }

    async fn kex_done(
        &mut self,
        _shared_secret: Option<&[u8]>,
        names: &Names,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let first = self.notes.facts().agreed.is_none();
        // The server says whether it keeps strict order only in the first exchange.
        let open_to_terrapin = names.cipher == cipher::CHACHA20_POLY1305
            || (names.cipher.as_ref().ends_with("-cbc")
                && [names.client_mac, names.server_mac].iter().any(|mac| mac.as_ref().contains("-etm@")));
        if first && !names.strict_kex() && open_to_terrapin {
            self.notes.end_for(
                "it would let somebody on the way drop messages unnoticed (CVE-2023-48795, no strict key exchange)",
            );
            return Err(russh::Error::Disconnect);
        }
        let mut facts = self.notes.facts();
        let agreed = facts.agreed.get_or_insert_with(|| names.key.clone());
        let another = *agreed != names.key;
        facts.algorithms = Some(format!("{} · {}", names.kex.as_ref(), names.cipher.as_ref()));
        facts.rekeyed = !first;
        facts.openssh = session.remote_sshid().starts_with(b"SSH-2.0-OpenSSH_");
        drop(facts);
        if another {
            self.notes.end_for("it took another kind of host key when keys were exchanged anew");
            return Err(russh::Error::Disconnect);
        }
        self.notes.keys.notify_one();
        Ok(())
    }

    async fn openssh_ext_host_keys_announced(
        &mut self,
        keys: Vec<PublicKey>,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.notes.facts().announced = Some(keys);
        self.notes.keys.notify_one();
        Ok(())
    }

    async fn auth_banner(&mut self, banner: &str, _session: &mut Session) -> Result<(), Self::Error> {
        if let Some(banner) = self.notes.banner(banner) {
            tracing::info!(banner, "the server's login banner");
        }
        Ok(())
    }

    async fn channel_open_failure(
        &mut self,
        _channel: ChannelId,
        reason: ChannelOpenFailure,
        description: &str,
        _language: &str,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let mut facts = self.notes.facts();
        if facts.refusals.len() == REFUSALS_KEPT {
            facts.refusals.pop_front();
        }
        facts.refusals.push_back((reason, escape(description)));
        drop(facts);
        self.notes.refused.notify_waiters();
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Self::Error>) -> Result<(), Self::Error> {
        let ending = match &reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                let words = escape(&info.message);
                let ending = format!("the server ended the session: {words}");
                self.notes.facts().farewell = Some(words);
                ending
            }
            DisconnectReason::Error(error) => ending_of(error),
        };
        self.notes.end_with(&ending);
        match reason {
            DisconnectReason::ReceivedDisconnect(_) => Ok(()),
            DisconnectReason::Error(error) => Err(error),
        }
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        channel: Channel<Msg>,
        connected_address: &str,
        connected_port: u32,
        originator_address: &str,
        originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.listening.find(connected_address, connected_port) {
            Some(asked) => asked.offer(channel, reply, originator_address, originator_port).await,
            None => refuse("forwarded-tcpip", reply).await?,
        }
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _socket_path: &str,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse("forwarded-streamlocal", reply).await
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.lending.open(channel, reply) {
            Ok(()) => Ok(()),
            Err(reply) => refuse("auth-agent", reply).await,
        }
    }

    async fn server_channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse("session", reply).await
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _host_to_connect: &str,
        _port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse("direct-tcpip", reply).await
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _socket_path: &str,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse("direct-streamlocal", reply).await
    }

    async fn server_channel_open_x11(
        &mut self,
        _channel: Channel<Msg>,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse("x11", reply).await
    }
}

async fn refuse(kind: &str, reply: ChannelOpenHandle) -> Result<(), russh::Error> {
    tracing::debug!(kind, "refused a channel that the server opened unasked");
    reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
    Ok(())
}

/// The end of a session in a person's words.
fn ending_of(error: &russh::Error) -> String {
    match error {
        russh::Error::KeepaliveTimeout => "it stopped answering".to_owned(),
        russh::Error::Disconnect | russh::Error::HUP => "the connection was closed".to_owned(),
        russh::Error::IO(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the connection was closed".to_owned()
        }
        other => escape(&other.to_string()),
    }
}
