//! A connection that a session's server leads to itself and back here: proves every layer of a chain both ways, where
//! its target must not be dialled just to see whether it is there. Never keeps the listener for longer than that.

use std::fmt;
use std::time::Duration;

use super::dialer::{Dialer, Far, Talk};
use crate::ssh::{DialError, ListenError, Listener, Session};
use crate::topology::{Address, Endpoint, escape};

/// Where the server listens for it: on its loopback, at a port that it chooses.
const LOOPBACK: &str = "127.0.0.1";

/// Why nothing came back.
#[derive(Debug)]
pub enum LoopError {
    /// No session of this machine ends at the last host, so there is nobody to ask.
    NoSession,
    /// The server does not listen.
    Listen(ListenError),
    /// It listens, and does not connect to that.
    Dial(DialError),
    /// It connected, and nothing or something else came back.
    Lost(&'static str),
}

impl fmt::Display for LoopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoopError::NoSession => f.write_str("no session of this machine ends there"),
            LoopError::Listen(error) => write!(f, "it does not listen on its loopback: {error}"),
            LoopError::Dial(DialError::Prohibited(said)) => {
                write!(f, "it may not connect to its own listener: {}", escape(said))
            }
            LoopError::Dial(error) => write!(f, "it cannot connect to its own listener: {error}"),
            LoopError::Lost(what) => f.write_str(what),
        }
    }
}

/// Sends something nobody can guess round the loop and something else back. Each step may take up to `limit`. The
/// listener is given back in any case.
///
/// # Errors
/// What stood in the way.
pub(super) async fn go_round(dialer: &Dialer, limit: Duration) -> Result<(), LoopError> {
    let Dialer::Session { lanes, .. } = dialer else { return Err(LoopError::NoSession) };
    let session = lanes.own();
    let mut listener = session.listen(LOOPBACK, 0, limit).await.map_err(LoopError::Listen)?;
    let silent = LoopError::Lost("it connected to its own listener, and nothing came back");
    let going = tokio::time::timeout(limit, there_and_back(session, &mut listener, limit)).await;
    let gone = going.unwrap_or(Err(silent));
    match listener.close(limit).await {
        Ok(()) | Err(ListenError::SessionLost) => {}
        Err(error) => tracing::warn!(%error, "the listener of a loop was not given back"),
    }
    gone
}

async fn there_and_back(
    session: &Session,
    listener: &mut Listener,
    limit: Duration,
) -> Result<(), LoopError> {
    let itself = Endpoint::Tcp(Address::new(LOOPBACK, listener.port()));
    let mut near =
        session.dial(&itself, None, limit).await.map(Far::Channel).map_err(LoopError::Dial)?.into_talk();
    let (there, back) = (nonce(), nonce());
    if !near.say(there.as_bytes()).await {
        return Err(LoopError::Lost("it closed the connection to its own listener"));
    }
    let mut far = loop {
        let incoming = listener.accept().await.map_err(LoopError::Listen)?;
        let mut far = Far::Channel(incoming.take().await).into_talk();
        // Any program on that host may come by: only what says the nonce is ours.
        if says(&mut far, &there).await {
            break far;
        }
    };
    match far.say(back.as_bytes()).await && says(&mut near, &back).await {
        true => Ok(()),
        false => Err(LoopError::Lost("what went round the loop did not come back whole")),
    }
}

/// Whether this is what comes next.
async fn says(talk: &mut Talk, words: &str) -> bool {
    let mut heard = Vec::new();
    while heard.len() < words.len() && words.as_bytes().starts_with(&heard) && talk.hear(&mut heard).await {}
    heard == words.as_bytes()
}

/// A line that nobody can guess; whoever answers by lines answers it.
pub(super) fn nonce() -> String {
    format!("{:032x}\n", rand::random::<u128>())
}
