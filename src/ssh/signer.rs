//! Who signs at login: a key file, unlocked only once the server said that it would take the key; or
//! the agent.

use std::sync::Arc;
use std::time::Duration;

use russh::Signer;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PrivateKey, PublicKey};
use tokio::net::UnixStream;

use super::key_file::{KeyFile, append_signature};
use super::login::Login;
use super::question::NoAnswer;
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
    #[error("locked: {0}")]
    Locked(NoAnswer),
    #[error("the connection broke")]
    Lost(#[from] russh::SendError),
    #[error("{0}")]
    Ssh(#[from] russh::Error),
    #[error("the agent would not sign: {0}")]
    Agent(#[from] russh::keys::Error),
    #[error("the agent did not sign within {} s; does it wait for a touch or a confirmation?", CONFIRM.as_secs())]
    AgentSilent,
    #[error("the agent did not sign at once; it may ask a person")]
    AgentAsks,
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
            (None, Some((file, login, host))) => login.unlock(file, host).await.map_err(SignError::Locked)?,
            (None, None) => return Err(SignError::Locked(NoAnswer::Nobody)),
        };
        Ok(append_signature(&key, hash, data)?)
    }
}

/// An agent that asks nobody has signed by then.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How long an agent may take to sign: it may ask a person to confirm, or to touch a key.
const CONFIRM: Duration = Duration::from_secs(30);

/// Signs by the agent.
pub(super) struct AgentSigner<'a> {
    agent: AgentClient<UnixStream>,
    login: &'a Login,
    host: &'a Host,
    /// The key to sign with, where the server is shown a certificate that the agent does not hold.
    key: Option<PublicKey>,
    /// Whether nobody is there to confirm or to touch anything.
    alone: bool,
    /// Whether the agent did not sign at once: it may have asked a person.
    pub waited: bool,
}

impl<'a> AgentSigner<'a> {
    /// With the key or certificate that the server is shown; if `alone`, only where the agent asks nobody.
    pub fn new(agent: AgentClient<UnixStream>, login: &'a Login, host: &'a Host, alone: bool) -> Self {
        AgentSigner { agent, login, host, key: None, alone, waited: false }
    }

    /// With this key, whatever the server is shown.
    pub fn with_key(self, key: PublicKey) -> Self {
        AgentSigner { key: Some(key), ..self }
    }
}

impl Signer for AgentSigner<'_> {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        key: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        let _open = (!self.alone).then(|| self.login.open_question());
        let own = self.key.clone().map(AgentIdentity::from);
        let signing = self.agent.sign_request(own.as_ref().unwrap_or(key), hash, data);
        tokio::pin!(signing);
        if let Ok(signed) = tokio::time::timeout(AT_ONCE, &mut signing).await {
            return Ok(signed?);
        }
        if self.alone {
            return Err(SignError::AgentAsks);
        }
        self.waited = true;
        let what = "waits for the agent to sign; confirm it there, or touch the security key";
        (self.login.notice)(&format!("{} {what}", self.host.id));
        match tokio::time::timeout(CONFIRM, signing).await {
            Ok(signed) => Ok(signed?),
            Err(_) => Err(SignError::AgentSilent),
        }
    }
}
