//! What a server may do to us: show its key, refuse a channel, say why it ends, and nothing else.
//! Every channel that a server opens is refused: hopper asked for none.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::{PublicKey, PublicKeyOrCertificate};
use russh::{Channel, ChannelId, ChannelOpenFailure, Names};
use tokio::sync::Notify;

use super::trust::{Expectation, Fingerprint, HostKeyRefusal};
use crate::topology::escape;

/// What a session's handler noted, shared with the session's owner.
#[derive(Default)]
pub struct Notes {
    facts: Mutex<Facts>,
    /// Woken when a channel was refused.
    refused: Notify,
}

#[derive(Default)]
struct Facts {
    host_key: Option<HostKeyRefusal>,
    algorithms: Option<String>,
    ending: Option<String>,
    refusals: VecDeque<(ChannelOpenFailure, String)>,
}

/// The most refusals kept until somebody asks for their text.
const REFUSALS_KEPT: usize = 32;

impl Notes {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the host key was not accepted, if it was not.
    pub fn host_key_refusal(&self) -> Option<HostKeyRefusal> {
        self.facts().host_key.clone()
    }

    /// The algorithms agreed on, for the eye.
    pub fn algorithms(&self) -> Option<String> {
        self.facts().algorithms.clone()
    }

    /// Why the session ended, as far as it is known; escaped.
    pub fn ending(&self) -> Option<String> {
        self.facts().ending.clone()
    }

    /// The server's words for a refused channel, escaped; empty if it said nothing.
    ///
    /// russh tells the opener the reason and the handler the words, without naming the opener; so the
    /// oldest words of the same reason are taken. They come a moment after the reason.
    pub async fn words_for(&self, reason: &ChannelOpenFailure) -> String {
        loop {
            let noted = self.refused.notified();
            {
                let refusals = &mut self.facts().refusals;
                if let Some(at) = refusals.iter().position(|(noted, _)| noted == reason) {
                    return refusals.remove(at).map(|(_, words)| words).unwrap_or_default();
                }
            }
            noted.await;
        }
    }
}

/// The handler of one session.
pub struct Gatekeeper {
    /// What the server must show.
    pub expectation: Expectation,
    /// The key accepted at the first exchange; a later exchange must show the same.
    pub accepted: Option<PublicKey>,
    /// Where findings go.
    pub notes: Arc<Notes>,
}

impl Gatekeeper {
    fn judge(&mut self, shown: &PublicKeyOrCertificate) -> Result<(), HostKeyRefusal> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else {
            return Err(HostKeyRefusal::Certificate);
        };
        match &self.accepted {
            Some(accepted) if accepted.key_data() == key.key_data() => Ok(()),
            Some(_) => Err(HostKeyRefusal::ChangedInSession { presented: Fingerprint::of(key) }),
            None => {
                self.expectation.judge(key)?;
                self.accepted = Some(key.clone());
                Ok(())
            }
        }
    }
}

impl Handler for Gatekeeper {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        match self.judge(shown) {
            Ok(()) => Ok(true),
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
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.notes.facts().algorithms = Some(format!("{} · {}", names.kex.as_ref(), names.cipher.as_ref()));
        Ok(())
    }

    async fn auth_banner(&mut self, banner: &str, _session: &mut Session) -> Result<(), Self::Error> {
        tracing::info!(banner = escape(banner), "the server's login banner");
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
                format!("the server ended the session: {}", escape(&info.message))
            }
            DisconnectReason::Error(error) => ending_of(error),
        };
        self.notes.facts().ending = Some(ending);
        match reason {
            DisconnectReason::ReceivedDisconnect(_) => Ok(()),
            DisconnectReason::Error(error) => Err(error),
        }
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _connected_address: &str,
        _connected_port: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse("forwarded-tcpip", reply).await
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
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse("auth-agent", reply).await
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
    tracing::warn!(kind, "refused a channel that the server opened unasked");
    reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
    Ok(())
}

/// The end of a session in a person's words.
fn ending_of(error: &russh::Error) -> String {
    match error {
        russh::Error::KeepaliveTimeout => "it stopped answering".to_owned(),
        russh::Error::InactivityTimeout => "nothing came from it any more".to_owned(),
        russh::Error::Disconnect | russh::Error::HUP => "the connection was closed".to_owned(),
        russh::Error::IO(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the connection was closed".to_owned()
        }
        other => escape(&other.to_string()),
    }
}
