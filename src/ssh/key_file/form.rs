//! What the header of a key file says: whether a passphrase protects it, and whether it is a form that
//! cannot be read here. The parser's errors say neither.

/// Whether the file needs a passphrase.
pub(super) fn is_locked(text: &str) -> bool {
    let of_putty = text.trim_start().starts_with("PuTTY-User-Key-File-");
    let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    (of_putty && header("Encryption:").is_some_and(|cipher| cipher != "none"))
        || text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || text.contains("Proc-Type: 4,ENCRYPTED")
}

/// What form it is, when it is one that `ssh-keygen` reads and hopper does not.
pub(super) fn beyond_us(text: &str) -> Option<String> {
    let kind =
        text.lines().find_map(|line| line.strip_prefix("-----BEGIN ")?.strip_suffix(" PRIVATE KEY-----"))?;
    let cipher = text.lines().find_map(|line| line.strip_prefix("DEK-Info: ")?.split(',').next());
    match (kind, cipher) {
        ("EC", Some(cipher)) => {
            Some(format!("an EC key in the older PEM form, locked with {}", plain(cipher)))
        }
        ("RSA", Some(cipher)) if cipher != "AES-128-CBC" => {
            Some(format!("an RSA key in the older PEM form, locked with {}", plain(cipher)))
        }
        _ => None,
    }
}

/// The name of a cipher, whatever stands there.
fn plain(cipher: &str) -> String {
    cipher.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(32).collect()
}
