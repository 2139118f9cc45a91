//! The ssh-agent: which of its keys a host is offered, and agents that are locked, dead, silent, that ask
//! a person, or that sign for one host only.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::bed::{Bed, NEAR};
use super::command::must;
use super::hopper::Hopper;
use super::keys::Key;
use super::load::{MIB, script};
use super::network;
use super::topology::Topology;
use super::until::{SOON, until};

/// An agent that holds these keys, by its socket.
pub fn agent_with(bed: &Bed, name: &str, keys: &[&Key]) -> PathBuf {
    let socket = empty_agent(bed, name, |agent| agent);
    for key in keys {
        must(bed.on(0, "ssh-add").arg("-q").arg(key.path()).env("SSH_AUTH_SOCK", &socket));
    }
    socket
}

fn empty_agent(bed: &Bed, name: &str, change: impl Fn(&mut Command) -> &mut Command) -> PathBuf {
    let socket = bed.path(&format!("{name}.sock"));
    bed.background(0, name, change(bed.on(0, "ssh-agent").arg("-D").arg("-a").arg(&socket)));
    assert!(until(SOON, || socket.exists()), "no agent");
    socket
}

/// A key that the only host lets in, and that is nowhere but where the test puts it.
pub fn wanted(bed: &Bed) -> Key {
    let key = Key::make(bed.path("elsewhere/wanted"), "ed25519", "");
    for host in 1..=bed.last() {
        bed.authorize(host, &key.public());
    }
    fs::remove_file(bed.key().path()).expect("remove the usual key");
    fs::remove_file(bed.key().path().with_extension("pub")).expect("and its half");
    key
}

