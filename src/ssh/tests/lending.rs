//! A server that opens channels to the agent: where a command may use it, while it may, and nowhere else.

use std::path::PathBuf;
use std::time::Duration;

use russh::server::{Handle, Msg};
use russh::{Channel, ChannelMsg};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::super::ExecError;
use super::server::meet;
use super::{LIMIT, refusal};
use russh::ChannelOpenFailure::{AdministrativelyProhibited, ConnectFailed};

/// One message as agents and their clients frame it.
async fn message(stream: &mut UnixStream) -> Vec<u8> {
    let length = stream.read_u32().await.expect("a length");
    let mut message = vec![0; length as usize];
    stream.read_exact(&mut message).await.expect("a message");
    message
}

/// An agent that a test plays: a socket of its own.
fn agent() -> (tempfile::TempDir, PathBuf, UnixListener) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent");
    let listener = UnixListener::bind(&socket).unwrap();
    (folder, socket, listener)
}

/// Takes the next who comes, and what they say first: which session they come from.
async fn bound(listener: &UnixListener) -> (UnixStream, Vec<u8>) {
    const SUCCESS: &[u8] = &[0, 0, 0, 1, 6];
    let (mut stream, _) = listener.accept().await.unwrap();
    let first = message(&mut stream).await;
    stream.write_all(SUCCESS).await.unwrap();
    (stream, first)
}

/// Asks for the agent until it is let in.
async fn let_in(server: &Handle) -> Channel<Msg> {
    let asking = async {
        loop {
            if let Ok(channel) = server.channel_open_agent().await {
                return channel;
            }
        }
    };
    tokio::time::timeout(LIMIT, asking).await.expect("it is let in")
}

#[tokio::test]
async fn an_agent_is_lent_to_one_session_while_its_command_runs() {
    let (_folder, socket, listener) = agent();
    let (lent, other) = (meet().await, meet().await);
    assert_eq!(refusal(lent.server.channel_open_agent().await), Some(AdministrativelyProhibited));
    let process = lent.session.exec_with_agent("stay", &socket, LIMIT).await.unwrap();
    let beside = other.session.exec("stay", LIMIT).await.unwrap();
    assert_eq!(refusal(other.server.channel_open_agent().await), Some(AdministrativelyProhibited));

    let (theirs, (mut ours, first)) = tokio::join!(lent.server.channel_open_agent(), bound(&listener));
    let mut theirs = theirs.unwrap();
    let words = String::from_utf8_lossy(&first).into_owned();
    assert!(words.contains("session-bind@openssh.com") && first.last() == Some(&1), "it says whom it is for");
    theirs.data_bytes(&b"\0\0\0\x01\x0b"[..]).await.unwrap();
    assert_eq!(message(&mut ours).await, [11]);
    ours.write_all(b"answer").await.unwrap();
    assert!(matches!(theirs.wait().await, Some(ChannelMsg::Data { data }) if data == "answer"));

    drop(process);
    while theirs.wait().await.is_some() {}
    assert_eq!(ours.read(&mut [0]).await.unwrap(), 0, "what was open is closed");
    assert_eq!(refusal(lent.server.channel_open_agent().await), Some(AdministrativelyProhibited));
    drop(beside);
}

#[tokio::test]
async fn nothing_is_lent_once_the_caller_has_given_up() {
    const SHORT: Duration = Duration::from_millis(300);
    let (_folder, socket, listener) = agent();
    let met = meet().await;
    let starting = met.session.exec_with_agent("say nothing", &socket, SHORT);
    let (started, mut theirs, (mut ours, _)) = tokio::join!(starting, let_in(&met.server), bound(&listener));
    assert_eq!(started.err(), Some(ExecError::TimedOut));
    while theirs.wait().await.is_some() {}
    assert_eq!(ours.read(&mut [0]).await.unwrap(), 0, "what was open is closed");
    assert_eq!(refusal(met.server.channel_open_agent().await), Some(AdministrativelyProhibited));

    // Nor when it is the caller that goes.
    let starting = met.session.exec_with_agent("say nothing", &socket, LIMIT);
    assert!(tokio::time::timeout(SHORT, starting).await.is_err());
    assert_eq!(refusal(met.server.channel_open_agent().await), Some(AdministrativelyProhibited));
    assert!(met.session.exec("stay", LIMIT).await.is_ok(), "the session goes on");
}

#[tokio::test]
async fn a_server_has_so_many_channels_to_the_agent_and_no_more() {
    const MOST: usize = 16;
    let (_folder, socket, listener) = agent();
    let met = meet().await;
    let _process = met.session.exec_with_agent("stay", &socket, LIMIT).await.unwrap();
    let mut open = Vec::new();
    for _ in 0..MOST {
        let (theirs, (ours, _)) = tokio::join!(met.server.channel_open_agent(), bound(&listener));
        open.push((theirs.unwrap(), ours));
    }
    for _ in 0..3 {
        assert_eq!(refusal(met.server.channel_open_agent().await), Some(AdministrativelyProhibited));
    }
    // One that goes makes room for another.
    let (theirs, _ours) = open.pop().unwrap();
    theirs.close().await.unwrap();
    let (again, _) = tokio::join!(let_in(&met.server), bound(&listener));
    drop(again);
}

#[tokio::test]
async fn an_agent_that_cannot_be_reached_or_reads_nothing_holds_up_nobody() {
    let (folder, socket, listener) = agent();
    let met = meet().await;
    let nobody = folder.path().join("nobody");
    let process = met.session.exec_with_agent("stay", &nobody, LIMIT).await.unwrap();
    assert_eq!(refusal(met.server.channel_open_agent().await), Some(ConnectFailed));
    drop(process);

    let _process = met.session.exec_with_agent("stay", &socket, LIMIT).await.unwrap();
    let (theirs, (_unread, _)) = tokio::join!(met.server.channel_open_agent(), bound(&listener));
    let (mut reader, writer) = theirs.unwrap().split();
    let flood = async move { while writer.data_bytes(vec![0; 32 << 10]).await.is_ok() {} };
    tokio::select! {
        () = flood => {}
        () = async { while reader.wait().await.is_some() {} } => {}
    }
    assert!(met.session.ping(LIMIT).await.is_some());
}

#[tokio::test]
async fn one_session_lends_one_agent_at_a_time() {
    let ((_one, one, _), (_two, two, _)) = (agent(), agent());
    let met = meet().await;
    let process = met.session.exec_with_agent("stay", &one, LIMIT).await.unwrap();
    let beside = met.session.exec_with_agent("stay", &one, LIMIT).await;
    assert!(beside.is_ok());
    let other = met.session.exec_with_agent("stay", &two, LIMIT).await;
    assert_eq!(other.err(), Some(ExecError::OtherAgent));
    drop((process, beside));
    assert!(met.session.exec_with_agent("stay", &two, LIMIT).await.is_ok());
}
