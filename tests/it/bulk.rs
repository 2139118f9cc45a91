//! Much through many layers, both ways at once: every byte arrives, in order, and the end of each side.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::thread;

use super::client::{assert_refuses, connect};
use super::home::Home;
use super::until::until;

const STREAMS: u64 = 8;
const EACH: usize = 4 << 20;

/// Three tunnels deep, as deep as the screen behind three firewalls.
const DEEP: &str = r#"{
  "hopper": 1, "name": "deep",
  "hosts": { "b": "alice@b", "c": "alice@c", "d": "alice@d", "far": { "ssh": false } },
  "links": ["local -> b -> c -> d -> far"],
  "forwards": { "echo": "auto -> far:7000" }
}"#;

/// Deeper, but with clients on b and c: local dials b's listener in plain, and that leads, through c's,
/// to the session of b's client on e.
const TELESCOPED: &str = r#"{
  "hopper": 1, "name": "deep",
  "policy": { "strategy": "telescoped" },
  "hosts": { "b": { "client": "exec", "bind": "any" }, "c": { "client": "exec", "bind": "any" },
             "d": "alice@d", "e": "alice@e", "far": { "ssh": false } },
  "links": ["local -> b -> c -> d -> e -> far"],
  "forwards": { "echo": { "listen": "auto", "to": "far:7000", "plain": "ends" } }
}"#;

/// Bytes that no other stream has, so that a mix-up shows.
fn pattern(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(EACH / 8).flatten().collect()
}

/// Sends all of it while it reads all that comes back.
fn round_trip(listen: &str, seed: u64) {
    let sent = pattern(seed);
    let mut reader = connect(listen);
    let mut writer = reader.try_clone().expect("share the connection");
    let mut heard = Vec::with_capacity(EACH);
    thread::scope(|scope| {
        scope.spawn(|| {
            writer.write_all(&sent).unwrap_or_else(|error| panic!("send stream {seed}: {error}"));
            writer.shutdown(Shutdown::Write).expect("end one side");
        });
        reader.read_to_end(&mut heard).unwrap_or_else(|error| panic!("hear stream {seed}: {error}"));
    });
    let same = heard.iter().zip(&sent).take_while(|(a, b)| a == b).count();
    assert_eq!((heard.len(), same), (EACH, EACH), "stream {seed}: length, and how much of it is right");
}

fn all_arrives(file: &str, more: &[&str]) {
    let home = Home::new();
    home.up(&home.file("deep.json", file), more);
    let listen = home.listen("deep", "echo");
    thread::scope(|scope| {
        let streams: Vec<_> = (0..STREAMS)
            .map(|seed| {
                scope.spawn({
                    let listen = &listen;
                    move || round_trip(listen, seed)
                })
            })
            .collect();
        streams.into_iter().for_each(|stream| stream.join().expect("a stream broke"));
    });
    let total = STREAMS * EACH as u64;
    let counted = until(|| {
        let forward = home.status("deep")["forwards"][0].take();
        forward["clients"] == 0 && forward["bytes_up"] == total && forward["bytes_down"] == total
    });
    assert!(counted, "{}", home.status("deep"));
    assert_eq!(home.status("deep")["forwards"][0]["connections"], STREAMS);
    home.run(&["down", "deep"]).with(0);
    home.assert_nothing_left();
    assert_refuses(&listen);
}

#[test]
fn eight_streams_arrive_whole_both_ways_over_channels() {
    all_arrives(DEEP, &["--carrier", "channel"]);
}

#[test]
fn eight_streams_arrive_whole_both_ways_over_ports() {
    all_arrives(DEEP, &["--carrier", "port"]);
}

#[test]
fn eight_streams_arrive_whole_both_ways_through_clients_elsewhere() {
    all_arrives(TELESCOPED, &[]);
}
