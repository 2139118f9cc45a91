//! The lab as a client sees it: login through nested hosts, what firewalls refuse, half-close, bulk.

mod client;
mod command;
mod listen;
mod nest;
mod rules;

use std::sync::Arc;

use russh::{ChannelOpenFailure, Disconnect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Lab, world};
use nest::{dial, guarded, id, login, nest, open, through, topology};

#[tokio::test]
async fn one_host_answers_what_its_forwards_name() {
    guarded(async {
        let lab = Lab::new(&topology());
        let mut a = open(&lab, "a", dial(&lab, "a", 22).await.unwrap()).await;
        assert!(login(&mut a, lab.client_key()).await.success());
        let mut screen = a.channel_open_direct_tcpip("::1", 5901, "local", 0).await.unwrap().into_stream();
        let mut version = [0; 12];
        screen.read_exact(&mut version).await.unwrap();
        assert_eq!(&version, b"RFB 003.008\n");

        let mut page = a.channel_open_direct_tcpip("a", 80, "local", 0).await.unwrap().into_stream();
        page.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        let mut text = String::new();
        page.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains("<h1>a</h1>"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn three_nested_hosts_reach_a_screen_without_ssh() {
    guarded(async {
        let lab = Lab::new(&topology());
        let [_a, _b, c] = nest(&lab).await;
        let mut screen = c.channel_open_direct_tcpip("screen", 5900, "local", 0).await.unwrap().into_stream();
        let mut version = [0; 12];
        screen.read_exact(&mut version).await.unwrap();
        assert_eq!(&version, b"RFB 003.008\n");
    })
    .await;
}

#[tokio::test]
async fn dials_that_the_file_does_not_allow_are_refused() {
    guarded(async {
        let lab = Lab::new(&topology());
        let kind = |host: &'static str, port| {
            let lab = &lab;
            async move { dial(lab, host, port).await.err().map(|error| (error.kind(), error.to_string())) }
        };
        let (blocked, message) = kind("a", 5901).await.unwrap();
        assert_eq!(blocked, std::io::ErrorKind::HostUnreachable);
        assert_eq!(message, "local may not dial a:5901: blocked by firewall fw (edge)");
        assert_eq!(kind("a", 23).await.unwrap().0, std::io::ErrorKind::ConnectionRefused);
        assert_eq!(kind("b", 2200).await.unwrap().0, std::io::ErrorKind::NetworkUnreachable);

        let [a, _b, c] = nest(&lab).await;
        // No such port, no link, no such name, no such port on a host that itself is reachable.
        for (session, address, port) in [(&a, "b", 23), (&a, "c", 22), (&a, "nowhere", 7), (&c, "screen", 22)]
        {
            let refused = session.channel_open_direct_tcpip(address, port, "local", 0).await;
            let failure = ChannelOpenFailure::ConnectFailed;
            assert!(
                matches!(&refused, Err(russh::Error::ChannelOpenFailure(reason)) if *reason == failure),
                "{address}:{port} gave {refused:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn only_the_labs_own_key_logs_in() {
    guarded(async {
        let lab = Lab::new(&topology());
        let mut a = open(&lab, "a", dial(&lab, "a", 22).await.unwrap()).await;
        assert!(!login(&mut a, world::fresh_key()).await.success());
        assert!(!a.authenticate_password("root", "").await.unwrap().success());
        assert!(!a.authenticate_none("root").await.unwrap().success());
        assert!(login(&mut a, lab.client_key()).await.success());
        assert_ne!(lab.fingerprint(&id("a")), lab.fingerprint(&id("b")));
        assert!(lab.fingerprint(&id("a")).unwrap().starts_with("SHA256:"));
        assert_eq!(lab.fingerprint(&id("screen")), None);
    })
    .await;
}

#[tokio::test]
async fn echo_answers_after_the_clients_last_word() {
    guarded(async {
        let lab = Lab::new(&topology());
        let [_a, _b, c] = nest(&lab).await;
        let channels = [
            c.channel_open_direct_tcpip("localhost", 7, "local", 0).await.unwrap(),
            c.channel_open_direct_tcpip("database.example", 7, "local", 0).await.unwrap(),
            c.channel_open_direct_streamlocal("/run/echo").await.unwrap(),
        ];
        for mut channel in channels {
            channel.data_bytes("first ").await.unwrap();
            channel.data_bytes("last").await.unwrap();
            channel.eof().await.unwrap();
            let (mut heard, mut ended) = (Vec::new(), Vec::new());
            while let Some(message) = channel.wait().await {
                match message {
                    russh::ChannelMsg::Data { data } => heard.extend_from_slice(&data),
                    russh::ChannelMsg::Eof => ended.push("eof"),
                    russh::ChannelMsg::Close => ended.push("close"),
                    _ => {}
                }
            }
            assert_eq!(heard, b"first last");
            assert_eq!(ended, ["eof", "close"]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bulk_both_ways_through_nested_hosts_arrives_whole() {
    guarded(async {
        const LENGTH: usize = 8 * 1024 * 1024;
        let lab = Lab::new(&topology());
        let [_a, b, c] = nest(&lab).await;
        let mut flows = Vec::new();
        // Each flow is one upload and one download; half of them leave the nest one host early.
        for (i, session) in [&b, &c, &b, &c].into_iter().enumerate() {
            let channel = session.channel_open_direct_tcpip("localhost", 7, "local", 0).await.unwrap();
            let (mut down, mut up) = tokio::io::split(channel.into_stream());
            let sent: Arc<Vec<u8>> = Arc::new((0..LENGTH).map(|n| (n / 251 * (i + 3) + n) as u8).collect());
            let expected = sent.clone();
            flows.push(tokio::spawn(async move {
                up.write_all(&sent).await.unwrap();
                up.shutdown().await.unwrap();
            }));
            flows.push(tokio::spawn(async move {
                let mut heard = Vec::new();
                down.read_to_end(&mut heard).await.unwrap();
                assert!(heard == *expected, "{} of {LENGTH} bytes", heard.len());
            }));
        }
        for flow in flows {
            flow.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_dropped_lab_breaks_every_session() {
    guarded(async {
        let lab = Lab::new(&topology());
        let [a, b, c] = nest(&lab).await;
        let mut echo = c.channel_open_direct_tcpip("localhost", 7, "local", 0).await.unwrap();
        drop(lab);
        while echo.wait().await.is_some() {}
        for session in [a, b, c] {
            let _ended = session.await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_survives_the_goodbye_of_another() {
    guarded(async {
        let lab = Lab::new(&topology());
        let [a, b, c] = nest(&lab).await;
        c.disconnect(Disconnect::ByApplication, "", "").await.unwrap();
        let _goodbye = c.await;
        let _again = through(&lab, &b, "c", "127.0.0.1", 2222).await;
        // hopper's keepalive is this request: an answer must come, whatever it says.
        a.send_ping().await.unwrap();
        assert!(!a.is_closed());
    })
    .await;
}
