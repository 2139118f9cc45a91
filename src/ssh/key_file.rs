//! A key in a file: what can be known of it without its passphrase, the certificate beside it, and how
//! it signs once it is unlocked. Never keeps a passphrase.

mod form;

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{Certificate, HashAlg, PrivateKey, PublicKey};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::secret::Secret;

/// The most that is read of a key file, in bytes.
const LIMIT: u64 = 1 << 20;

/// How the file of a certificate ends, after the name of its key.
const CERTIFICATE: &str = "-cert.pub";

/// A key file as it stands on disk.
#[derive(Clone)]
pub struct KeyFile {
    /// Where it is.
    pub path: PathBuf,
    /// The public half, where it can be had without a passphrase.
    pub public: Option<PublicKey>,
    /// The certificate beside it, or why that is of no use. `None` when there is none.
    pub certificate: Option<Result<Certificate, String>>,
    contents: Contents,
}

#[derive(Clone)]
enum Contents {
    Open(Arc<PrivateKey>),
    Locked(Zeroizing<String>),
    /// What signs is not in the file: an agent has it, or a security key.
    Elsewhere,
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
    #[error("not a private key that hopper can read: {0}")]
    Format(String),
    /// It is in a form that hopper does not read and `ssh-keygen` does.
    #[error("{form}, which hopper cannot read; convert it: ssh-keygen -p -f {path}")]
    OldForm {
        /// What it is.
        form: String,
        /// The file, escaped.
        path: String,
    },
    /// The passphrase did not open it.
    #[error("wrong passphrase")]
    Passphrase,
}

impl KeyFile {
    /// Reads a key file. The path may lead to the private half, to the public one, or to a certificate;
    /// where there is no private half, something else has to sign.
    ///
    /// # Errors
    /// When it is missing, unreadable, readable by others, or no key.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let mut file = Self::without_certificate(path)?;
        if file.certificate.is_none() {
            file.certificate = certificate(&beside(&file.path, CERTIFICATE));
        }
        if let (None, Some(Ok(certificate))) = (&file.public, &file.certificate) {
            file.public = Some(PublicKey::from(certificate.public_key().clone()));
        }
        Ok(file)
    }

    fn without_certificate(path: &Path) -> Result<Self, KeyFileError> {
        if let Some(key) = without_end(path, CERTIFICATE) {
            let found = certificate(path).ok_or(KeyFileError::Missing)?;
            let found = found.map_err(KeyFileError::Format)?;
            let mut file = match Self::private(&key) {
                Err(KeyFileError::Missing) => KeyFile::of_public(key, None),
                read => read?,
            };
            file.certificate = Some(Ok(found));
            return Ok(file);
        }
        match Self::private(path) {
            Err(KeyFileError::Missing) => match read_public(&beside(path, ".pub")) {
                Some(public) => Ok(KeyFile::of_public(path.to_owned(), Some(public))),
                None => Err(KeyFileError::Missing),
            },
            read => read,
        }
    }

    /// The same with each certificate here that has no private half beside it given to the file that holds that
    /// half: there it can sign.
    pub fn with_their_keys(files: Vec<Self>) -> Vec<Self> {
        let key_for = |file: &KeyFile| {
            let Some(Ok(certificate)) = file.certificate.as_ref().filter(|_| file.signs_elsewhere()) else {
                return None;
            };
            let has_it = |other: &&KeyFile| {
                let public = other.public.as_ref().filter(|_| !other.signs_elsewhere());
                public.is_some_and(|public| public.key_data() == certificate.public_key())
            };
            let key = files.iter().find(has_it)?.clone();
            Some(KeyFile { certificate: file.certificate.clone(), ..key })
        };
        files.iter().map(|file| key_for(file).unwrap_or_else(|| file.clone())).collect()
    }

    fn of_public(path: PathBuf, public: Option<PublicKey>) -> Self {
        KeyFile { path, public, certificate: None, contents: Contents::Elsewhere }
    }

    fn private(path: &Path) -> Result<Self, KeyFileError> {
        let (text, metadata) = text(path)?;
        if let Ok(public) = PublicKey::from_openssh(&text) {
            let key = without_end(path, ".pub").unwrap_or_else(|| path.to_owned());
            return Ok(KeyFile::of_public(key, Some(public)));
        }
        if Certificate::from_openssh(&text).is_ok() {
            // By whatever name it was put here.
            let found = certificate(path).ok_or(KeyFileError::Missing)?.map_err(KeyFileError::Format)?;
            let file = KeyFile::of_public(path.to_owned(), None);
            return Ok(KeyFile { certificate: Some(Ok(found)), ..file });
        }
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 && metadata.uid() == rustix::process::getuid().as_raw() {
            return Err(KeyFileError::Exposed { mode });
        }
        let path = path.to_owned();
        let (public, contents) = if let Ok(key) = PrivateKey::from_openssh(text.as_str()) {
            let public = Some(key.public_key().clone());
            let contents = match key.key_data() {
                KeypairData::SkEcdsaSha2NistP256(_) | KeypairData::SkEd25519(_) => Contents::Elsewhere,
                _ if key.algorithm().as_str().starts_with("sk-") => Contents::Elsewhere,
                KeypairData::Encrypted(_) => Contents::Locked(text),
                _ => Contents::Open(Arc::new(key)),
            };
            (public, contents)
        } else if let Some(form) = form::beyond_us(&text) {
            return Err(KeyFileError::OldForm {
                form,
                path: crate::topology::escape(&path.to_string_lossy()),
            });
        } else if form::is_locked(&text) {
            (read_public(&beside(&path, ".pub")), Contents::Locked(text))
        } else {
            let key = russh::keys::decode_secret_key(&text, None)
                .map_err(|error| KeyFileError::Format(error.to_string()))?;
            (Some(key.public_key().clone()), Contents::Open(Arc::new(key)))
        };
        Ok(KeyFile { path, public, certificate: None, contents })
    }

    /// The key itself, when no passphrase protects it.
    pub fn open(&self) -> Option<Arc<PrivateKey>> {
        match &self.contents {
            Contents::Open(key) => Some(key.clone()),
            Contents::Locked(_) | Contents::Elsewhere => None,
        }
    }

    /// Whether something else has to sign: an agent that holds the private half.
    pub fn signs_elsewhere(&self) -> bool {
        matches!(self.contents, Contents::Elsewhere)
    }

    /// Opens the key with a passphrase. Slow on purpose: the file's own key derivation decides.
    ///
    /// # Errors
    /// [`KeyFileError::Passphrase`] when it does not fit.
    pub fn unlock(&self, passphrase: &Secret) -> Result<Arc<PrivateKey>, KeyFileError> {
        match &self.contents {
            Contents::Open(key) => Ok(key.clone()),
            Contents::Elsewhere => Err(KeyFileError::Missing),
            Contents::Locked(text) => russh::keys::decode_secret_key(text, Some(passphrase.expose()))
                .map(Arc::new)
                .map_err(|_| KeyFileError::Passphrase),
        }
    }
}

