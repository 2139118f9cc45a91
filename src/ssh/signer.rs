//! Who signs at login: a key file, unlocked only once the server said that it would take the key; or
//! the agent.

use std::sync::Arc;

use russh::Signer;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PrivateKey};
use tokio::net::UnixStream;

use super::key_file::{KeyFile, append_signature};
use super::login::Login;
use crate::topology::Host;

/// Signs with a key file, unlocking it only once the server said that it would take the key.
pub(super) struct FileSigner<'a> {
    file: Option<(&'a KeyFile, &'a Login, &'a Host)>,
    key: Option<Arc<PrivateKey>>,
}

impl<'a> FileSigner<'a> {
    /// Of a key that is in memory already.
    pub fn open(key: Arc<PrivateKey>) -> Self {
        FileSigner { file: None, key: Some(key) }
    }

    /// Of a key file that may still be locked.
    pub fn of_file(file: &'a KeyFile, login: &'a Login, host: &'a Host) -> Self {
        FileSigner { file: Some((file, login, host)), key: file.open() }
    }
}

/// Why a key could not sign.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignError {
    #[error("locked, and no passphrase")]
    Locked,
    #[error("the connection broke")]
    Lost(#[from] russh::SendError),
    #[error("{0}")]
    Ssh(#[from] russh::Error),
    #[error("the agent did not sign: {0}")]
    Agent(#[from] russh::keys::Error),
}

impl Signer for FileSigner<'_> {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        let key = match (&self.key, self.file) {
            (Some(key), _) => key.clone(),
            (None, Some((file, login, host))) => login.unlock(file, host).await.ok_or(SignError::Locked)?,
            (None, None) => return Err(SignError::Locked),
        };
        Ok(append_signature(&key, hash, data)?)
    }
}

/// Signs by the agent.
pub(super) struct AgentSigner(pub AgentClient<UnixStream>);

impl Signer for AgentSigner {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        key: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        Ok(self.0.sign_request(key, hash, data).await?)
    }
}
