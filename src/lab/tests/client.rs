//! Clients that hosts of the lab run: who meets their listeners, what they refuse, when they are gone.

use std::time::Duration;

use super::listen::{LIMIT, open, reach, sessions};
use super::nest::{dial, guarded};
use crate::lab::Lab;
use crate::ssh::{Exit, Process, Received, Session, Wire};

/// A command such as hopper gives a host.
fn client(words: &str) -> String {
    format!("sh -c 'exec \"$@\"' hopper 30 none 'ssh' '-N' '-o' 'LocalCommand=echo it listens' {words}")
}

async fn line(process: &Process) -> String {
    String::from_utf8(process.line().await.expect("a line").bytes.to_vec()).expect("text").trim().to_owned()
}

/// A client that listens.
async fn run(on: &Session, words: &str) -> Process {
    let process = on.exec(&client(words), LIMIT).await.unwrap();
    assert_eq!(line(&process).await, "it listens");
    process
}

/// All that a command says until it ends, and how.
async fn ending(on: &Session, command: &str) -> (String, Exit) {
    let process = on.exec(command, LIMIT).await.unwrap();
    let mut said = String::new();
    while let Some(more) = process.hear().await {
        said.push_str(std::str::from_utf8(&more.bytes).expect("text"));
    }
    (said, process.ended().await)
}

#[tokio::test]
async fn an_openssh_is_there_and_nothing_else() {
    guarded(async {
        let lab = Lab::new(&super::topology());
        let (a, _b) = sessions(&lab).await;
        let (said, exit) = ending(&a, "sh -c 'ssh -V 2>&1 || dbclient -V 2>&1'").await;
        assert!(said.contains("OpenSSH") && exit == Exit::Status(0), "{said} {exit:?}");
        let (said, exit) = ending(&a, "rm -rf /").await;
        assert_eq!((said.as_str(), exit), ("sh: rm: not found\n", Exit::Status(127)));
    })
    .await;
}

/// As in the source document: b's listener leads to the server on c, which is logged in to through it.
#[tokio::test]
async fn the_listener_of_a_client_carries_a_session_and_is_gone_with_its_input() {
    guarded(async {
        let lab = Lab::new(&super::topology());
        let (a, b) = sessions(&lab).await;
        let process = run(&a, "'-L' '*:2201:127.0.0.1:2222' '-p' '2200' '--' 'x@10.0.0.2'").await;
        // Local meets it over its link, and a itself on loopback; b has no link back.
        let c = open(&lab, "c", Wire::over_stream(dial(&lab, "a", 2201).await.unwrap())).await;
        assert!(reach(&a, "127.0.0.1", 2201).await.is_ok());
        assert!(reach(&b, "a", 2201).await.is_err());
        let (mut near, say, _closer) = reach(&c, "localhost", 7).await.unwrap().split();
        process.say("\n".into()).await.unwrap();
        say.send("there and back".into()).await.unwrap();
        assert!(matches!(near.receive().await, Received::Data(bytes) if bytes == "there and back"));
        process.end_input().await.unwrap();
        assert_eq!(process.ended().await, Exit::Status(255));
        assert!(dial(&lab, "a", 2201).await.is_err());
        assert!(matches!(near.receive().await, Received::Broken), "its streams end with it");
    })
    .await;
}

#[tokio::test]
async fn what_ssh_could_not_reach_is_refused_in_its_words() {
    guarded(async {
        let lab = Lab::new(&super::topology());
        let (a, b) = sessions(&lab).await;
        for (on, words, expected) in [
            (&a, "'--' 'c'", "ssh: connect to host c port 22: Network is unreachable"),
            (&a, "'-p' '5901' '--' 'b'", "ssh: connect to host b port 5901: No route to host"),
            (&a, "'-p' '23' '--' 'b'", "ssh: connect to host b port 23: Connection refused"),
            (&b, "'-p' '7' '--' 'localhost'", "kex_exchange_identification: Connection closed"),
            (&a, "'-L' '*:22:c:22' '-p' '2200' '--' 'b'", "bind [0.0.0.0]:22: Address already in use"),
            (&a, "'-R' '*:2201:c:22' '--' 'b'", "unknown option -R"),
        ] {
            let (said, exit) = ending(on, &client(words)).await;
            assert!(said.starts_with(expected) && exit == Exit::Status(255), "{words}: {said} {exit:?}");
        }
        let firewall = ending(&a, &client("'-p' '5901' '--' 'b'")).await.0;
        assert!(firewall.contains("a may not dial b:5901: blocked by firewall fw (edge)"), "{firewall}");
        // What it bound before it failed is free again.
        let both = "'-L' '*:2201:c:22' '-L' '*:2201:c:22' '-p' '2200' '--' 'b'";
        assert!(ending(&a, &client(both)).await.0.contains("cannot listen to port: 2201"));
        let _free = run(&a, "'-L' '*:2201:127.0.0.1:2222' '-p' '2200' '--' 'b'").await;
    })
    .await;
}

#[tokio::test]
async fn a_client_rides_another_and_falls_with_it() {
    guarded(async {
        let lab = Lab::new(&super::topology());
        let (a, _b) = sessions(&lab).await;
        let below = run(&a, "'-L' '*:2201:127.0.0.1:2222' '-p' '2200' '--' 'b'").await;
        let rider = run(&a, "'-L' '*:2202:screen:5900' '-p' '2201' '--' 'localhost'").await;
        let mut screen = dial(&lab, "a", 2202).await.unwrap();
        let mut version = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut screen, &mut version).await.unwrap();
        assert_eq!(&version, b"RFB 003.008\n");
        below.end_input().await.unwrap();
        assert_eq!(rider.ended().await, Exit::Status(255));
        assert_eq!(line(&rider).await, "Connection to localhost closed by remote host.");
        assert!(dial(&lab, "a", 2202).await.is_err());
        // A listener that leads nowhere answers, and then there is no server.
        let _nowhere = run(&a, "'-L' '*:2201:c:23' '-p' '2200' '--' 'b'").await;
        let (said, _) = ending(&a, &client("'-p' '2201' '--' 'localhost'")).await;
        assert!(said.starts_with("kex_exchange_identification"), "{said}");
    })
    .await;
}

#[tokio::test]
async fn a_closed_channel_or_session_takes_the_client_along() {
    guarded(async {
        let lab = Lab::new(&super::topology());
        let (a, b) = sessions(&lab).await;
        let _kept = run(&a, "'-L' '*:2201:127.0.0.1:2222' '-p' '2200' '--' 'b'").await;
        let dropped = run(&b, "'-L' '*:2201:screen:5900' '-p' '2222' '--' '127.0.0.1'").await;
        assert!(reach(&a, "b", 2201).await.is_ok());
        drop(dropped);
        while reach(&a, "b", 2201).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(dial(&lab, "a", 2201).await.is_ok());
        a.close(Duration::from_secs(1)).await;
        while dial(&lab, "a", 2201).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
