//! Listeners on far hosts: clients there reach what local, or another host, can reach.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use hopper::forward::{Budget, Dialer, Lanes, Meter, RemoteRelay, Terms};
use hopper::ssh::{DialError, ListenError, RealNetwork, Received, Session};
use hopper::topology::{Address, Endpoint, HostId};

use super::bed::{Bed, FAR};
use super::inside::{Inside, LIMIT};
use super::load::MIB;
use super::until::{SOON, until};

/// Local dials the data server on host 0.
fn local(port: u16) -> Dialer {
    let target = Endpoint::Tcp(Address::new("127.0.0.1", port));
    Dialer::Local { network: Arc::new(RealNetwork), host: HostId::local(), target }
}

/// The server of a session dials the data server on its host.
fn through(session: &Arc<Session>) -> Dialer {
    let lanes = Lanes::only(session.clone());
    Dialer::Session { lanes, target: Endpoint::Tcp(Address::new("127.0.0.1", FAR)) }
}

/// Serves a listener on the host of a session, at a port that its server chooses.
fn serve(inside: &Inside, session: &Arc<Session>, dialer: Dialer) -> (RemoteRelay, Arc<Meter>) {
    let (session, meter) = (session.clone(), Arc::new(Meter::default()));
    let counts = meter.clone();
    let relay = inside.run(async move {
        let listener = session.listen("localhost", 0, LIMIT).await.expect("the server listens");
        assert_eq!(listener.address(), "localhost");
        let terms = Terms { limit: LIMIT, budget: Budget::default() };
        RemoteRelay::serve(listener, &session, dialer, counts, terms)
    });
    (relay, meter)
}

/// What listens at this port of a host.
fn listening(bed: &Bed, host: usize, port: u16) -> Vec<String> {
    let end = format!(":{port}");
    bed.listeners(host).into_iter().filter(|address| address.ends_with(&end)).collect()
}

#[test]
fn many_clients_of_a_far_host_reach_local_byte_for_byte() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(0);
    let inside = Inside::of(&bed);
    let sessions = inside.sessions(&bed, 2);
    let (relay, meter) = serve(&inside, &sessions[1], local(FAR));
    let port = relay.port();
    bed.load_whole(2, port, &[("both", MIB, 16)]);
    bed.load_whole(2, port, &[("half", MIB, 4), ("put", 8 * MIB, 1), ("get", 8 * MIB, 1)]);
    let counts = meter.read();
    assert_eq!(counts.accepted, 22);
    assert!(until(SOON, || meter.read().open == 0), "{} are open still", meter.read().open);
    assert!(counts.up >= 28 * MIB && counts.down >= 28 * MIB, "{counts:?}");

    assert!(listening(&bed, 2, port).iter().any(|address| address.starts_with("127.0.0.1")));
    assert_eq!(inside.run(relay.stop(LIMIT, Duration::ZERO)), Ok(()));
    assert_eq!(listening(&bed, 2, port), [""; 0], "the server gave the port back before it answered");
}

#[test]
fn a_client_of_one_host_reaches_another_host() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(1);
    bed.far_end(2);
    let inside = Inside::of(&bed);
    let sessions = inside.sessions(&bed, 2);
    for (from, to) in [(2, 1), (1, 2), (2, 2)] {
        let (relay, _) = serve(&inside, &sessions[from - 1], through(&sessions[to - 1]));
        bed.load_whole(from, relay.port(), &[("both", MIB, 8), ("half", MIB, 4), ("get", 16 * MIB, 1)]);
        assert_eq!(inside.run(relay.stop(LIMIT, Duration::ZERO)), Ok(()), "from {from} to {to}");
    }
}

#[test]
fn a_client_that_reads_nothing_holds_up_no_other() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(1);
    let inside = Inside::of(&bed);
    let sessions = inside.sessions(&bed, 2);
    let (relay, _) = serve(&inside, &sessions[1], through(&sessions[0]));
    let stalled = bed.start_load(2, "127.0.0.1", relay.port(), &[("stall", 64 * MIB, 2)]);
    stalled.wait_until_flowing();
    bed.load_whole(2, relay.port(), &[("both", 4 * MIB, 2)]);
    stalled.abandon();
    assert_eq!(inside.run(relay.stop(LIMIT, Duration::ZERO)), Ok(()));
}

#[test]
fn a_cut_is_a_reset_here_and_only_an_end_there() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(0);
    let inside = Inside::of(&bed);
    let sessions = inside.sessions(&bed, 1);
    let (relay, _) = serve(&inside, &sessions[0], local(FAR));
    let load = bed.start_load(1, "127.0.0.1", relay.port(), &[("get", 65536 * MIB, 1)]);
    load.wait_until_flowing();
    assert_eq!(inside.run(relay.stop(LIMIT, Duration::ZERO)), Ok(()));
    // OpenSSH shows its client a plain end, and nothing in the protocol could make it a reset.
    let ends: Vec<_> = load.finish().into_iter().map(|outcome| outcome.end).collect();
    assert_eq!(ends, ["short"]);

    let (relay, meter) = serve(&inside, &sessions[0], local(FAR));
    let load = bed.start_load(1, "127.0.0.1", relay.port(), &[("half", 65536 * MIB, 1)]);
    assert!(until(SOON, || meter.read().up > MIB), "nothing is sent");
    bed.kill_sessions(1);
    let said = || fs::read_to_string(bed.path(&format!("server0-{FAR}.log"))).unwrap_or_default();
    assert!(until(SOON, || said().contains("Connection reset")), "the target says: {}", said());
    assert_eq!(load.finish().len(), 1);
    assert!(until(SOON, || relay.is_lost()), "it does not know that it is lost");
    assert_eq!(inside.run(relay.stop(LIMIT, Duration::ZERO)), Err(ListenError::SessionLost));
}

