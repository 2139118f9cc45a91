//! What a server may and may not do to a session: channels nobody asked for, too many of those that
//! were, answers that come too late, commands that are refused or end without a word.

mod lending;
mod login;
mod server;

use std::time::Duration;

use russh::ChannelOpenFailure;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use super::{ExecError, Exit, ListenError, Received, Source};
use server::{CHOSEN, meet};

const LIMIT: Duration = Duration::from_secs(20);

fn refusal<T>(opened: Result<T, russh::Error>) -> Option<ChannelOpenFailure> {
    match opened {
        Ok(_) => None,
        Err(russh::Error::ChannelOpenFailure(reason)) => Some(reason),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_channel_that_nobody_asked_for_is_refused() {
    let met = meet().await;
    let server = &met.server;
    let _listener = met.session.listen("asked", 0, LIMIT).await.unwrap();
    let chosen = u32::from(CHOSEN);
    for (address, port) in
        [("asked", chosen + 1), ("other", chosen), ("", chosen), ("asked", 0), ("asked", chosen + 65536)]
    {
        let opened = server.channel_open_forwarded_tcpip(address, port, "192.0.2.1", 9).await;
        assert_eq!(refusal(opened), Some(ChannelOpenFailure::AdministrativelyProhibited), "{address}:{port}");
    }
    for opened in [
        server.channel_open_session().await,
        server.channel_open_x11("192.0.2.1", 9).await,
        server.channel_open_agent().await,
        server.channel_open_direct_tcpip("asked", chosen, "192.0.2.1", 9).await,
        server.channel_open_direct_streamlocal("/run/asked").await,
        server.channel_open_forwarded_streamlocal("/run/asked").await,
    ] {
        assert_eq!(refusal(opened), Some(ChannelOpenFailure::AdministrativelyProhibited));
    }
}

#[tokio::test]
async fn a_client_says_nothing_before_it_is_taken() {
    let met = meet().await;
    let mut listener = met.session.listen("asked", 0, LIMIT).await.unwrap();
    let server = met.server.clone();
    let opening = tokio::spawn(async move {
        server.channel_open_forwarded_tcpip("asked", CHOSEN.into(), "\x1b[2J", 9).await
    });
    let incoming = listener.accept().await.unwrap();
    assert_eq!(incoming.originator(), None, "nonsense is no address");
    assert!(!opening.is_finished());
    let (mut reader, writer, closer) = incoming.take().await.split();
    let mut theirs = opening.await.unwrap().unwrap();
    theirs.data_bytes("there").await.unwrap();
    assert!(matches!(reader.receive().await, Received::Data(bytes) if bytes == "there"));
    writer.send("back".into()).await.unwrap();
    drop(closer);
    let mut heard = Vec::new();
    while let Some(message) = theirs.wait().await {
        heard.push(message);
    }
    let [russh::ChannelMsg::Data { data }, russh::ChannelMsg::Close] = &heard[..] else {
        panic!("a channel that is cut has no end before its close: {heard:?}");
    };
    assert_eq!(*data, "back");
}

#[tokio::test]
async fn clients_that_nobody_takes_are_bounded_and_refused_in_the_end() {
    let met = meet().await;
    let listener = met.session.listen("asked", 0, LIMIT).await.unwrap();
    let mut opening = JoinSet::new();
    for _ in 0..70 {
        let server = met.server.clone();
        opening.spawn(async move {
            refusal(server.channel_open_forwarded_tcpip("asked", CHOSEN.into(), "192.0.2.1", 9).await)
        });
    }
    for _ in 0..6 {
        let refused = opening.join_next().await.unwrap().unwrap();
        assert_eq!(refused, Some(ChannelOpenFailure::ResourceShortage));
    }
    assert_eq!(listener.close(LIMIT).await, Ok(()));
    for refused in opening.join_all().await {
        assert_eq!(refused, Some(ChannelOpenFailure::AdministrativelyProhibited));
    }
}

#[tokio::test]
async fn a_listener_that_comes_too_late_is_given_back() {
    let mut met = meet().await;
    let late = met.session.listen("late", 0, Duration::from_millis(1)).await;
    assert_eq!(late.err(), Some(ListenError::TimedOut));
    met.answer.notify_one();
    assert_eq!(met.given_back.recv().await, Some(("late".to_owned(), CHOSEN.into())));
    drop(met.session.listen("early", 7, LIMIT).await.unwrap());
    assert_eq!(met.given_back.recv().await, Some(("early".to_owned(), 7)));
}

#[tokio::test]
async fn a_server_that_does_not_listen_gives_the_reason_there_is() {
    let met = meet().await;
    assert_eq!(met.session.listen("forbidden", 0, LIMIT).await.err(), Some(ListenError::Refused));
    assert_eq!(met.session.listen("somewhere", 0, LIMIT).await.err(), Some(ListenError::NoPort));
    // What was refused is expected no more.
    let opened = met.server.channel_open_forwarded_tcpip("forbidden", CHOSEN.into(), "192.0.2.1", 9).await;
    assert!(refusal(opened).is_some());
    let mut listener = met.session.listen("asked", 0, LIMIT).await.unwrap();
    met.session.cut();
    assert_eq!(listener.accept().await.err(), Some(ListenError::SessionLost));
    assert_eq!(listener.close(LIMIT).await, Err(ListenError::SessionLost));
}

#[tokio::test]
async fn a_command_that_is_not_started_is_an_error() {
    let met = meet().await;
    for command in ["refuse", "hang up"] {
        assert_eq!(met.session.exec(command, LIMIT).await.err(), Some(ExecError::NotStarted), "{command}");
    }
}

#[tokio::test]
async fn only_a_status_that_was_said_counts_and_foreign_words_are_escaped() {
    let met = meet().await;
    let silent = met.session.exec("end without a word", LIMIT).await.unwrap();
    assert_eq!(silent.ended().await, Exit::Unsaid);

    let strange = met.session.exec("die strangely", LIMIT).await.unwrap();
    let signal = Exit::Signal { name: "\\u{1b}[2J".to_owned(), words: "\\u{7}words".to_owned() };
    assert_eq!(strange.ended().await, signal);

    let after = met.session.exec("status after the end", LIMIT).await.unwrap();
    assert_eq!(after.ended().await, Exit::Status(9));
    assert!(after.hear().await.is_some_and(|said| said.source == Source::Stdout && said.bytes == "all"));

    match met.session.exec("break off", LIMIT).await {
        Ok(process) => assert_eq!(process.ended().await, Exit::Lost),
        Err(error) => assert_eq!(error, ExecError::SessionLost),
    }
}

#[tokio::test]
async fn a_peer_that_sends_more_than_it_was_granted_is_cut_off() {
    let (near, mut far) = tokio::io::duplex(1 << 16);
    let (_unread, handle) = super::Wire::over_stream(Box::new(near));
    handle.gauge.set_ceiling(1 << 20);
    let piece = vec![0; 1 << 16];
    let mut taken = 0;
    while taken < 1 << 24 && far.write_all(&piece).await.is_ok() {
        taken += piece.len();
        tokio::task::yield_now().await;
        if handle.cut.is_cancelled() {
            break;
        }
    }
    assert!(handle.cut.is_cancelled(), "{taken} bytes were taken");
    assert!(taken >= 1 << 20, "cut off at {taken} bytes, which it was granted");
}
