//! A private key in a file: what can be known of it without its passphrase, and how it signs once it
//! is unlocked. Never keeps a passphrase.

use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{HashAlg, PrivateKey, PublicKey};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// The most that is read of a key file, in bytes.
const LIMIT: u64 = 1 << 20;

/// A key file as it stands on disk.
#[derive(Clone)]
pub struct KeyFile {
    /// Where it is.
    pub path: PathBuf,
    /// The public half, where the file tells it without a passphrase.
    pub public: Option<PublicKey>,
    contents: Contents,
}

#[derive(Clone)]
enum Contents {
    Open(Arc<PrivateKey>),
    Locked(Zeroizing<String>),
}

/// Why a key file cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is no such file.
    #[error("no such file")]
    Missing,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// Others on this machine can read it, so it is no secret any more.
    #[error("others can read it (mode {mode:04o}); chmod 600 it")]
    Exposed {
        /// Its permission bits.
        mode: u32,
    },
    /// Its format is not understood.
    #[error("not a private key that hopper can read ({0}); `ssh-keygen -p -f FILE` converts older forms")]
    Format(String),
    /// The passphrase did not open it.
    #[error("wrong passphrase")]
    Passphrase,
}

impl KeyFile {
    /// Reads a key file.
    ///
    /// # Errors
    /// When it is missing, unreadable, readable by others, or no private key.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        // A pipe would keep us waiting for its other end.
        let flags = OFlags::NONBLOCK.bits() as i32;
        let file = std::fs::File::options().read(true).custom_flags(flags).open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(KeyFileError::Unreadable(std::io::Error::other("it is no regular file")));
        }
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 && metadata.uid() == rustix::process::getuid().as_raw() {
            return Err(KeyFileError::Exposed { mode });
        }
        let text = std::io::read_to_string(file.take(LIMIT)).map(Zeroizing::new).map_err(unreadable)?;
        let path = path.to_owned();
        if let Ok(key) = PrivateKey::from_openssh(text.as_str()) {
            let public = Some(key.public_key().clone());
            let contents =
                if key.is_encrypted() { Contents::Locked(text) } else { Contents::Open(Arc::new(key)) };
            return Ok(KeyFile { path, public, contents });
        }
        if is_locked_pem(&text) {
            let public = PublicKey::read_openssh_file(path.with_extension("pub")).ok();
            return Ok(KeyFile { path, public, contents: Contents::Locked(text) });
        }
        let key = russh::keys::decode_secret_key(&text, None)
            .map_err(|error| KeyFileError::Format(error.to_string()))?;
        Ok(KeyFile { path, public: Some(key.public_key().clone()), contents: Contents::Open(Arc::new(key)) })
    }

    /// The key itself, when no passphrase protects it.
    pub fn open(&self) -> Option<Arc<PrivateKey>> {
        match &self.contents {
            Contents::Open(key) => Some(key.clone()),
            Contents::Locked(_) => None,
        }
    }

    /// Opens the key with a passphrase. Slow on purpose: the file's own key derivation decides.
    ///
    /// # Errors
    /// [`KeyFileError::Passphrase`] when it does not fit.
    pub fn unlock(&self, passphrase: &str) -> Result<Arc<PrivateKey>, KeyFileError> {
        match &self.contents {
            Contents::Open(key) => Ok(key.clone()),
            Contents::Locked(text) => russh::keys::decode_secret_key(text, Some(passphrase))
                .map(Arc::new)
                .map_err(|_| KeyFileError::Passphrase),
        }
    }
}

/// Signs what an SSH server asks to have signed, and appends the signature as the protocol wants it
/// (RFC 4252, section 7). An RSA key without a hash signs with SHA-1.
///
/// # Errors
/// When the key cannot sign.
pub fn append_signature(
    key: &PrivateKey,
    hash: Option<HashAlg>,
    mut data: Vec<u8>,
) -> Result<Vec<u8>, russh::Error> {
    let signature = match key.key_data() {
        KeypairData::Rsa(rsa) => (rsa, hash).try_sign(&data),
        keypair => keypair.try_sign(&data),
    };
    let signature = signature.map_err(|_| russh::Error::CouldNotReadKey)?;
    let mut blob = Vec::new();
    signature
        .encode(&mut blob)
        .and_then(|()| blob.encode(&mut data))
        .map_err(|_| russh::Error::CouldNotReadKey)?;
    Ok(data)
}

fn unreadable(error: std::io::Error) -> KeyFileError {
    match error.kind() {
        std::io::ErrorKind::NotFound => KeyFileError::Missing,
        _ => KeyFileError::Unreadable(error),
    }
}

/// PEM says in its header whether a passphrase is needed; the parser's errors do not.
fn is_locked_pem(text: &str) -> bool {
    text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn write_key(folder: &Path, passphrase: Option<&str>, mode: u32) -> PathBuf {
        let mut rng = russh::keys::key::safe_rng();
        let mut key = PrivateKey::random(&mut rng, russh::keys::Algorithm::Ed25519).unwrap();
        if let Some(passphrase) = passphrase {
            key = key.encrypt(&mut rng, passphrase).unwrap();
        }
        let path = folder.join("id");
        std::fs::write(&path, key.to_openssh(Default::default()).unwrap()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_locked_key_shows_its_public_half_and_opens_with_the_right_passphrase_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::read(&write_key(folder.path(), Some("tell"), 0o600)).unwrap();
        assert!(file.public.is_some() && file.open().is_none());
        assert!(matches!(file.unlock("wrong"), Err(KeyFileError::Passphrase)));
        assert_eq!(file.unlock("tell").unwrap().public_key().key_data(), file.public.unwrap().key_data());
    }

    #[test]
    fn a_key_that_others_can_read_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = write_key(folder.path(), None, 0o644);
        assert!(matches!(KeyFile::read(&path), Err(KeyFileError::Exposed { mode: 0o644 })));
    }

    #[test]
    fn what_is_no_key_is_named_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id");
        assert!(matches!(KeyFile::read(&path), Err(KeyFileError::Missing)));
        std::fs::write(&path, "no key").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(KeyFile::read(&path), Err(KeyFileError::Format(_))));
    }
}
