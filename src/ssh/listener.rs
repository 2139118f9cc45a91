//! A listener on a session's server (RFC 4254, section 7.1): asked for, served, and given back.
//!
//! Never knows where the server really bound: one that keeps to loopback (`GatewayPorts no` of
//! OpenSSH) answers success to every address all the same. Whoever needs the listener to be reached
//! from elsewhere must try it from there.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use russh::client::Handle;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use super::gatekeeper::Gatekeeper;
use super::listening::{Incoming, Remembered};
use super::session::{Session, Unanswered};

/// Why a server does not listen, or no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenError {
    /// The server refused. The protocol has no words for why: its rules forbid it, the port is taken,
    /// or the person who logged in may not have it.
    Refused,
    /// The server was to choose a port and did not say which.
    NoPort,
    /// No answer in time.
    TimedOut,
    /// The session ended, and the listener with it.
    SessionLost,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ListenError::Refused => "the server refused to listen",
            ListenError::NoPort => "the server did not say at which port it listens",
            ListenError::TimedOut => "no answer in time",
            ListenError::SessionLost => "the session was lost",
        })
    }
}

impl From<Unanswered> for ListenError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::TimedOut => ListenError::TimedOut,
            Unanswered::SessionLost => ListenError::SessionLost,
        }
    }
}

/// A listener on the server of a session. Dropping it gives it back without waiting; streams that were
/// taken from it live on.
pub struct Listener {
    incoming: Receiver<Incoming>,
    lease: Lease,
    ended: CancellationToken,
}

/// The server's listener, until it is given back.
struct Lease {
    address: String,
    port: u16,
    session: Weak<Handle<Gatekeeper>>,
    /// Gone once the listener is given back.
    remembered: Option<Remembered>,
}

impl Session {
    /// Has the server listen at an address and port, both as the server understands them: `localhost`,
    /// `127.0.0.1`, `*` or nothing for everywhere; with port 0 the server chooses one.
    ///
    /// A listener that the server opens after `within` has passed is given back at once.
    ///
    /// # Errors
    /// What stood in the way.
    pub async fn listen(&self, address: &str, port: u16, within: Duration) -> Result<Listener, ListenError> {
        let (handle, listening, channels) = (self.handle(), self.listening(), self.channels());
        let address = address.to_owned();
        let asking = async move {
            let ended = channels.ended().clone();
            // Before the answer comes: a client may come with it. At a port that the server chooses
            // nobody can come before it is told.
            let (remembered, incoming) = listening.remember(&address, port, channels);
            let chosen = match handle.tcpip_forward(address.as_str(), port.into()).await {
                Ok(chosen) => chosen,
                Err(russh::Error::RequestDenied) => return Err(ListenError::Refused),
                Err(_) => return Err(ListenError::SessionLost),
            };
            let port = match port {
                0 => u16::try_from(chosen).ok().filter(|port| *port != 0).ok_or(ListenError::NoPort)?,
                asked => asked,
            };
            remembered.chosen(port);
            let session = Arc::downgrade(&handle);
            Ok(Listener {
                incoming,
                lease: Lease { address, port, session, remembered: Some(remembered) },
                ended,
            })
        };
        self.ask(within, asking).await?
    }
}

impl Listener {
    /// The address as it was asked for. Where the server really bound is not known.
    pub fn address(&self) -> &str {
        &self.lease.address
    }

    /// The port, also where the server chose it.
    pub fn port(&self) -> u16 {
        self.lease.port
    }

    /// The next client.
    ///
    /// Cancel safe: a client that is not returned is not lost.
    ///
    /// # Errors
    /// [`ListenError::SessionLost`] once the session has ended.
    pub async fn accept(&mut self) -> Result<Incoming, ListenError> {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => Err(ListenError::SessionLost),
            incoming = self.incoming.recv() => incoming.ok_or(ListenError::SessionLost),
        }
    }

    /// Gives the listener back and waits for the server's answer; clients that wait are refused.
    ///
    /// # Errors
    /// [`ListenError::Refused`] when the server knows of no such listener; or no answer.
    pub async fn close(mut self, within: Duration) -> Result<(), ListenError> {
        let Some(giving_back) = self.lease.give_back() else { return Err(ListenError::SessionLost) };
        // A task of its own: the request must go out even when nobody waits for its answer any more.
        let answered = tokio::spawn(giving_back);
        tokio::select! {
            biased;
            answered = tokio::time::timeout(within, answered) => match answered {
                Err(_) => Err(ListenError::TimedOut),
                Ok(answered) => answered.unwrap_or(Err(ListenError::SessionLost)),
            },
            () = self.ended.cancelled() => Err(ListenError::SessionLost),
        }
    }
}

impl Lease {
    /// From now on no client is expected. What tells the server so, unless that was done or is useless.
    fn give_back(&mut self) -> Option<impl Future<Output = Result<(), ListenError>> + Send + use<>> {
        self.remembered.take()?;
        let handle = self.session.upgrade()?;
        let (address, port) = (self.address.clone(), self.port);
        Some(async move {
            match handle.cancel_tcpip_forward(address, port.into()).await {
                Ok(()) => Ok(()),
                Err(russh::Error::RequestDenied) => Err(ListenError::Refused),
                Err(_) => Err(ListenError::SessionLost),
            }
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Without a runtime the process is on its way out, and the session with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current()
            && let Some(giving_back) = self.give_back()
        {
            runtime.spawn(giving_back);
        }
    }
}
