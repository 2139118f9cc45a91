//! Has another host listen for a forward, for those who may connect there and no others. Serves nobody.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::time::Instant;

use super::act::Scene;
use super::event::Event;
use super::wait::AGAIN;
use super::{Failure, ListenAddress, blame};
use crate::forward::Openness;
use crate::plan::PlannedForward;
use crate::ssh::{ListenError, Listener, Session};
use crate::topology::{Address, Endpoint};

impl Scene {
    /// Has a host listen for a forward, and sees to it that it does so for those who may connect and no others.
    pub async fn listen_there(
        &self,
        forward: &PlannedForward,
        session: &Session,
        port: Option<u16>,
    ) -> Result<Listener, Failure> {
        let listen = forward.forward.listen;
        let limit = self.limit_of(forward);
        let mut listener = self.ask_to_listen(forward, session, port, limit).await?;
        let tunnel = forward.listener.as_ref().and_then(|listener| self.plan.tunnel(&listener.via));
        // An address of its own is what others would dial; else they know the host by its name.
        let own = match listen.address {
            any if any.is_unspecified() || any.is_loopback() => {
                tunnel.ok_or_else(blame::own_fault)?.server.address.host.clone()
            }
            one => one.to_string(),
        };
        let open = Openness::of(&mut listener, session, &own, limit).await;
        let wanted = !listen.address.is_loopback();
        tracing::debug!(forward = %forward.forward.id, ?open, wanted, "where the server listens");
        match open {
            Openness::Open if !wanted && !forward.forward.expose => Err(blame::bound_too_wide(forward)),
            Openness::Closed if wanted => Err(blame::bound_too_narrow(forward)),
            _ => Ok(listener),
        }
    }

    /// Asks for the listener: on `port`, where it had that before. At the start a port that something has there
    /// already may be an earlier session's, whose end the server has yet to notice. So it is asked for again, for as
    /// long as this side would take to notice the end of a session.
    async fn ask_to_listen(
        &self,
        forward: &PlannedForward,
        session: &Session,
        port: Option<u16>,
        limit: Duration,
    ) -> Result<Listener, Failure> {
        let listen = forward.forward.listen;
        let (at, wanted) = (listen.address.to_string(), port.unwrap_or(listen.port));
        let (patience, started) = (session.silence().unwrap_or_default(), Instant::now());
        let mut told = false;
        loop {
            let error = match session.listen(&at, wanted, limit).await {
                Ok(listener) => return Ok(listener),
                Err(error) => error,
            };
            let may_end = error == ListenError::Refused && wanted != 0 && port.is_none();
            let taken = may_end && is_taken(session, SocketAddr::new(listen.address, wanted), limit).await;
            if !taken || started.elapsed() >= patience {
                let mut failure = blame::far_listen(forward, &error);
                if taken {
                    let waited =
                        format!("something listens there already, still after {} s", patience.as_secs());
                    failure.facts.push(("taken", waited));
                }
                return Err(failure);
            }
            if !std::mem::replace(&mut told, true) {
                let at = far_address(forward, wanted);
                self.tell(Event::Taken { forward: forward.forward.id.clone(), at, within: patience });
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Where programs connect to a forward for which another host listens.
    pub fn listening(&self, forward: &PlannedForward, listener: &Listener) -> ListenAddress {
        far_address(forward, listener.port())
    }
}

/// This port where another host listens for a forward.
fn far_address(forward: &PlannedForward, port: u16) -> ListenAddress {
    let address = SocketAddr::new(forward.forward.listen.address, port);
    ListenAddress { on: forward.listener.as_ref().map(|listener| listener.host.clone()), address }
}

/// Whether something listens at an address of a session's server. A server that may not dial it knows nothing of it.
async fn is_taken(session: &Session, mut at: SocketAddr, within: Duration) -> bool {
    match at.ip() {
        ip if !ip.is_unspecified() => {}
        ip if ip.is_ipv4() => at.set_ip(Ipv4Addr::LOCALHOST.into()),
        _ => at.set_ip(Ipv6Addr::LOCALHOST.into()),
    }
    let itself = Endpoint::Tcp(Address::new(at.ip().to_string(), at.port()));
    session.dial(&itself, None, within).await.is_ok()
}