fn works(hopper: &Hopper, topology: &Topology) {
    hopper.up(topology, &[]);
    hopper.bed().load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn of_twenty_keys_in_the_agent_a_host_is_offered_the_one_that_is_named_for_it() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    bed.restart_sshd(1, "LogLevel DEBUG2");
    let key = wanted(&bed);
    let others: Vec<_> =
        (0..19).map(|n| Key::make(bed.path(&format!("elsewhere/other{n}")), "ed25519", "")).collect();
    let all: Vec<_> = others.iter().chain([&key]).collect();
    let socket = agent_with(&bed, "agent", &all);
    let hopper = Hopper::on(&bed).with_agent(socket);
    // Without a name the host gives up long before the twentieth.
    let ended = hopper.try_up(&Topology::line(&bed), &["--progress", "plain"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("name the one key for it"), "{}", ended.stderr);
    let before =
        bed.log(1).matches("userauth-request for user root service ssh-connection method publickey").count();
    // Its public half is enough to name it.
    fs::rename(key.path(), bed.path("elsewhere/private")).expect("hide the private half");
    let topology = Topology::line(&bed).hosts("identities", json!([key.path()]));
    works(&hopper, &topology);
    let after =
        bed.log(1).matches("userauth-request for user root service ssh-connection method publickey").count();
    assert_eq!(after - before, 2, "the question whether it would do, and the signature: {}", bed.log(1));
}

#[test]
fn the_file_says_which_agent_is_asked_for_a_host() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let key = wanted(&bed);
    let (right, wrong) = (agent_with(&bed, "right", &[&key]), agent_with(&bed, "wrong", &[]));
    let hopper = Hopper::on(&bed).with_agent(wrong);
    works(&hopper, &Topology::line(&bed).hosts("agent", json!(right)));
    let hopper = Hopper::on(&bed).with_agent(right);
    let ended = hopper.try_up(&Topology::line(&bed).hosts("agent", json!(false)), &["--progress", "plain"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("there is nothing to log in to h1 with"), "{}", ended.stderr);
}

#[test]
fn a_locked_agent_and_a_dead_one_are_told_apart() {
    let Some(bed) = Bed::line(1) else { return };
    let key = wanted(&bed);
    let locked = agent_with(&bed, "locked", &[&key]);
    let [python, terminal] = script("terminal.py");
    let mut lock = bed.on(0, python);
    lock.arg(terminal)
        .args(["--also", "again", "x", "password", "x", "0", "ssh-add", "-x"])
        .env("SSH_AUTH_SOCK", &locked);
    must(&mut lock);
    let dead = bed.path("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&dead).expect("a socket that nobody serves"));
    let silent = bed.path("silent.sock");
    let _serves_nobody = std::os::unix::net::UnixListener::bind(&silent).expect("a socket");
    for (socket, words) in [
        (&locked, "or is locked (ssh-add -X)"),
        (&dead, "Connection refused"),
        (&silent, "it does not answer"),
    ] {
        let hopper = Hopper::on(&bed).with_agent(socket.clone());
        let ended = hopper.try_up(&Topology::line(&bed), &["--progress", "plain"]);
        assert_eq!(ended.code, 4, "{}", ended.stderr);
        let shown = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains(words), "does not say {words}: {}", ended.stderr);
        hopper.assert_nothing_left();
    }
}

/// A program that an agent asks whether it may sign.
pub fn askpass(bed: &Bed, name: &str, script: &str) -> PathBuf {
    let path = bed.path(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("write the program");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("make it run");
    path
}

pub fn agent_that_asks(bed: &Bed, name: &str, key: &Key, askpass: &Path) -> PathBuf {
    let socket = empty_agent(bed, name, |agent| {
        agent.env("SSH_ASKPASS", askpass).env("SSH_ASKPASS_REQUIRE", "force").env("DISPLAY", ":none")
    });
    must(bed.on(0, "ssh-add").args(["-q", "-c"]).arg(key.path()).env("SSH_AUTH_SOCK", &socket));
    socket
}

#[test]
fn a_key_that_wants_a_confirmation_waits_for_it_and_a_refusal_is_told() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let key = wanted(&bed);
    // The person takes longer than the machine is given for a login.
    let slow = askpass(&bed, "slow", "sleep 3; exit 0");
    let hopper = Hopper::on(&bed).with_agent(agent_that_asks(&bed, "asks", &key, &slow));
    let ended = hopper.try_up(&Topology::line(&bed).hosts("timeout", json!({ "login": "1s" })), &["-d"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("h1 waits for the agent to sign"), "{}", ended.stderr);
    hopper.down();
    let never = askpass(&bed, "never", "exit 1");
    let hopper = Hopper::on(&bed).with_agent(agent_that_asks(&bed, "refuses", &key, &never));
    let ended = hopper.try_up(&Topology::line(&bed), &["--progress", "plain"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("the agent would not sign"), "{}", ended.stderr);
    assert_eq!(bed.log(1).matches("Accepted publickey").count(), 1, "{}", bed.log(1));
    hopper.assert_nothing_left();
}

#[test]
fn a_key_that_an_agent_keeps_for_one_host_is_good_for_that_host_only() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let key = wanted(&bed);
    let known = bed.known_hosts();
    // The agent knows which session it signs for only because hopper tells it.
    let constrained = |name: &str, hosts: &[usize]| {
        let socket = empty_agent(&bed, name, |agent| agent);
        let mut add = bed.on(0, "ssh-add");
        add.arg("-q").arg("-H").arg(&known).env("SSH_AUTH_SOCK", &socket);
        for host in hosts {
            add.args(["-h", &network::name(*host)]);
        }
        must(add.arg(key.path()));
        socket
    };
    works(&Hopper::on(&bed).with_agent(constrained("both", &[1, 2])), &Topology::line(&bed));
    let hopper = Hopper::on(&bed).with_agent(constrained("first", &[1]));
    let ended = hopper.try_up(&Topology::line(&bed), &["--progress", "plain"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("T1 h1: up") && ended.stderr.contains("h2"), "{}", ended.stderr);
    hopper.assert_nothing_left();
}
