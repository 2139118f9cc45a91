//! What the hosts of the lab have to offer: every algorithm that a file may name, so that whatever a host is
//! held to works; and for its key, a kind that the host may show.

use russh::keys::PrivateKey;
use russh::{Preferred, kex};

use crate::topology::{AlgorithmKind, Algorithms};

use super::world::fresh_key;

/// Everything, the old ones last.
pub(super) fn everything() -> Preferred {
    let all = |kind: AlgorithmKind| kind.modern().iter().chain(kind.legacy()).copied();
    let extensions = [kex::EXTENSION_SUPPORT_AS_SERVER, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER];
    Preferred {
        kex: all(AlgorithmKind::Kex).filter_map(|name| name.try_into().ok()).chain(extensions).collect(),
        key: all(AlgorithmKind::HostKey).filter_map(|name| name.parse().ok()).collect(),
        cipher: all(AlgorithmKind::Cipher).filter_map(|name| name.try_into().ok()).collect(),
        mac: all(AlgorithmKind::Mac).filter_map(|name| name.try_into().ok()).collect(),
        ..Preferred::default()
    }
}

/// A host key of a kind that the host may show: Ed25519 where it can be, since that is made at once.
pub(super) fn host_key(algorithms: &Algorithms) -> PrivateKey {
    let taken = algorithms.taken(AlgorithmKind::HostKey);
    let other = taken.first().filter(|_| !taken.contains(&"ssh-ed25519"));
    let made = other.and_then(|name| PrivateKey::random(&mut rand::rng(), name.parse().ok()?).ok());
    made.unwrap_or_else(fresh_key)
}
