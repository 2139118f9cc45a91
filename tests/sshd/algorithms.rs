//! Old servers: what has nothing but broken algorithms is refused by name, and works, with a warning, where the
//! file asks for it.

use std::fs;

use serde_json::json;

use super::bed::{Bed, NEAR};
use super::hopper::Hopper;
use super::keys::Key;
use super::load::MIB;
use super::network;
use super::topology::Topology;

/// Two hosts, the second of which has nothing else than this.
fn old(settings: &str) -> Option<Bed> {
    let bed = Bed::line(2)?;
    bed.far_end(2);
    bed.restart_sshd(2, settings);
    Some(bed)
}

/// Refused with all of these words, and taken with `"algorithms": "legacy"`.
fn only_if_asked(bed: &Bed, words: &[&str]) {
    let hopper = Hopper::on(bed);
    let ended = hopper.try_up(&Topology::line(bed), &["-d"]);
    assert_eq!(ended.code, 6, "{}", ended.stderr);
    for word in ["H0610", "h2", "\"algorithms\": \"legacy\""].iter().chain(words) {
        assert!(ended.stderr.contains(word), "does not say {word}: {}", ended.stderr);
    }
    assert_eq!(bed.logins(2), 0, "logged in to a host with nothing in common");
    hopper.assert_nothing_left();
    let legacy = Topology::line(bed).host(2, "algorithms", json!("legacy"));
    let ended = hopper.try_up(&legacy, &["-d"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let warning = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in ["warning: h2 may use algorithms that are broken or nearly so:"].iter().chain(&words[1..]) {
        assert!(warning.contains(word), "does not warn of {word}: {}", ended.stderr);
    }
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_server_that_agrees_on_keys_by_sha1_only() {
    let Some(bed) = old("KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group1-sha1") else {
        return;
    };
    only_if_asked(&bed, &["no key exchange in common", "diffie-hellman-group14-sha1"]);
}

#[test]
fn a_server_that_has_cbc_ciphers_only() {
    let Some(bed) = old("Ciphers aes128-cbc,aes256-cbc") else { return };
    only_if_asked(&bed, &["no cipher in common", "aes128-cbc"]);
}

#[test]
fn a_server_that_has_sha1_macs_only() {
    let Some(bed) = old("Ciphers aes128-ctr\nMACs hmac-sha1") else { return };
    only_if_asked(&bed, &["no MAC in common", "hmac-sha1"]);
}

#[test]
fn a_server_that_signs_with_sha1_only() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    rsa_host_key(&bed, "");
    only_if_asked(&bed, &["no host key algorithm in common", "ssh-rsa"]);
}

#[test]
fn a_server_that_takes_signatures_with_sha1_only() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let key = Key::make(bed.path("home/.ssh/id_rsa"), "rsa", "");
    bed.authorize(2, &key.public());
    rsa_host_key(&bed, "PubkeyAcceptedAlgorithms ssh-rsa");
    let hopper = Hopper::on(&bed);
    let topology = Topology::line(&bed).host(2, "algorithms", json!({ "host_key": ["ssh-rsa"] }));
    hopper.up(&topology, &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}

/// Host 2 shows an RSA key, and proves by SHA-1 that it has it.
fn rsa_host_key(bed: &Bed, more: &str) {
    let rsa = Key::make(bed.path("host2/rsa"), "rsa", "");
    let settings = format!("HostKey {}\nHostKeyAlgorithms ssh-rsa\n{more}", rsa.path().display());
    bed.restart_sshd(2, &settings);
    let known = bed.host_key(1).known_as(&network::name(1)) + &rsa.known_as(&network::name(2));
    fs::write(bed.known_hosts(), known).expect("write known_hosts");
}

#[test]
fn what_a_list_leaves_out_is_not_used() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let hopper = Hopper::on(&bed);
    let one = json!({ "kex": ["ecdh-sha2-nistp384"], "cipher": ["aes192-ctr"], "mac": ["hmac-sha2-256"] });
    bed.restart_sshd(1, "LogLevel DEBUG1");
    hopper.up(&Topology::line(&bed).host(1, "algorithms", one), &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    for agreed in ["kex: algorithm: ecdh-sha2-nistp384", "cipher: aes192-ctr MAC: hmac-sha2-256 "] {
        assert!(bed.log(1).contains(agreed), "not {agreed}");
    }
    hopper.assert_nothing_left();
}
