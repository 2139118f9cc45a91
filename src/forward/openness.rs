//! Who can connect to a listener on a session's server: tried from that server, since its answer does not
//! tell. OpenSSH with `GatewayPorts no` keeps to loopback and with `yes` listens everywhere, whatever it was
//! asked for, and answers success.

use std::time::Duration;

use crate::ssh::{DialError, Listener, Session};
use crate::topology::{Address, Endpoint};

/// Who can connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Openness {
    /// Other machines too.
    Open,
    /// Programs on that host only.
    Closed,
    /// It could not be found out.
    Unknown,
}

/// How long the client that is sent may take to get there, and again to come back over the listener.
const COMING_BACK: Duration = Duration::from_secs(2);

impl Openness {
    /// Has the server dial itself by the name that others know it by, and looks whether that comes back.
    /// Whoever connects meanwhile is turned away.
    pub async fn of(listener: &mut Listener, session: &Session, own: &str, within: Duration) -> Openness {
        let itself = Endpoint::Tcp(Address::new(own, listener.port()));
        let dialling = session.dial(&itself, None, within.min(COMING_BACK));
        tokio::pin!(dialling);
        let mut came = None;
        let dialled = loop {
            tokio::select! {
                dialled = &mut dialling => break dialled,
                incoming = listener.accept() => match incoming {
                    Ok(incoming) => {
                        came = incoming.originator().or(came);
                        incoming.refuse().await;
                    }
                    Err(_) => return Openness::Unknown,
                },
            }
        };
        match dialled {
            Ok(_) => {}
            // Any other word may mean that it does not know its own name, or may not dial.
            Err(DialError::Failed(said)) if said.contains("refused") => return Openness::Closed,
            Err(_) => return Openness::Unknown,
        }
        if came.is_none()
            && let Ok(Ok(incoming)) = tokio::time::timeout(COMING_BACK, listener.accept()).await
        {
            came = incoming.originator();
            incoming.refuse().await;
        }
        // Some hosts know themselves by a loopback address only, and prove nothing by it.
        match came {
            Some(from) if !from.ip().is_loopback() => Openness::Open,
            _ => Openness::Unknown,
        }
    }
}
