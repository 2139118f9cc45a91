//! The host field of a known_hosts line: whether it names a host (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
//!
//! Compares names and nothing else; knows neither keys nor files.

use hmac::{Hmac, KeyInit, Mac};
use russh::keys::ssh_key::known_hosts::HostPatterns;
use sha1::Sha1;

use crate::topology;

/// Whether a host field names this host: plain names, `*` and `?`, `!` to exclude, or a hash. Letters
/// are compared without case; a hash is one of the name in lower case, as OpenSSH writes it.
pub(super) fn names(field: &HostPatterns, name: &str) -> bool {
    match field {
        HostPatterns::HashedName { .. } => is_hash_of(field, name),
        HostPatterns::Patterns(patterns) => {
            let mut found = false;
            for pattern in patterns {
                match pattern.strip_prefix('!') {
                    Some(excluded) if wildcard(excluded, name) => return false,
                    Some(_) => {}
                    None => found |= wildcard(pattern, name),
                }
            }
            found
        }
    }
}

/// Whether this is the hash of the name.
pub(super) fn is_hash_of(field: &HostPatterns, name: &str) -> bool {
    /// As long as the digest; OpenSSH takes no other.
    const SALT: usize = 20;
    let HostPatterns::HashedName { salt, hash } = field else { return false };
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(salt) else { return false };
    mac.update(name.to_ascii_lowercase().as_bytes());
    salt.len() == SALT && mac.verify_slice(hash).is_ok()
}

/// Shell-like matching of `*` and `?`, ASCII letters compared without case.
pub(super) fn wildcard(pattern: &str, name: &str) -> bool {
    topology::wildcard(pattern, name, |one, other| one.eq_ignore_ascii_case(&other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_host_field_is_understood() {
        const HASHED: &str = "|1|88C6lAGlRbdl2KD8AXdyWqUi9tc=|BGxOyCdvV7dkMchrMTlXHibK5Ls=";
        for (field, name, expected) in [
            ("h", "h", true),
            ("g,h", "h", true),
            ("H.Example.NET", "h.example.net", true),
            ("*.example.net", "h.example.net", true),
            ("h?", "h1", true),
            ("h?", "h", false),
            ("*.example.net,!h.example.net", "h.example.net", false),
            ("!h,h", "h", false),
            ("[h]:2222", "[h]:2222", true),
            ("[*.net]:*", "[h.net]:2222", true),
            ("[h]:2222", "h", false),
            ("hh", "h", false),
            (HASHED, "myhost", true),
            (HASHED, "MyHost", true),
            (HASHED, "unrelated", false),
        ] {
            assert_eq!(names(&field.parse().unwrap(), name), expected, "{field} for {name}");
        }
    }
}
