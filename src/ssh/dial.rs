//! What a session has its server dial: the channel that it opens, and why it did not. Knows nothing of who wants it.

use std::net::SocketAddr;
use std::time::Duration;

use russh::ChannelOpenFailure;
use russh::client::{Handle, Msg};

use super::channel::Channel;
use super::dial_error::DialError;
use super::gatekeeper::Gatekeeper;
use super::notes::Notes;
use super::session::{Session, Unanswered};
use crate::topology::Endpoint;

impl Session {
    /// Has the server dial a target and hands over the stream (RFC 4254, section 7.2). `originator` is
    /// who connected here, for the server's log.
    ///
    /// A stream that the server opens after `within` has passed is closed again at once.
    ///
    /// # Errors
    /// What stood in the way.
    pub async fn dial(
        &self,
        endpoint: &Endpoint,
        originator: Option<SocketAddr>,
        within: Duration,
    ) -> Result<Channel, DialError> {
        let (handle, notes, channels) = (self.handle(), self.notes(), self.channels());
        let (endpoint, member) = (endpoint.clone(), channels.join());
        let dialling = async move {
            match open_channel(&handle, &endpoint, originator).await {
                Ok(channel) => Ok(channels.take(channel, member)),
                Err(russh::Error::ChannelOpenFailure(reason)) => Err(refusal(&notes, reason).await),
                Err(_) => Err(DialError::SessionLost),
            }
        };
        match self.ask(within, dialling).await {
            Ok(opened) => opened,
            Err(Unanswered::TimedOut) => Err(DialError::TimedOut),
            Err(Unanswered::SessionLost) => Err(DialError::SessionLost),
        }
    }
}

/// What the server says about a channel that it refused; escaped.
pub(super) async fn words_of(notes: &Notes, reason: &ChannelOpenFailure) -> String {
    let said = tokio::time::timeout(Duration::from_millis(200), notes.words_for(reason));
    said.await.unwrap_or_default()
}

async fn refusal(notes: &Notes, reason: ChannelOpenFailure) -> DialError {
    let said = words_of(notes, &reason).await;
    match reason {
        ChannelOpenFailure::AdministrativelyProhibited => DialError::Prohibited(said),
        ChannelOpenFailure::ConnectFailed => DialError::Failed(said),
        _ => DialError::Refused(said),
    }
}

async fn open_channel(
    handle: &Handle<Gatekeeper>,
    endpoint: &Endpoint,
    originator: Option<SocketAddr>,
) -> Result<russh::Channel<Msg>, russh::Error> {
    match endpoint {
        Endpoint::Unix(path) => handle.channel_open_direct_streamlocal(path).await,
        Endpoint::Tcp(address) => {
            let (from, port) = originator.map_or(("127.0.0.1".to_owned(), 0), |originator| {
                (originator.ip().to_string(), originator.port())
            });
            handle.channel_open_direct_tcpip(&address.host, address.port.into(), from, port.into()).await
        }
    }
}
