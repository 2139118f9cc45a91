//! The settings of every SSH client session: algorithms, windows, limits, timers.

use std::borrow::Cow;
use std::time::Duration;

use russh::client::Config;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Limits, Preferred, SshId, cipher, compression, kex, mac};

use super::expectation::Expectation;
use crate::topology::Keepalive;

/// Receive window of each channel, in bytes. All channels of a session share the value, so it is also
/// what one stalled stream can hold. 16 MiB and more makes OpenSSH burn its time copying buffers.
pub const WINDOW: u32 = 4 << 20;

/// The settings for one session. The key types recorded for the host are asked for first, a certificate before
/// them where an authority may give one.
pub fn client_config(expectation: &Expectation, keepalive: Keepalive) -> Config {
    let interval = (!keepalive.interval.is_zero()).then_some(keepalive.interval);
    Config {
        client_id: SshId::Standard(Cow::Borrowed(concat!("SSH-2.0-hopper_", env!("CARGO_PKG_VERSION")))),
        window_size: WINDOW,
        maximum_packet_size: 32768,
        channel_buffer_size: 32,
        // A rekey that we start kills a session with several busy downloads; servers start their own.
        limits: Limits {
            rekey_write_limit: usize::MAX,
            rekey_read_limit: usize::MAX,
            rekey_time_limit: Duration::from_secs(1 << 30),
        },
        keepalive_interval: interval,
        keepalive_max: keepalive.max,
        // It would fire on a session that only waits: for a slow client, or for a person's passphrase.
        // The watchdog does its work.
        inactivity_timeout: None,
        preferred: preferred(&expectation.algorithms(), expectation.wants_certificate()),
        ..Config::default()
    }
}

fn preferred(recorded: &[Algorithm], certificate: bool) -> Preferred {
    let keys = host_key_algorithms(recorded);
    Preferred {
        kex: Cow::Borrowed(KEX),
        host_key_certificates: Cow::Owned(if certificate { keys.clone() } else { Vec::new() }),
        key: Cow::Owned(keys),
        cipher: Cow::Borrowed(CIPHERS),
        mac: Cow::Borrowed(MACS),
        compression: Cow::Borrowed(&[compression::NONE]),
    }
}

const KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_GEX_SHA256,
    kex::DH_G18_SHA512,
    kex::DH_G16_SHA512,
    kex::DH_G14_SHA256,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];

/// AES-GCM first: processors that hopper meets have instructions for it, and it is twice as fast as
/// chacha20 there.
const CIPHERS: &[cipher::Name] = &[
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

const MACS: &[mac::Name] = &[mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM, mac::HMAC_SHA512, mac::HMAC_SHA256];

/// Recorded types first, so that a server with several keys shows the one we can judge. SHA-1
/// signatures are never asked for.
fn host_key_algorithms(recorded: &[Algorithm]) -> Vec<Algorithm> {
    let all = [
        Algorithm::Ed25519,
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
    ];
    let is_recorded = |algorithm: &Algorithm| {
        recorded.iter().any(|known| known == algorithm || (is_rsa(known) && is_rsa(algorithm)))
    };
    let (first, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(is_recorded);
    first.into_iter().chain(rest).collect()
}

fn is_rsa(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::Rsa { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_key_type_is_asked_for_first_and_sha1_never() {
        let order = host_key_algorithms(&["ssh-rsa".parse().unwrap()]);
        assert_eq!(order[0], Algorithm::Rsa { hash: Some(HashAlg::Sha512) });
        assert!(!order.contains(&Algorithm::Rsa { hash: None }));
        assert_eq!(host_key_algorithms(&[])[0], Algorithm::Ed25519);
    }
}
