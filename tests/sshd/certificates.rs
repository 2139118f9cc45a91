//! Certificates of people: of every kind of key, from files and from an agent, and those that are of no use.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::agents::agent_with;
use super::bed::{Bed, NEAR};
use super::command::{argv, must};
use super::hopper::Hopper;
use super::keys::Key;
use super::load::MIB;
use super::topology::Topology;

/// Two hosts that let in whom this authority signed, and no key by itself; and a key of this kind, signed for
/// these names with these options of `ssh-keygen`.
pub fn signed(kind: &str, names: &str, more: &[&str]) -> Option<(Bed, Key)> {
    let bed = Bed::hosts(2)?;
    let authority = Key::make(bed.path("authority/key"), "ed25519", "");
    let trusted = format!("TrustedUserCAKeys {}.pub", authority.path().display());
    for host in 1..=2 {
        bed.authorize(host, "");
        bed.start_sshd(host, &trusted);
    }
    bed.far_end(2);
    let key = Key::make(bed.path("home/.ssh/signed"), kind, "");
    let mut sign = argv(&["ssh-keygen", "-q", "-I", "bed", "-n", names]);
    sign.args(more).arg("-s").arg(authority.path());
    must(sign.arg(key.path().with_extension("pub")));
    Some((bed, key))
}

/// Where the certificate of a key is.
pub fn certificate(key: &Key) -> PathBuf {
    PathBuf::from(format!("{}-cert.pub", key.path().display()))
}

fn named(bed: &Bed) -> Topology {
    Topology::line(bed).hosts("identities", json!(["~/.ssh/signed"]))
}

fn works(hopper: &Hopper, topology: &Topology) {
    hopper.up(topology, &[]);
    hopper.bed().load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}

fn a_certificate_of_this_kind_logs_in(kind: &str, algorithm: &str) {
    let Some((bed, _)) = signed(kind, "root", &[]) else { return };
    works(&Hopper::on(&bed), &named(&bed).hosts("auth", json!(["certificate"])));
    for host in 1..=2 {
        assert!(bed.log(host).contains(&format!("ssh2: {algorithm}-CERT")), "{}", bed.log(host));
        assert_eq!(bed.log(host).matches("Failed publickey").count(), 0, "{}", bed.log(host));
    }
}

#[test]
fn an_ed25519_certificate_logs_in() {
    a_certificate_of_this_kind_logs_in("ed25519", "ED25519");
}

#[test]
fn an_rsa_certificate_logs_in_and_signs_with_sha_2() {
    // This sshd takes no SHA-1 from anybody.
    a_certificate_of_this_kind_logs_in("rsa", "RSA");
}

#[test]
fn an_ecdsa_certificate_logs_in() {
    a_certificate_of_this_kind_logs_in("ecdsa", "ECDSA");
}

#[test]
fn the_certificate_beside_a_key_is_offered_with_it_and_may_be_named_itself() {
    let Some((bed, key)) = signed("ed25519", "root", &[]) else { return };
    let hopper = Hopper::on(&bed);
    works(&hopper, &named(&bed));
    works(&hopper, &Topology::line(&bed).hosts("identities", json!([certificate(&key)])));
}

#[test]
fn an_agent_signs_for_a_certificate_that_it_holds_and_for_one_in_a_file() {
    let Some((bed, key)) = signed("rsa", "root", &[]) else { return };
    let both = agent_with(&bed, "both", &[&key]);
    // The agent takes the certificate beside a key along, if there is one.
    let beside = certificate(&key);
    let aside = bed.path("aside-cert.pub");
    fs::rename(&beside, &aside).expect("put the certificate aside");
    let bare = agent_with(&bed, "bare", &[&key]);
    fs::remove_file(key.path()).expect("remove the private half");
    works(&Hopper::on(&bed).with_agent(both), &named(&bed));
    fs::rename(&aside, &beside).expect("put the certificate back");
    works(&Hopper::on(&bed).with_agent(bare), &named(&bed).hosts("auth", json!(["certificate"])));
    assert_eq!(bed.log(1).matches("RSA-CERT").count() % 2, 0, "{}", bed.log(1));
}

#[test]
fn a_certificate_that_is_of_no_use_is_told_with_the_reason() {
    for (more, names, words, tries) in [
        (["-V", "20200101:20200102"], "root", "has expired", 0),
        (["-V", "20990101:20990102"], "root", "not valid yet", 0),
        (["-O", "no-pty"], "somebody", "certificate for somebody", 1),
    ] {
        let Some((bed, _)) = signed("ed25519", names, &more) else { return };
        let hopper = Hopper::on(&bed);
        let only = named(&bed).hosts("auth", json!(["certificate"]));
        let ended = hopper.try_up(&only, &["--progress", "plain"]);
        assert_eq!(ended.code, 4, "{}", ended.stderr);
        assert!(ended.stderr.contains(words), "does not say {words}: {}", ended.stderr);
        let offered = bed.log(1).matches("Certificate invalid: name is not a listed principal").count();
        assert_eq!(offered, tries, "{}", bed.log(1));
        hopper.assert_nothing_left();
    }
}
