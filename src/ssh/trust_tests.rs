//! Pins, authorities and records: what beats what.

use russh::keys::ssh_key::certificate::{Builder, CertType};
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{HashAlg, PrivateKey, PublicKeyOrCertificate};

use super::*;
use crate::ssh::{CertificateFault, Grounds};
use crate::topology::Address;

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

fn line(seed: u8) -> String {
    key(seed).public_key().to_openssh().unwrap()
}

fn fingerprint(seed: u8) -> String {
    key(seed).public_key().fingerprint(HashAlg::Sha256).to_string()
}

fn plain(seed: u8) -> PublicKeyOrCertificate {
    key(seed).public_key().clone().into()
}

/// A certificate for `h` and the key 1, by the authority of this seed.
fn certified(authority: u8) -> PublicKeyOrCertificate {
    let key = key(1).public_key().key_data().clone();
    let mut builder = Builder::new(vec![7; 16], key, 0, u64::MAX - 1).unwrap();
    builder.cert_type(CertType::Host).unwrap().valid_principal("h").unwrap();
    builder.key_id("id").unwrap();
    builder.sign(&self::key(authority)).unwrap().into()
}

/// What is expected of `h`, changed in this way, by a person with this known_hosts.
fn expectation(known: &str, change: impl FnOnce(&mut Host)) -> Result<Expectation, HostKeyRefusal> {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".ssh")).unwrap();
    std::fs::write(home.path().join(".ssh/known_hosts"), known).unwrap();
    let mut host = Host::new(HostId::new("h"));
    change(&mut host);
    let mut trust = Trust::of_person(Some(home.path()));
    trust.global.clear();
    trust.expectation(&host)
}

fn judge(
    known: &str,
    shown: &PublicKeyOrCertificate,
    change: impl FnOnce(&mut Host),
) -> Result<Grounds, HostKeyRefusal> {
    expectation(known, change).unwrap().judge(shown)
}

fn pin(seed: u8) -> impl Fn(&mut Host) {
    move |host| host.host_key.fingerprints = vec![fingerprint(seed)]
}

fn authority(seed: u8) -> impl Fn(&mut Host) {
    move |host| host.host_key.authorities = vec![Authority::Key(line(seed) + " a comment")]
}

#[test]
fn identity_is_the_hosts_own_whatever_port_it_listens_on() {
    let mut host = Host::new(HostId::new("gate-b"));
    assert_eq!(names(&host), ["gate-b"]);
    host.address = Address::new("Gate-B.dmz", 2222);
    assert_eq!(names(&host), ["[gate-b.dmz]:2222", "gate-b"]);
    assert_eq!(principals(&host), ["gate-b.dmz", "gate-b"]);
    host.host_key.alias = Some("branch".into());
    assert_eq!((names(&host), principals(&host)), (vec!["branch".into()], vec!["branch".into()]));
}

#[test]
fn a_pin_beats_every_record_but_a_revocation() {
    let known = format!("h {}\n", line(1));
    assert_eq!(judge(&known, &plain(1), |_| ()), Ok(Grounds::Recorded));
    assert_eq!(judge(&known, &plain(2), pin(2)), Ok(Grounds::Pinned));
    assert!(matches!(judge(&known, &plain(1), pin(2)), Err(HostKeyRefusal::NotPinned { .. })));
    let revoked = format!("@revoked * {}\n", line(2));
    assert!(matches!(judge(&revoked, &plain(2), pin(2)), Err(HostKeyRefusal::Revoked { line: 1, .. })));
}

#[test]
fn a_pinned_host_needs_no_file_that_can_be_read() {
    let mut host = Host::new(HostId::new("h"));
    pin(1)(&mut host);
    // A folder cannot be read as a file.
    host.host_key.file = Some("/".into());
    assert_eq!(Trust::default().expectation(&host).unwrap().judge(&plain(1)), Ok(Grounds::Pinned));
    host.host_key.fingerprints.clear();
    assert!(matches!(Trust::default().expectation(&host), Err(HostKeyRefusal::Unreadable { .. })));
}

#[test]
fn a_certificate_of_a_recorded_authority_is_enough_and_is_asked_for() {
    let known = format!("@cert-authority *,!g {}\n", line(9));
    assert!(expectation(&known, |_| ()).unwrap().wants_certificate());
    assert_eq!(judge(&known, &certified(9), |_| ()), Ok(Grounds::Certified));
    let foreign = judge(&known, &certified(8), |_| ()).unwrap_err();
    assert!(
        matches!(&foreign, HostKeyRefusal::Certificate { fault: CertificateFault::Foreign, id, .. } if id == "id")
    );
    // Without a name, the certificate is for somebody else.
    let other = judge(&known, &certified(9), |host| host.address = Address::new("h2", 22));
    assert_eq!(other, Ok(Grounds::Certified), "the id is a name as well");
    let other = judge(&known, &certified(9), |host| host.host_key.alias = Some("h2".into()));
    assert!(matches!(other, Err(HostKeyRefusal::Certificate { fault: CertificateFault::OtherHosts(_), .. })));
}

