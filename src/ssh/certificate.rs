//! A host certificate: whether it is good for the host that was asked for (OpenSSH's PROTOCOL.certkeys).
//!
//! russh checks that the server holds the key inside, and nothing else: all the rest is here. Which
//! authorities count is the caller's to say.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use russh::keys::ssh_key::certificate::Certificate;
use russh::keys::{Algorithm, HashAlg};

use super::host_field::wildcard;

/// Why a certificate is not good for this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateFault {
    /// Its authority is none of those that may certify the host.
    Foreign,
    /// It is a person's.
    NotForHosts,
    /// It names other hosts, or none.
    OtherHosts(Vec<String>),
    /// It is good only later: seconds since 1970.
    NotYet(u64),
    /// It was good once: seconds since 1970.
    Expired(u64),
    /// It asks for something that hopper does not know, and must not be taken then.
    CriticalOption(String),
    /// The authority's signature is wrong, or made with SHA-1 or DSA.
    Signature,
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CertificateFault::Foreign => f.write_str("its authority is none that may certify the host"),
            CertificateFault::NotForHosts => f.write_str("it is a person's certificate, not a host's"),
            CertificateFault::OtherHosts(names) if names.is_empty() => f.write_str("it names no host"),
            CertificateFault::OtherHosts(names) => write!(f, "it is for {}", names.join(", ")),
            CertificateFault::NotYet(_) => f.write_str("it is not good yet"),
            CertificateFault::Expired(_) => f.write_str("it has expired"),
            CertificateFault::CriticalOption(name) => write!(f, "it has the critical option {name}"),
            CertificateFault::Signature => f.write_str("its signature does not count"),
        }
    }
}

/// Whether a certificate of a known authority is good for a host of one of these names, now.
///
/// # Errors
/// The first reason why it is not.
pub(super) fn check(certificate: &Certificate, names: &[String]) -> Result<(), CertificateFault> {
    // A clock before 1970 makes every certificate one of the future.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    check_at(certificate, names, now)
}

fn check_at(certificate: &Certificate, names: &[String], now: u64) -> Result<(), CertificateFault> {
    if !certificate.cert_type().is_host() {
        return Err(CertificateFault::NotForHosts);
    }
    let weak = matches!(certificate.signature().algorithm(), Algorithm::Dsa | Algorithm::Rsa { hash: None });
    if weak || certificate.verify_signature().is_err() {
        return Err(CertificateFault::Signature);
    }
    if now < certificate.valid_after() {
        return Err(CertificateFault::NotYet(certificate.valid_after()));
    }
    if now >= certificate.valid_before() {
        return Err(CertificateFault::Expired(certificate.valid_before()));
    }
    if let Some((name, _)) = certificate.critical_options().iter().next() {
        return Err(CertificateFault::CriticalOption(name.clone()));
    }
    let principals = certificate.valid_principals();
    // A certificate without any name would be good for every host of the authority.
    if !principals.iter().any(|principal| names.iter().any(|name| wildcard(principal, name))) {
        return Err(CertificateFault::OtherHosts(principals.to_vec()));
    }
    // Says once more, in the library's own words, that the authority signed it and that it is good now.
    let authority = certificate.signature_key().fingerprint(HashAlg::Sha256);
    certificate.validate_at(now, [&authority]).map_err(|_| CertificateFault::Signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::keys::PrivateKey;
    use russh::keys::ssh_key::certificate::{Builder, CertType};
    use russh::keys::ssh_key::private::Ed25519Keypair;

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
    }

    /// A certificate that is good from 100 to 200, changed in this way.
    fn certificate(kind: CertType, change: impl FnOnce(&mut Builder)) -> Certificate {
        let nonce = vec![7; 16];
        let mut builder = Builder::new(nonce, key(1).public_key().key_data().clone(), 100, 200).unwrap();
        builder.cert_type(kind).unwrap();
        change(&mut builder);
        builder.sign(&key(2)).unwrap()
    }

    fn fault(now: u64, name: &str, change: impl FnOnce(&mut Builder)) -> Option<CertificateFault> {
        check_at(&certificate(CertType::Host, change), &[name.to_owned()], now).err()
    }

    fn named(builder: &mut Builder) {
        builder.valid_principal("gate.example.net").unwrap();
        builder.valid_principal("*.dmz").unwrap();
    }

    #[test]
    fn a_certificate_is_good_for_the_names_in_it_while_it_lasts() {
        assert_eq!(fault(100, "gate.example.net", named), None);
        assert_eq!(fault(199, "gate-b.dmz", named), None);
        assert_eq!(fault(99, "gate-b.dmz", named), Some(CertificateFault::NotYet(100)));
        assert_eq!(fault(200, "gate-b.dmz", named), Some(CertificateFault::Expired(200)));
        let other = Some(CertificateFault::OtherHosts(vec!["gate.example.net".into(), "*.dmz".into()]));
        assert_eq!(fault(100, "gate.example", named), other);
        let anybody = |builder: &mut Builder| {
            builder.all_principals_valid().unwrap();
        };
        assert_eq!(fault(100, "gate-b.dmz", anybody), Some(CertificateFault::OtherHosts(Vec::new())));
    }

    #[test]
    fn a_persons_certificate_and_one_with_conditions_are_no_good() {
        let person = check_at(&certificate(CertType::User, named), &["gate-b.dmz".to_owned()], 100);
        assert_eq!(person, Err(CertificateFault::NotForHosts));
        let only = |builder: &mut Builder| {
            named(builder);
            builder.critical_option("force-command", "x").unwrap();
        };
        let critical = Some(CertificateFault::CriticalOption("force-command".into()));
        assert_eq!(fault(100, "gate-b.dmz", only), critical);
    }

    #[test]
    fn a_certificate_that_was_tampered_with_is_no_good() {
        let good = certificate(CertType::Host, named).to_bytes().unwrap();
        let at = good.windows(4).position(|four| four == b".dmz").unwrap();
        let mut bad = good.clone();
        bad[at + 1] = b'D';
        let bad = Certificate::from_bytes(&bad).unwrap();
        assert_eq!(check_at(&bad, &["gate-b.dmz".to_owned()], 100), Err(CertificateFault::Signature));
    }
}
