//! An ssh-agent that misbehaves costs time and memory within bounds, and keeps no other key from logging in.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use russh::keys::PublicKey;

use super::bed::{Bed, NEAR};
use super::hopper::Hopper;
use super::hostile::{IN_TIME, SMALL, most_memory};
use super::keys::Key;
use super::load::MIB;
use super::topology::Topology;
use super::until::until;

/// Runs an agent that does this with every client, and then holds on to it until the test ends. Counts them.
fn agent(bed: &Bed, does: impl Fn(&mut UnixStream) + Send + 'static) -> (PathBuf, Arc<AtomicUsize>) {
    let socket = bed.path("agent.sock");
    let listener = UnixListener::bind(&socket).expect("make the agent's socket");
    let visits = Arc::new(AtomicUsize::new(0));
    let count = visits.clone();
    thread::spawn(move || {
        let mut held = Vec::new();
        for mut client in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            does(&mut client);
            held.push(client);
        }
    });
    (socket, visits)
}

/// With such an agent, the key file of the person logs in.
fn a_file_logs_in_beside(does: impl Fn(&mut UnixStream) + Send + 'static) {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let (socket, visits) = agent(&bed, does);
    let hopper = Hopper::on(&bed).with_agent(socket);
    let mut running = hopper.start_up(&Topology::line(&bed), &["--progress", "plain"]);
    let mut most = 0;
    let up = until(IN_TIME, || {
        most = most_memory(running.pid()).unwrap_or(most);
        running.is_over() || running.stderr().contains("Up in")
    });
    assert!(up && !running.is_over(), "it is not up in time: {}", running.stderr());
    assert!(most < SMALL, "{most} KiB: {}", running.stderr());
    assert!(visits.load(Ordering::SeqCst) > 0, "the agent was not asked");
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    running.signal("INT");
    assert_eq!(running.ended().code, 0);
    hopper.assert_nothing_left();
}

/// Answers with this when it is asked for its keys, and to nothing else.
fn answer(client: &mut UnixStream, with: &[u8]) {
    let mut asked = [0; 5];
    if client.read_exact(&mut asked).is_ok() && asked == *b"\0\0\0\x01\x0b" {
        // An error here is hopper hanging up.
        drop(client.write_all(with));
    }
}

#[test]
fn an_agent_that_says_nothing() {
    a_file_logs_in_beside(|_| {});
}

#[test]
fn an_agent_that_hangs_up() {
    a_file_logs_in_beside(|client| drop(client.shutdown(std::net::Shutdown::Both)));
}

#[test]
fn an_agent_that_announces_four_gigabytes() {
    a_file_logs_in_beside(|client| answer(client, b"\xff\xff\xff\xff\x0c\xff\xff\xff\xff"));
}

#[test]
fn an_agent_that_announces_four_thousand_million_keys() {
    a_file_logs_in_beside(|client| answer(client, b"\0\0\0\x05\x0c\xff\xff\xff\xff"));
}

#[test]
fn an_agent_that_talks_nonsense() {
    a_file_logs_in_beside(|client| answer(client, b"\0\0\0\x08\x0c\0\0\0\x01\x7f\xff\x1b["));
}

#[test]
fn an_agent_that_lists_the_key_and_never_signs() {
    let Some(bed) = Bed::line(1) else { return };
    let key = Key::make(bed.path("held/key"), "ed25519", "");
    bed.authorize(1, &key.public());
    let blob = key.public().parse::<PublicKey>().expect("a key").to_bytes().expect("its bytes");
    let mut list = b"\x0c\0\0\0\x01".to_vec();
    for part in [&blob[..], b"held"] {
        list.extend(u32::try_from(part.len()).expect("short").to_be_bytes());
        list.extend(part);
    }
    let framed = [&u32::try_from(list.len()).expect("short").to_be_bytes()[..], &list].concat();
    let (socket, _) = agent(&bed, move |client| answer(client, &framed));
    let hopper = Hopper::on(&bed).with_agent(socket);
    let running = hopper.start_up(&Topology::line(&bed).impatient(), &["--progress", "plain"]);
    let ended = running.ended_within(IN_TIME);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("agent"), "does not name the agent: {}", ended.stderr);
    hopper.assert_nothing_left();
}