#[test]
fn a_client_without_a_far_end_is_turned_away() {
    let Some(bed) = Bed::line(1) else { return };
    let inside = Inside::of(&bed);
    let sessions = inside.sessions(&bed, 1);
    let (relay, _) = serve(&inside, &sessions[0], local(FAR));
    let outcomes = bed.load(1, "127.0.0.1", relay.port(), &[("get", MIB, 1)]);
    assert_eq!(outcomes[0].received, 0, "{outcomes:?}");
    assert!(matches!(relay.refusal(), Some(DialError::Failed(_))), "{:?}", relay.refusal());
    assert_eq!(inside.run(relay.stop(LIMIT, Duration::ZERO)), Ok(()));
}

#[test]
fn listeners_of_one_session_are_told_apart_and_given_back_one_by_one() {
    let Some(bed) = Bed::line(1) else { return };
    let inside = Inside::of(&bed);
    let session = inside.sessions(&bed, 1).remove(0);
    let kept = session.clone();
    let (mut first, second) = inside.run(async move {
        let first = kept.listen("127.0.0.1", 0, LIMIT).await.expect("the server listens");
        let second = kept.listen("127.0.0.1", 0, LIMIT).await.expect("the server listens");
        let taken = kept.listen("127.0.0.1", second.port(), LIMIT).await;
        assert_eq!(taken.err(), Some(ListenError::Refused), "the port is taken");
        (first, second)
    });
    let (one, two) = (first.port(), second.port());
    assert_eq!(inside.run(second.close(LIMIT)), Ok(()));
    assert_eq!((listening(&bed, 1, one).len(), listening(&bed, 1, two).len()), (1, 0));

    let visitor = bed.start_load(1, "127.0.0.1", one, &[("put", 0, 1)]);
    let first = inside.run(async move {
        let incoming = first.accept().await.expect("a client comes");
        let from = incoming.originator().expect("the server says from where");
        assert!(from.ip().is_loopback() && from.port() != 0, "{from}");
        let (mut reader, _writer, _closer) = incoming.take().await.split();
        match reader.receive().await {
            Received::Data(words) => assert!(words.starts_with(b"{\"do\": \"put\""), "{words:?}"),
            other => panic!("{other:?} instead of the client's words"),
        }
        first
    });
    assert_eq!(visitor.finish()[0].end, "short");

    inside.run(async move { drop(first) });
    assert!(until(SOON, || listening(&bed, 1, one).is_empty()), "a dropped listener is not given back");
    assert!(!session.is_over());
}

#[test]
fn a_lost_session_ends_its_listeners_with_an_error() {
    let Some(bed) = Bed::line(1) else { return };
    let inside = Inside::of(&bed);
    let session = inside.sessions(&bed, 1).remove(0);
    let mut listener =
        inside.run(async move { session.listen("", 0, LIMIT).await.map(|listener| (listener, session)) });
    bed.kill_sessions(1);
    inside.run(async move {
        let (listener, session) = listener.as_mut().expect("the server listens");
        assert_eq!(listener.accept().await.err(), Some(ListenError::SessionLost));
        assert_eq!(session.listen("", 0, LIMIT).await.err(), Some(ListenError::SessionLost));
    });
}

#[test]
fn a_server_that_may_not_listen_refuses() {
    let Some(bed) = Bed::line(1) else { return };
    let inside = Inside::of(&bed);
    let refuses = |what: &str| {
        let session = inside.sessions(&bed, 1).remove(0);
        inside.run(async move {
            assert_eq!(session.listen("localhost", 0, LIMIT).await.err(), Some(ListenError::Refused));
            assert!(session.ping(LIMIT).await.is_some());
        });
        eprintln!("refused by {what}");
    };
    bed.restart_sshd(1, "AllowTcpForwarding local");
    refuses("AllowTcpForwarding");
    bed.authorize(1, &format!("permitlisten=\"localhost:9\" {}", bed.key().public()));
    bed.restart_sshd(1, "");
    refuses("permitlisten");
}

#[test]
fn a_server_that_keeps_to_loopback_answers_as_if_it_did_not() {
    let Some(bed) = Bed::line(1) else { return };
    let inside = Inside::of(&bed);
    let bound = |gateway_ports: &str| {
        bed.restart_sshd(1, &format!("GatewayPorts {gateway_ports}"));
        let session = inside.sessions(&bed, 1).remove(0);
        let keep = session.clone();
        let listener = inside.run(async move { keep.listen("0.0.0.0", 0, LIMIT).await });
        let listener = listener.expect("the server listens");
        let bound = listening(&bed, 1, listener.port());
        assert_eq!(inside.run(listener.close(LIMIT)), Ok(()));
        bound
            .into_iter()
            .map(|address| address.rsplit_once(':').expect("a port").0.to_owned())
            .collect::<Vec<_>>()
    };
    let kept = bound("no");
    assert!(kept.contains(&"127.0.0.1".to_owned()) && !kept.contains(&"0.0.0.0".to_owned()), "{kept:?}");
    assert_eq!(bound("clientspecified"), ["0.0.0.0"]);
}