#[test]
fn a_certificate_that_is_no_good_counts_as_its_plain_key() {
    let known = format!("@cert-authority h {}\nh {}\n", line(9), line(1));
    assert_eq!(judge(&known, &certified(8), |_| ()), Ok(Grounds::Recorded));
    assert!(!expectation(&format!("h {}\n", line(1)), |_| ()).unwrap().wants_certificate());
    let unasked = judge(&format!("h {}\n", line(1)), &certified(8), |_| ());
    assert_eq!(unasked, Ok(Grounds::Recorded));
}

#[test]
fn a_revoked_key_or_authority_spoils_the_certificate() {
    let known = format!("@cert-authority h {}\n", line(9));
    for seed in [1, 9] {
        let known = format!("{known}@revoked * {}\n", line(seed));
        let judged = judge(&known, &certified(9), |_| ());
        assert!(matches!(judged, Err(HostKeyRefusal::Revoked { line: 2, .. })), "{seed}: {judged:?}");
    }
}

#[test]
fn a_plain_key_is_no_newcomer_where_an_authority_is_named() {
    let known = format!("@cert-authority h {}\n", line(9));
    let accept = |host: &mut Host| host.host_key.checking = HostKeyChecking::AcceptNew;
    let expectation = expectation(&known, accept).unwrap();
    let refusal = expectation.judge(&plain(1)).unwrap_err();
    assert!(matches!(refusal, HostKeyRefusal::NotCertified { .. }));
    assert!(!expectation.may_accept(&refusal));
}

#[test]
fn an_authority_of_the_topology_stands_in_place_of_the_records() {
    let known = format!("@cert-authority h {}\nh {}\n", line(9), line(1));
    assert_eq!(judge("", &certified(7), authority(7)), Ok(Grounds::Certified));
    assert!(judge(&known, &certified(9), authority(7)).is_err(), "another authority");
    assert!(judge(&known, &plain(1), authority(7)).is_err(), "a recorded key");
    let both = |host: &mut Host| {
        authority(7)(host);
        pin(1)(host);
    };
    assert_eq!(judge("", &plain(1), both), Ok(Grounds::Pinned));
    assert_eq!(judge("", &certified(7), both), Ok(Grounds::Certified));
}

#[test]
fn a_walk_learns_what_it_is_told_to_and_what_the_host_allows_anyhow() {
    let ask = Learning { checking: HostKeyChecking::Ask, record: false, replace: None };
    let trust = Trust::default().learning(ask);
    let mut host = Host::new(HostId::new("h"));
    let learnt = |host: &Host| trust.expectation(host).unwrap().learning;
    assert_eq!((learnt(&host).checking, learnt(&host).record), (HostKeyChecking::Ask, false));
    host.host_key.checking = HostKeyChecking::AcceptNew;
    assert_eq!((learnt(&host).checking, learnt(&host).record), (HostKeyChecking::AcceptNew, false));
}

#[test]
fn a_file_of_authorities_must_be_there_and_hold_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pub");
    let named = |host: &mut Host| {
        host.host_key.authorities = vec![Authority::File(file.display().to_string())];
    };
    assert!(matches!(expectation("", named), Err(HostKeyRefusal::Unreadable { .. })), "no such file");
    for text in ["# nothing\n", "rubbish\n"] {
        std::fs::write(&file, text).unwrap();
        assert!(matches!(expectation("", named), Err(HostKeyRefusal::Unreadable { .. })), "{text}");
    }
    std::fs::write(&file, format!("# two\n{}\n{}\n", line(6), line(7))).unwrap();
    assert_eq!(judge("", &certified(7), named), Ok(Grounds::Certified));
}

#[test]
fn another_session_is_shown_the_same_key_and_heeds_what_was_revoked_since() {
    let both = format!("h {}\nh {}\n", line(1), line(2));
    for (known, pins, grounds) in [
        (both.as_str(), vec![], Grounds::Recorded),
        ("", vec![fingerprint(1), fingerprint(2)], Grounds::Pinned),
        ("", vec![], Grounds::Accepted),
        ("", vec![], Grounds::Replaced),
    ] {
        let before = Trusted::default();
        before.set((Fingerprint::of(key(1).public_key()), grounds)).unwrap();
        let pinned = |host: &mut Host| host.host_key.fingerprints = pins.clone();
        let again = |known: &str| expectation(known, pinned).unwrap().again(&before);
        assert_eq!(again(known).judge(&plain(1)), Ok(Grounds::Pinned), "{grounds:?}");
        let other = again(known).judge(&plain(2));
        assert!(matches!(other, Err(HostKeyRefusal::NotPinned { .. })), "{grounds:?}: {other:?}");
        let revoked = again(&format!("{known}@revoked * {}\n", line(1))).judge(&plain(1));
        assert!(matches!(revoked, Err(HostKeyRefusal::Revoked { .. })), "{grounds:?}: {revoked:?}");
    }
    // A certificate may be renewed, with another key.
    let before = Trusted::default();
    before.set((Fingerprint::of(key(1).public_key()), Grounds::Certified)).unwrap();
    let again = expectation("", authority(3)).unwrap().again(&before);
    assert_eq!(again.judge(&certified(3)), Ok(Grounds::Certified));
    assert!(again.judge(&plain(1)).is_err());
}
