//! Key pairs for people and hosts, made by `ssh-keygen`.

use std::fs;
use std::path::{Path, PathBuf};

use super::command::{argv, must};

/// A private key file with its `.pub` beside it.
#[derive(Debug, Clone)]
pub struct Key(PathBuf);

impl Key {
    /// A new key of this type, locked with a passphrase unless that is empty.
    pub fn make(path: PathBuf, kind: &str, passphrase: &str) -> Key {
        fs::create_dir_all(path.parent().expect("a key has a folder")).expect("make key folder");
        let mut keygen = argv(&["ssh-keygen", "-q", "-t", kind, "-C", "bed", "-N", passphrase]);
        if kind == "rsa" {
            keygen.args(["-b", "2048"]);
        }
        must(keygen.arg("-f").arg(&path));
        Key(path)
    }

    /// A key made before.
    pub fn existing(path: PathBuf) -> Key {
        Key(path)
    }

    /// The private half.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The public half as one line: type, data, comment.
    pub fn public(&self) -> String {
        fs::read_to_string(self.0.with_extension("pub")).expect("read public key").trim().to_owned()
    }

    /// The fingerprint as people read it: `SHA256:…`.
    pub fn fingerprint(&self) -> String {
        let line = must(argv(&["ssh-keygen", "-lf"]).arg(&self.0));
        line.split_whitespace().nth(1).expect("ssh-keygen -l prints a fingerprint").to_owned()
    }

    /// The line of a known_hosts file that trusts this key under this name.
    pub fn known_as(&self, name: &str) -> String {
        let public = self.public();
        let mut words = public.split_whitespace();
        format!("{name} {} {}\n", words.next().expect("key type"), words.next().expect("key data"))
    }
}
