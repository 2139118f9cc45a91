//! The settings of every SSH client session: algorithms, windows, limits, timers.

use std::borrow::Cow;
use std::time::Duration;

use russh::client::Config;
use russh::keys::Algorithm;
use russh::{Limits, Preferred, SshId, cipher, compression, kex, mac};

use super::expectation::Expectation;
use crate::topology::{AlgorithmKind, Algorithms, Keepalive};

/// Receive window of each channel, in bytes. All channels of a session share the value, so it is also
/// what one stalled stream can hold. 16 MiB and more makes OpenSSH burn its time copying buffers.
pub const WINDOW: u32 = 4 << 20;

/// How many messages of each channel wait for its reader, each with up to 32 KiB that come on top of the window. A session
/// that is made to wait stands still only once one channel has so many, and by then most others have as many.
const UNREAD: usize = 8;

/// The settings for one session. The key types recorded for the host are asked for first, a certificate before
/// them where an authority may give one.
pub fn client_config(expectation: &Expectation, algorithms: &Algorithms, keepalive: Keepalive) -> Config {
    let interval = (!keepalive.interval.is_zero()).then_some(keepalive.interval);
    Config {
        client_id: SshId::Standard(Cow::Borrowed(concat!("SSH-2.0-hopper_", env!("CARGO_PKG_VERSION")))),
        window_size: WINDOW,
        maximum_packet_size: 32768,
        channel_buffer_size: UNREAD,
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
        preferred: preferred(&expectation.algorithms(), algorithms, expectation.wants_certificate()),
        ..Config::default()
    }
}

fn preferred(recorded: &[Algorithm], algorithms: &Algorithms, certificate: bool) -> Preferred {
    let keys = host_key_algorithms(recorded, algorithms);
    // What russh lacks of them is left out; a test holds that it has all.
    let kex = algorithms.taken(AlgorithmKind::Kex).into_iter().filter_map(|name| name.try_into().ok());
    let ciphers = algorithms.taken(AlgorithmKind::Cipher).into_iter();
    let macs = algorithms.taken(AlgorithmKind::Mac).into_iter();
    Preferred {
        kex: kex.chain(EXTENSIONS.iter().copied()).collect(),
        host_key_certificates: Cow::Owned(if certificate { keys.clone() } else { Vec::new() }),
        key: Cow::Owned(keys),
        cipher: ciphers.filter_map(|name| cipher::Name::try_from(name).ok()).collect(),
        mac: macs.filter_map(|name| mac::Name::try_from(name).ok()).collect(),
        compression: Cow::Borrowed(&[compression::NONE]),
    }
}

/// Told among the key exchanges: extensions are welcome, and messages are counted strictly from the first one on.
const EXTENSIONS: &[kex::Name] =
    &[kex::EXTENSION_SUPPORT_AS_CLIENT, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT];

/// Recorded types first, so that a server with several keys shows the one we can judge.
fn host_key_algorithms(recorded: &[Algorithm], algorithms: &Algorithms) -> Vec<Algorithm> {
    let all = algorithms.taken(AlgorithmKind::HostKey).into_iter().filter_map(|name| name.parse().ok());
    let is_recorded = |algorithm: &Algorithm| {
        recorded.iter().any(|known| known == algorithm || (is_rsa(known) && is_rsa(algorithm)))
    };
    let (first, rest): (Vec<_>, Vec<_>) = all.partition(is_recorded);
    first.into_iter().chain(rest).collect()
}

fn is_rsa(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::Rsa { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::keys::HashAlg;

    #[test]
    fn a_recorded_key_type_is_asked_for_first_and_sha1_never_unasked() {
        let usual = Algorithms::default();
        let order = host_key_algorithms(&["ssh-rsa".parse().unwrap()], &usual);
        assert_eq!(order[0], Algorithm::Rsa { hash: Some(HashAlg::Sha512) });
        assert!(!order.contains(&Algorithm::Rsa { hash: None }));
        assert_eq!(host_key_algorithms(&[], &usual)[0], Algorithm::Ed25519);
        let legacy = Algorithms { legacy: true, ..usual };
        assert_eq!(host_key_algorithms(&[], &legacy).last(), Some(&Algorithm::Rsa { hash: None }));
    }

    #[test]
    fn every_algorithm_that_a_file_may_name_is_there() {
        let all = Algorithms { legacy: true, ..Algorithms::default() };
        let offered = preferred(&[], &all, false);
        let kex: Vec<_> = offered.kex.iter().map(AsRef::as_ref).collect();
        let wanted = [all.taken(AlgorithmKind::Kex), vec!["ext-info-c", "kex-strict-c-v00@openssh.com"]];
        assert_eq!(kex, wanted.concat());
        let keys: Vec<_> = offered.key.iter().map(ToString::to_string).collect();
        assert_eq!(keys, all.taken(AlgorithmKind::HostKey));
        let ciphers: Vec<_> = offered.cipher.iter().map(AsRef::as_ref).collect();
        assert_eq!(ciphers, all.taken(AlgorithmKind::Cipher));
        let macs: Vec<_> = offered.mac.iter().map(AsRef::as_ref).collect();
        assert_eq!(macs, all.taken(AlgorithmKind::Mac));
        assert_eq!(*offered.compression, [compression::NONE]);
    }
}