/// The text of a file and what the system says of it.
fn text(path: &Path) -> Result<(Zeroizing<String>, std::fs::Metadata), KeyFileError> {
    // A pipe would keep us waiting for its other end.
    let flags = OFlags::NONBLOCK.bits() as i32;
    let file = std::fs::File::options().read(true).custom_flags(flags).open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(KeyFileError::Unreadable(std::io::Error::other("it is no regular file")));
    }
    let text = std::io::read_to_string(file.take(LIMIT)).map(Zeroizing::new).map_err(unreadable)?;
    Ok((text, metadata))
}

fn read_public(path: &Path) -> Option<PublicKey> {
    PublicKey::from_openssh(&text(path).ok()?.0).ok()
}

/// The certificate in this file, or why it is of no use; `None` when there is no such file.
fn certificate(path: &Path) -> Option<Result<Certificate, String>> {
    let text = match text(path) {
        Err(KeyFileError::Missing) => return None,
        Err(error) => return Some(Err(error.to_string())),
        Ok((text, _)) => text,
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    Some(match Certificate::from_openssh(&text) {
        Err(error) => Err(format!("no certificate: {error}")),
        Ok(found) if found.cert_type() != CertType::User => {
            Err("a certificate of a host, not of a person".to_owned())
        }
        Ok(found) if found.valid_before() <= now => {
            Err("the certificate has expired; have it signed anew".to_owned())
        }
        Ok(found) if found.valid_after() > now => Err("the certificate is not valid yet".to_owned()),
        Ok(found) => Ok(found),
    })
}

/// The path with this after its name.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    PathBuf::from(name)
}

/// The path without this at its end, if it ends so.
fn without_end(path: &Path, end: &str) -> Option<PathBuf> {
    path.to_str()?.strip_suffix(end).map(PathBuf::from)
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

#[cfg(test)]
#[path = "key_file/tests.rs"]
mod tests;
