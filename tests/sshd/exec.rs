//! Commands on a host: what they say, how they end, and that they hold up nobody.

use std::fs;
use std::sync::Arc;

use bytes::Bytes;
use hopper::ssh::{ExecError, Exit, Process, Session, Source};

use super::bed::Bed;
use super::inside::{Inside, LIMIT, dial};
use super::until::{SOON, until};

/// Runs a command on host 1 of a bed.
async fn start(session: &Session, command: &str) -> Process {
    session.exec(command, LIMIT).await.unwrap_or_else(|e| panic!("{command}: {e}"))
}

/// Everything that a command said and nobody forgot, by stream.
async fn everything(process: &Process) -> (String, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while let Some(said) = process.hear().await {
        assert_eq!(said.forgotten, 0, "something was forgotten");
        match said.source {
            Source::Stdout => stdout.extend_from_slice(&said.bytes),
            Source::Stderr => stderr.extend_from_slice(&said.bytes),
        }
    }
    let text = |bytes| String::from_utf8(bytes).expect("plain text");
    (text(stdout), text(stderr))
}

/// A host where the login shell of whoever runs the tests finds no start-up file of theirs: that may
/// say something, or take its time.
fn host() -> Option<(Bed, Inside, Arc<Session>)> {
    let bed = Bed::hosts(1)?;
    bed.start_sshd(1, &format!("SetEnv HOME={}", bed.path("home").display()));
    let inside = Inside::of(&bed);
    let session = inside.sessions(&bed, 1).remove(0);
    Some((bed, inside, session))
}

#[test]
fn a_command_says_both_streams_and_its_status() {
    let Some((_bed, inside, session)) = host() else { return };
    inside.run(async move {
        let process = start(&session, "echo out; echo err >&2; exit 7").await;
        assert_eq!(everything(&process).await, ("out\n".to_owned(), "err\n".to_owned()));
        assert_eq!(process.ended().await, Exit::Status(7));
        assert_eq!(process.ended().await, Exit::Status(7), "it says so as often as it is asked");

        let process = start(&session, "printf 'one\\ntwo'").await;
        let mut lines = Vec::new();
        while let Some(line) = process.line().await {
            lines.push(line.bytes);
        }
        assert_eq!(lines, ["one\n", "two"]);
        assert_eq!(process.ended().await, Exit::Status(0));
    });
}

#[test]
fn a_command_that_a_signal_ends_says_which() {
    let Some((_bed, inside, session)) = host() else { return };
    inside.run(async move {
        let killed = |name: &str| Exit::Signal { name: name.to_owned(), words: String::new() };
        assert_eq!(start(&session, "kill -KILL $$").await.ended().await, killed("KILL"));
        assert_eq!(start(&session, "kill -TERM $$").await.ended().await, killed("TERM"));
    });
}

#[test]
fn the_end_of_its_input_ends_cat() {
    let Some((_bed, inside, session)) = host() else { return };
    inside.run(async move {
        let process = start(&session, "cat").await;
        process.say(Bytes::from("first ")).await.expect("cat listens");
        assert_eq!(process.hear().await.map(|said| said.bytes), Some(Bytes::from("first ")));
        process.say(Bytes::from("last")).await.expect("cat listens");
        process.end_input().await.expect("cat listens");
        assert_eq!(everything(&process).await, ("last".to_owned(), String::new()));
        assert_eq!(process.ended().await, Exit::Status(0));
        assert!(process.say(Bytes::from("more")).await.is_err(), "nobody takes it any more");
    });
}

#[test]
fn what_nobody_reads_holds_up_nobody_and_is_forgotten() {
    const ALL: u64 = 50_000_000;
    let Some((_bed, inside, session)) = host() else { return };
    inside.run(async move {
        let endless = start(&session, "cat /dev/zero").await;
        let long = start(&session, &format!("head -c {ALL} /dev/zero; exit 3")).await;
        let short = start(&session, "echo still here").await;
        assert_eq!(everything(&short).await.0, "still here\n");
        let _stream = dial(&session, "127.0.0.1", 22).await;
        assert_eq!(long.ended().await, Exit::Status(3));
        let said = long.hear().await.expect("the latest is kept");
        assert_eq!(said.forgotten + said.bytes.len() as u64, ALL);
        assert!(said.bytes.len() <= 256 * 1024, "{} bytes were kept", said.bytes.len());
        assert_eq!(long.hear().await, None);
        assert!(session.ping(LIMIT).await.is_some());
        assert!(endless.hear().await.is_some_and(|said| said.forgotten > 0));
    });
}

#[test]
fn a_lost_session_is_no_end_of_a_command() {
    let Some((bed, inside, session)) = host() else { return };
    let (process, lost) = inside.run(async move {
        // The status is there, and what it says may still be cut short.
        let process = start(&session, "cat").await;
        (process, session)
    });
    bed.kill_sessions(1);
    inside.run(async move {
        assert_eq!(process.ended().await, Exit::Lost);
        assert_eq!(process.hear().await, None);
        assert_eq!(lost.exec("true", LIMIT).await.err(), Some(ExecError::SessionLost));
    });
}

#[test]
fn a_server_that_runs_nothing_says_so() {
    let Some(bed) = Bed::line(1) else { return };
    bed.restart_sshd(1, "MaxSessions 0");
    let inside = Inside::of(&bed);
    let session = inside.sessions(&bed, 1).remove(0);
    inside.run(async move {
        assert_eq!(
            session.exec("true", LIMIT).await.err(),
            Some(ExecError::NoChannel("open failed".to_owned()))
        );
        let _stream = dial(&session, "127.0.0.1", 22).await;
    });
}

#[test]
fn a_dropped_command_loses_its_input() {
    let Some((bed, inside, session)) = host() else { return };
    let kept = session.clone();
    inside.run(async move {
        let process = start(&kept, "echo ready; exec cat").await;
        assert_eq!(process.line().await.map(|said| said.bytes), Some(Bytes::from("ready\n")));
    });
    let is_cat =
        |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"cat\0"));
    assert!(until(SOON, || !bed.pids(1).iter().any(is_cat)), "cat runs on");
    assert!(!session.is_over());
}
