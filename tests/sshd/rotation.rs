//! Hosts that change over to another key, and hosts that exchange keys anew in the middle of a session.

use std::fs;

use serde_json::json;

use super::bed::{Bed, NEAR};
use super::hopper::Hopper;
use super::keys::Key;
use super::load::MIB;
use super::network;
use super::topology::Topology;
use super::until::{SOON, until};

/// What an sshd logs when it is asked to prove its keys, with `LogLevel DEBUG`.
const PROOF: &str = "rtype hostkeys-prove-00@openssh.com";

/// One host that has a second key, known by its first.
fn two_keys() -> Option<(Bed, Key)> {
    let bed = Bed::hosts(1)?;
    bed.far_end(1);
    let second = Key::make(bed.path("host1/second"), "ecdsa", "");
    bed.start_sshd(1, &format!("LogLevel DEBUG\nHostKey {}", second.path().display()));
    Some((bed, second))
}

fn known(bed: &Bed) -> String {
    fs::read_to_string(bed.known_hosts()).expect("read known_hosts")
}

fn with_policy(bed: &Bed, policy: &str) -> Topology {
    Topology::line(bed).host(1, "host_key", json!({ "policy": policy }))
}

#[test]
fn a_second_key_that_is_proved_is_recorded_and_counts_alone_later() {
    let Some((bed, second)) = two_keys() else { return };
    let name = network::name(1);
    let both = bed.host_key(1).known_as(&name) + &second.known_as(&name);
    let hopper = Hopper::on(&bed);
    hopper.up(&with_policy(&bed, "accept-new"), &[]);
    assert!(until(SOON, || known(&bed) == both), "{}", known(&bed));
    hopper.down();
    // The first key is gone: what was recorded asks for the second.
    fs::rename(second.path(), bed.host_key(1).path()).expect("put the second key in the place of the first");
    fs::rename(second.path().with_extension("pub"), bed.host_key(1).path().with_extension("pub"))
        .expect("half");
    bed.restart_sshd(1, "");
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_strict_policy_learns_nothing_and_a_revoked_key_is_never_learnt() {
    let Some((bed, second)) = two_keys() else { return };
    for (policy, more) in [("strict", String::new()), ("ask", format!("@revoked {}", second.known_as("*")))] {
        let text = bed.host_key(1).known_as(&network::name(1)) + &more;
        fs::write(bed.known_hosts(), text).expect("write known_hosts");
        let (hopper, before) = (Hopper::on(&bed), bed.log(1).matches(PROOF).count());
        hopper.up(&with_policy(&bed, policy), &[]);
        bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
        let asked = || bed.log(1).matches(PROOF).count() - before;
        let wanted = usize::from(policy != "strict");
        assert!(until(SOON, || asked() >= wanted), "{policy}: {}", asked());
        hopper.down();
        assert_eq!(asked(), wanted, "{policy}");
        hopper.assert_nothing_left();
    }
}

/// Asked for a key that it has proved before, an sshd since 10.5 ends the connection.
#[test]
fn a_host_proves_its_key_once_when_keys_are_exchanged_anew() {
    let Some(bed) = Bed::hosts(1) else { return };
    bed.far_end(1);
    bed.start_sshd(1, "LogLevel DEBUG\nRekeyLimit 4M");
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    assert_eq!(bed.log(1).matches(PROOF).count(), 0);
    bed.load_whole(0, NEAR, &[("both", 16 * MIB, 4)]);
    assert!(bed.log(1).matches("SSH2_MSG_KEXINIT sent").count() > 3, "the test proves little");
    assert_eq!(bed.log(1).matches(PROOF).count(), 1);
    assert_eq!((bed.logins(1), hopper.status().expect("it is up")["state"].as_str()), (1, Some("up")));
    hopper.down();
    hopper.assert_nothing_left();
}
