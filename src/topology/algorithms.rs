//! The algorithms of a session: which there are, which are taken unless a host says otherwise, and which
//! are broken or nearly so, and taken only where somebody asks for them. Negotiates nothing.

use std::collections::BTreeMap;

/// What an algorithm is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlgorithmKind {
    /// Agreeing on a secret.
    Kex,
    /// The server's proof of who it is.
    HostKey,
    /// Keeping what is said from others.
    Cipher,
    /// Keeping others from changing it; a cipher that does so itself needs none.
    Mac,
}

impl AlgorithmKind {
    /// Every kind, in the order in which client and server agree on them.
    pub const ALL: [AlgorithmKind; 4] =
        [AlgorithmKind::Kex, AlgorithmKind::HostKey, AlgorithmKind::Cipher, AlgorithmKind::Mac];

    /// The word the file uses.
    pub fn as_str(self) -> &'static str {
        match self {
            AlgorithmKind::Kex => "kex",
            AlgorithmKind::HostKey => "host_key",
            AlgorithmKind::Cipher => "cipher",
            AlgorithmKind::Mac => "mac",
        }
    }

    /// What people call one of them.
    pub fn for_people(self) -> &'static str {
        match self {
            AlgorithmKind::Kex => "key exchange",
            AlgorithmKind::HostKey => "host key algorithm",
            AlgorithmKind::Cipher => "cipher",
            AlgorithmKind::Mac => "MAC",
        }
    }

    /// OpenSSH's option for them.
    pub fn openssh_option(self) -> &'static str {
        match self {
            AlgorithmKind::Kex => "KexAlgorithms",
            AlgorithmKind::HostKey => "HostKeyAlgorithms",
            AlgorithmKind::Cipher => "Ciphers",
            AlgorithmKind::Mac => "MACs",
        }
    }

    /// Those that are taken unless a host says otherwise, best first. AES-GCM comes before chacha20:
    /// processors that hopper meets have instructions for it, and it is twice as fast there.
    pub fn modern(self) -> &'static [&'static str] {
        match self {
            AlgorithmKind::Kex => &[
                "mlkem768x25519-sha256",
                "curve25519-sha256",
                "curve25519-sha256@libssh.org",
                "ecdh-sha2-nistp256",
                "ecdh-sha2-nistp384",
                "ecdh-sha2-nistp521",
                "diffie-hellman-group-exchange-sha256",
                "diffie-hellman-group18-sha512",
                "diffie-hellman-group16-sha512",
                "diffie-hellman-group14-sha256",
            ],
            AlgorithmKind::HostKey => &[
                "ssh-ed25519",
                "ecdsa-sha2-nistp256",
                "ecdsa-sha2-nistp384",
                "ecdsa-sha2-nistp521",
                "rsa-sha2-512",
                "rsa-sha2-256",
            ],
            AlgorithmKind::Cipher => &[
                "aes256-gcm@openssh.com",
                "aes128-gcm@openssh.com",
                "chacha20-poly1305@openssh.com",
                "aes256-ctr",
                "aes192-ctr",
                "aes128-ctr",
            ],
            AlgorithmKind::Mac => &[
                "hmac-sha2-512-etm@openssh.com",
                "hmac-sha2-256-etm@openssh.com",
                "hmac-sha2-512",
                "hmac-sha2-256",
            ],
        }
    }

    /// Those that rest on SHA-1 or are CBC ciphers: for servers that have nothing else.
    pub fn legacy(self) -> &'static [&'static str] {
        match self {
            AlgorithmKind::Kex => &[
                "diffie-hellman-group-exchange-sha1",
                "diffie-hellman-group14-sha1",
                "diffie-hellman-group1-sha1",
            ],
            AlgorithmKind::HostKey => &["ssh-rsa"],
            AlgorithmKind::Cipher => &["aes256-cbc", "aes192-cbc", "aes128-cbc"],
            AlgorithmKind::Mac => &["hmac-sha1-etm@openssh.com", "hmac-sha1"],
        }
    }

    /// The algorithm of this name, if hopper has it.
    pub fn find(self, name: &str) -> Option<&'static str> {
        self.modern().iter().chain(self.legacy()).find(|known| **known == name).copied()
    }
}

