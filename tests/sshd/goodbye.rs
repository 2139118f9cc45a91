//! The last words of either side when a login fails: ours to the server, and the server's to the person.

use super::bed::Bed;
use super::command::must;
use super::hopper::{Ended, Hopper};
use super::keys::Key;
use super::topology::Topology;
use super::until::{SOON, until};

#[test]
fn a_server_that_refused_us_is_told_that_we_go() {
    let Some(bed) = Bed::line(2) else { return };
    bed.authorize(2, "");
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&Topology::line(&bed), &["--progress", "plain"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    for host in 1..=2 {
        let told = || bed.log(host).contains("Received disconnect from ");
        assert!(until(SOON, told), "host {host} never heard from us: {}", bed.log(host));
    }
    hopper.assert_nothing_left();
}

/// A server that hangs up after so many keys, and an agent that holds more; what hopper makes of it.
fn too_many_keys(tries: usize) -> Option<Ended> {
    let bed = Bed::line(1)?;
    bed.restart_sshd(1, &format!("MaxAuthTries {tries}"));
    let socket = bed.path("agent.sock");
    bed.background(0, "agent", bed.on(0, "ssh-agent").arg("-D").arg("-a").arg(&socket));
    assert!(until(SOON, || socket.exists()), "no agent");
    for name in ["first", "second", "third"] {
        let key = Key::make(bed.path(&format!("elsewhere/{name}")), "ed25519", "");
        must(bed.on(0, "ssh-add").arg("-q").arg(key.path()).env("SSH_AUTH_SOCK", &socket));
    }
    let hopper = Hopper::on(&bed).with_agent(socket);
    let ended = hopper.try_up(&Topology::line(&bed), &["--progress", "plain"]);
    let words = "Too many authentication failures";
    assert!(bed.log(1).contains(words), "it never hung up, which proves nothing: {}", bed.log(1));
    assert!(ended.stderr.contains(words), "does not say {words}: {}", ended.stderr);
    hopper.assert_nothing_left();
    Some(ended)
}

#[test]
fn a_server_that_wants_no_key_after_the_first_is_quoted() {
    let Some(ended) = too_many_keys(1) else { return };
    assert_eq!(ended.code, 4, "{}", ended.stderr);
}

#[test]
fn a_server_that_wants_no_key_after_the_second_is_quoted() {
    let Some(ended) = too_many_keys(2) else { return };
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("it said"), "does not tell the server's words apart: {}", ended.stderr);
}
