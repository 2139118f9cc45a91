//! Listeners on hosts of the lab: who meets them, and when they are gone. Asks for them as hopper does.

use std::time::Duration;

use super::nest::{dial, guarded, id, topology};
use crate::lab::Lab;
use crate::ssh::{DialError, ListenError, Login, Opening, Received, Session, Trust, Wire};
use crate::topology::{Address, Endpoint};

pub(super) const LIMIT: Duration = Duration::from_secs(20);

pub(super) async fn open(lab: &Lab, host: &str, wire: (Wire, crate::ssh::WireHandle)) -> Session {
    let topology = topology();
    let host = topology.hosts.iter().find(|known| known.id == id(host)).unwrap();
    let pin = (host.id.clone(), lab.fingerprint(&host.id).unwrap());
    let opening = Opening {
        host,
        expectation: Trust::pinned([pin]).expectation(host).unwrap(),
        login: &Login::with_key("anyone".to_owned(), lab.client_key()),
        banner: LIMIT,
        on_step: &|_| {},
    };
    Session::open(wire.0, wire.1, opening).await.unwrap()
}

/// Sessions on a, and through it on b.
pub(super) async fn sessions(lab: &Lab) -> (Session, Session) {
    let a = open(lab, "a", Wire::over_stream(dial(lab, "a", 22).await.unwrap())).await;
    let channel = reach(&a, "10.0.0.2", 2200).await.unwrap();
    let b = open(lab, "b", Wire::over_channel(channel)).await;
    (a, b)
}

pub(super) async fn reach(
    session: &Session,
    host: &str,
    port: u16,
) -> Result<crate::ssh::Channel, DialError> {
    session.dial(&Endpoint::Tcp(Address::new(host, port)), None, LIMIT).await
}

#[tokio::test]
async fn a_listener_for_everybody_is_met_through_links_and_by_the_host_itself() {
    guarded(async {
        let lab = Lab::new(&topology());
        let (a, b) = sessions(&lab).await;
        let mut listener = b.listen("", 0, LIMIT).await.unwrap();
        for (session, host) in [(&a, "10.0.0.2"), (&b, "127.0.0.1")] {
            let (mut near, say, _closer) = reach(session, host, listener.port()).await.unwrap().split();
            let (mut far, answer, _far_closer) = listener.accept().await.unwrap().take().await.split();
            say.send("there".into()).await.unwrap();
            say.end().await.unwrap();
            assert!(matches!(far.receive().await, Received::Data(bytes) if bytes == "there"));
            assert!(matches!(far.receive().await, Received::End));
            answer.send("back".into()).await.unwrap();
            answer.end().await.unwrap();
            assert!(matches!(near.receive().await, Received::Data(bytes) if bytes == "back"));
            assert!(matches!(near.receive().await, Received::End));
        }
        let port = listener.port();
        assert_eq!(b.listen("", port, LIMIT).await.err(), Some(ListenError::Refused), "it is taken");
        assert_eq!(b.listen("", 2200, LIMIT).await.err(), Some(ListenError::Refused), "SSH is there");
        listener.close(LIMIT).await.unwrap();
        assert!(reach(&a, "10.0.0.2", port).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn loopback_firewalls_and_the_end_of_a_session_keep_others_out() {
    guarded(async {
        let lab = Lab::new(&topology());
        let (a, b) = sessions(&lab).await;
        let _screen = b.listen("0.0.0.0", 5900, LIMIT).await.unwrap();
        let _own = b.listen("localhost", 8000, LIMIT).await.unwrap();
        assert!(reach(&b, "127.0.0.1", 5900).await.is_ok());
        assert!(reach(&b, "127.0.0.1", 8000).await.is_ok());
        for port in [5900, 8000] {
            assert!(reach(&a, "10.0.0.2", port).await.is_err(), "{port}");
        }
        let _open = b.listen("*", 8001, LIMIT).await.unwrap();
        assert!(reach(&a, "10.0.0.2", 8001).await.is_ok());
        b.close(LIMIT).await;
        while reach(&a, "10.0.0.2", 8001).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