/// Which algorithms the sessions to a host may use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Algorithms {
    /// Those named, best first, in place of the modern ones. A kind that is missing is left as it is.
    pub named: BTreeMap<AlgorithmKind, Vec<&'static str>>,
    /// Whether the legacy ones are taken as well, after all others.
    pub legacy: bool,
}

impl Algorithms {
    /// All that may be used, best first.
    pub fn taken(&self, kind: AlgorithmKind) -> Vec<&'static str> {
        let mut taken = self.named.get(&kind).cloned().unwrap_or_else(|| kind.modern().to_vec());
        if self.legacy {
            let more: Vec<_> = kind.legacy().iter().filter(|name| !taken.contains(name)).copied().collect();
            taken.extend(more);
        }
        taken
    }

    /// Those among them that are broken or nearly so.
    pub fn weak(&self) -> Vec<&'static str> {
        let weak = |kind: AlgorithmKind| {
            self.taken(kind).into_iter().filter(move |name| kind.legacy().contains(name))
        };
        AlgorithmKind::ALL.into_iter().flat_map(weak).collect()
    }

    /// The same as OpenSSH's options with their values; what is left as it is stays with that program's own
    /// choice, which is as strict.
    pub fn openssh_options(&self) -> Vec<(&'static str, String)> {
        let mut options = Vec::new();
        for kind in AlgorithmKind::ALL {
            match (self.named.contains_key(&kind), self.legacy) {
                (true, _) => options.push((kind.openssh_option(), self.taken(kind).join(","))),
                (false, true) => {
                    options.push((kind.openssh_option(), format!("+{}", kind.legacy().join(","))))
                }
                (false, false) => {}
            }
        }
        if self.sign_with_sha1() {
            options.push(("PubkeyAcceptedAlgorithms", "+ssh-rsa".to_owned()));
        }
        options
    }

    /// Whether an RSA key of ours may sign with SHA-1, as the server's may.
    pub fn sign_with_sha1(&self) -> bool {
        self.taken(AlgorithmKind::HostKey).contains(&"ssh-rsa")
    }

    /// Whether it signs with nothing else.
    pub fn sign_with_sha1_only(&self) -> bool {
        self.sign_with_sha1()
            && !self.taken(AlgorithmKind::HostKey).iter().any(|name| name.starts_with("rsa-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_weak_is_taken_unasked() {
        assert_eq!(Algorithms::default().weak(), Vec::<&str>::new());
        for kind in AlgorithmKind::ALL {
            let taken = Algorithms::default().taken(kind).join(" ");
            assert!(!taken.contains("sha1") && !taken.contains("cbc") && !taken.contains("none"), "{taken}");
        }
    }

    #[test]
    fn legacy_comes_last_and_is_told_by_name() {
        let legacy = Algorithms { legacy: true, ..Algorithms::default() };
        assert_eq!(legacy.taken(AlgorithmKind::HostKey).last(), Some(&"ssh-rsa"));
        assert_eq!(legacy.taken(AlgorithmKind::Kex)[0], "mlkem768x25519-sha256");
        assert!(legacy.weak().contains(&"aes128-cbc") && legacy.sign_with_sha1());
    }

    #[test]
    fn a_named_list_replaces_the_modern_ones_of_its_kind_only() {
        let named = BTreeMap::from([(AlgorithmKind::Mac, vec!["hmac-sha1"])]);
        let one = Algorithms { named, legacy: false };
        assert_eq!(one.taken(AlgorithmKind::Mac), ["hmac-sha1"]);
        assert_eq!(one.weak(), ["hmac-sha1"]);
        assert_eq!(one.taken(AlgorithmKind::Kex), AlgorithmKind::Kex.modern());
    }
}
