//! What a server may do to us: show its key, refuse a channel, pass on a client that came where this
//! session asked it to listen, say why it ends, and nothing else. Every other channel that a server
//! opens is refused: hopper asked for none.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::PublicKeyOrCertificate;
use russh::{Channel, ChannelId, ChannelOpenFailure, Names, cipher};
use tokio::sync::Notify;

use super::listening::Listening;
use super::trust::{Expectation, HostKeyRefusal};
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
    /// The server's own words at the end.
    farewell: Option<String>,
    refusals: VecDeque<(ChannelOpenFailure, String)>,
    /// Login banners so far.
    banners: usize,
}

/// The most login banners of one session that are logged: nobody is trusted yet who sends them.
const BANNERS_LOGGED: usize = 4;

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

    /// The server's own reason for ending the session, if it gave one; escaped.
    pub fn ending_by_server(&self) -> Option<String> {
        self.facts().farewell.clone()
    }

    /// A login banner for the log, escaped; `None` once there were too many.
    fn banner(&self, text: &str) -> Option<String> {
        let mut facts = self.facts();
        facts.banners += 1;
        (facts.banners <= BANNERS_LOGGED).then(|| escape(text))
    }

    /// Notes why the session ends, unless that is known already.
    pub fn end_with(&self, ending: &str) {
        self.facts().ending.get_or_insert_with(|| ending.to_owned());
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
    /// Where findings go.
    pub notes: Arc<Notes>,
    /// Where the server was asked to listen.
    pub listening: Listening,
}

impl Gatekeeper {
    fn judge(&self, shown: &PublicKeyOrCertificate) -> Result<(), HostKeyRefusal> {
        match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => self.expectation.judge(key),
            PublicKeyOrCertificate::Certificate(_) => Err(HostKeyRefusal::Certificate),
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
        let first = self.notes.algorithms().is_none();
        // The server says whether it keeps strict order only in the first exchange.
        if first && !names.strict_kex() && names.cipher == cipher::CHACHA20_POLY1305 {
            self.notes.end_with(
                "it would let somebody on the way drop messages unnoticed (CVE-2023-48795, no strict key exchange)",
            );
            return Err(russh::Error::Disconnect);
        }
        self.notes.facts().algorithms = Some(format!("{} · {}", names.kex.as_ref(), names.cipher.as_ref()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banners_without_end_do_not_fill_the_log() {
        let notes = Notes::default();
        let logged: Vec<String> = (0..1_000_000).filter_map(|_| notes.banner("\u{1b}[2Jhello")).collect();
        assert_eq!(logged, ["\\u{1b}[2Jhello"; BANNERS_LOGGED]);
    }
}
