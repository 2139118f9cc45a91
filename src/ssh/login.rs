//! Logging in: which keys are offered to a host, in which order, and what came of it. Runs only after
//! the host key was accepted; a refusal is final.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PrivateKey, PublicKey};
use russh::{MethodKind, MethodSet, Signer};
use tokio::net::UnixStream;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::gatekeeper::Gatekeeper;
use super::key_file::{KeyFile, KeyFileError, append_signature};
use super::trust::{Fingerprint, expand};
use crate::topology::{AuthMethod, Host, escape};

/// Asks the person; `None` when there is nobody to ask or they gave up.
pub type Ask = Arc<dyn Fn(String) -> Asking + Send + Sync>;

/// An answer on its way.
pub type Asking = Pin<Box<dyn Future<Output = Option<Zeroizing<String>>> + Send>>;

/// What one person can log in with, shared by all sessions of a run.
pub struct Login {
    /// The name to log in as where the host has none.
    pub user: String,
    /// The agent's socket.
    pub agent: Option<PathBuf>,
    /// Where `~/` leads, and `.ssh` is found.
    pub home: Option<PathBuf>,
    /// How a passphrase is asked for.
    pub ask: Ask,
    /// The only key to offer, to every host: for hosts that hopper plays itself.
    pub only: Option<Arc<PrivateKey>>,
    /// Questions open now: a person may take longer than a deadline allows a machine.
    asked: AtomicUsize,
    /// Keys unlocked in this run, so that each passphrase is asked for once; also lets one question be
    /// asked at a time.
    unlocked: Mutex<HashMap<PathBuf, Option<Arc<PrivateKey>>>>,
}

/// How a login ended well.
#[derive(Debug, Clone)]
pub struct LoggedIn {
    /// What the server took: `agent ed25519 SHA256:…`.
    pub with: String,
}

/// How a login ended badly.
#[derive(Debug, Clone)]
pub enum LoginError {
    /// The server took nothing that was offered.
    Refused(LoginRefusal),
    /// The connection broke during login.
    Lost,
    /// The server stopped answering during login.
    TimedOut,
}

/// What was tried in vain.
#[derive(Debug, Clone, Default)]
pub struct LoginRefusal {
    /// The name tried.
    pub user: String,
    /// Each key, and what came of it.
    pub offered: Vec<(String, String)>,
    /// The methods that the server takes; empty when it never said.
    pub accepts: Vec<String>,
    /// Whether a person would have been needed, and there was none.
    pub nobody_to_ask: bool,
}

impl Login {
    /// The means of a person with this name, home and agent.
    pub fn of_person(user: String, home: Option<PathBuf>, agent: Option<PathBuf>, ask: Ask) -> Self {
        Login {
            user,
            agent,
            home,
            ask,
            only: None,
            asked: AtomicUsize::new(0),
            unlocked: Mutex::new(HashMap::new()),
        }
    }

    /// Offers one key to every host and nothing else.
    pub fn with_key(user: String, key: PrivateKey) -> Self {
        let nobody: Ask = Arc::new(|_| Box::pin(async { None }));
        Login { only: Some(Arc::new(key)), ..Login::of_person(user, None, None, nobody) }
    }

    /// Logs in to `host`. `limit` is machine time: it stands still while a person is asked.
    pub(super) async fn run(
        &self,
        handle: &mut Handle<Gatekeeper>,
        host: &Host,
        limit: Duration,
    ) -> Result<LoggedIn, LoginError> {
        let user = host.user.clone().unwrap_or_else(|| self.user.clone());
        let mut attempt = Attempt {
            login: self,
            handle,
            host,
            refusal: LoginRefusal { user, ..LoginRefusal::default() },
            tried: Vec::new(),
        };
        self.within(limit, attempt.run()).await.unwrap_or(Err(LoginError::TimedOut))
    }

    /// Runs `work` for at most `limit` of time in which nobody is being asked.
    async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        const TICK: Duration = Duration::from_millis(100);
        tokio::pin!(work);
        let mut used = Duration::ZERO;
        while used < limit {
            tokio::select! {
                done = &mut work => return Some(done),
                () = tokio::time::sleep(TICK) => {
                    if self.asked.load(Ordering::Relaxed) == 0 {
                        used += TICK;
                    }
                }
            }
        }
        None
    }

    /// Unlocks a key, asking for its passphrase unless this run has it already. `None`: nobody to ask,
    /// or three wrong answers.
    async fn unlock(&self, file: &KeyFile, host: &Host) -> Option<Arc<PrivateKey>> {
        const TRIES: usize = 3;
        let mut unlocked = self.unlocked.lock().await;
        if let Some(known) = unlocked.get(&file.path) {
            return known.clone();
        }
        let _open_question = OpenQuestion::new(&self.asked);
        let mut key = None;
        for _ in 0..TRIES {
            let question =
                format!("{} takes {}; its passphrase: ", host.id, escape(&file.path.to_string_lossy()));
            let Some(answer) = (self.ask)(question).await else { break };
            if let Ok(opened) = file.unlock(&answer) {
                key = Some(opened);
                break;
            }
        }
        unlocked.insert(file.path.clone(), key.clone());
        key
    }
}

/// Counts as a question from its making to its dropping.
struct OpenQuestion<'a>(&'a AtomicUsize);

impl<'a> OpenQuestion<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        OpenQuestion(count)
    }
}

impl Drop for OpenQuestion<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One login at one host.
struct Attempt<'a> {
    login: &'a Login,
    handle: &'a mut Handle<Gatekeeper>,
    host: &'a Host,
    refusal: LoginRefusal,
    /// Public keys offered already: no key is offered twice.
    tried: Vec<PublicKey>,
}

/// Whether to go on after an offer.
enum Verdict {
    In(LoggedIn),
    Next,
    Stop,
}

impl Attempt<'_> {
    async fn run(&mut self) -> Result<LoggedIn, LoginError> {
        if let Some(key) = self.login.only.clone() {
            let mut signer = FileSigner::open(key.clone());
            if let Verdict::In(done) = self.offer("key", key.public_key().clone(), &mut signer).await? {
                return Ok(done);
            }
            return Err(LoginError::Refused(std::mem::take(&mut self.refusal)));
        }
        let files = self.key_files();
        for method in self.host.auth.clone() {
            let verdict = match method {
                AuthMethod::Agent => self.offer_agent(&files).await?,
                AuthMethod::Key => self.offer_files(&files).await?,
            };
            match verdict {
                Verdict::In(done) => return Ok(done),
                Verdict::Next => {}
                Verdict::Stop => break,
            }
        }
        Err(LoginError::Refused(std::mem::take(&mut self.refusal)))
    }

    /// The keys the host names, or the person's usual ones, as far as they can be read.
    fn key_files(&mut self) -> Vec<KeyFile> {
        let home = self.login.home.as_deref();
        let named = !self.host.identities.is_empty();
        let paths: Vec<PathBuf> = if named {
            self.host.identities.iter().map(|path| expand(path, home)).collect()
        } else {
            let usual = ["id_ed25519", "id_ecdsa", "id_rsa"];
            home.map(|home| usual.map(|name| home.join(".ssh").join(name)).to_vec()).unwrap_or_default()
        };
        let mut files = Vec::new();
        for path in paths {
            match KeyFile::read(&path) {
                Ok(file) => files.push(file),
                Err(KeyFileError::Missing) if !named => {}
                Err(error) => self.note(shown(&path), format!("not offered: {error}")),
            }
        }
        files
    }

    async fn offer_agent(&mut self, files: &[KeyFile]) -> Result<Verdict, LoginError> {
        let Some(socket) = self.login.agent.clone() else { return Ok(Verdict::Next) };
        let identities = match list_agent(&socket).await {
            Ok(identities) => identities,
            Err(cause) => {
                self.note(format!("agent {}", shown(&socket)), format!("not asked: {cause}"));
                return Ok(Verdict::Next);
            }
        };
        let is_named = |key: &PublicKey| {
            files
                .iter()
                .filter_map(|file| file.public.as_ref())
                .any(|named| named.key_data() == key.key_data())
        };
        let (named, others): (Vec<_>, Vec<_>) = identities.into_iter().partition(is_named);
        // Every key offered counts against the server's limit, so the named one comes first.
        let others = if self.host.identities_only { Vec::new() } else { others };
        for key in named.into_iter().chain(others) {
            let mut signer = match connect_agent(&socket).await {
                Ok(agent) => AgentSigner(agent),
                Err(cause) => {
                    self.note(format!("agent {}", shown(&socket)), format!("not asked: {cause}"));
                    return Ok(Verdict::Next);
                }
            };
            match self.offer("agent", key, &mut signer).await? {
                Verdict::Next => {}
                verdict => return Ok(verdict),
            }
        }
        Ok(Verdict::Next)
    }

    async fn offer_files(&mut self, files: &[KeyFile]) -> Result<Verdict, LoginError> {
        for file in files {
            let key = match (&file.public, file.open()) {
                (Some(public), _) => public.clone(),
                (None, Some(key)) => key.public_key().clone(),
                (None, None) => match self.login.unlock(file, self.host).await {
                    Some(key) => key.public_key().clone(),
                    None => {
                        self.note(shown(&file.path), "not offered: locked, and no passphrase".to_owned());
                        self.refusal.nobody_to_ask = true;
                        continue;
                    }
                },
            };
            let mut signer = FileSigner { file: Some((file, self.login, self.host)), key: file.open() };
            match self.offer(&shown(&file.path), key, &mut signer).await? {
                Verdict::Next => {}
                verdict => return Ok(verdict),
            }
        }
        Ok(Verdict::Next)
    }

    async fn offer<S>(&mut self, from: &str, key: PublicKey, signer: &mut S) -> Result<Verdict, LoginError>
    where
        S: Signer + Send,
        S::Error: std::fmt::Display,
    {
        if self.tried.iter().any(|tried| tried.key_data() == key.key_data()) {
            return Ok(Verdict::Next);
        }
        self.tried.push(key.clone());
        let what = format!("{from} {}", Fingerprint::of(&key));
        // SHA-1 is what russh signs with when no hash is named.
        let hash = match key.algorithm().is_rsa() {
            true => Some(
                self.handle
                    .best_supported_rsa_hash()
                    .await
                    .ok()
                    .flatten()
                    .flatten()
                    .unwrap_or(HashAlg::Sha512),
            ),
            false => None,
        };
        let user = self.refusal.user.clone();
        let result = self.handle.authenticate_publickey_with(user, key, hash, signer).await;
        match result {
            Ok(AuthResult::Success) => Ok(Verdict::In(LoggedIn { with: what })),
            Ok(AuthResult::Failure { remaining_methods, partial_success }) => {
                // russh reports a broken connection as a refusal that leaves no method.
                if remaining_methods.is_empty() && self.handle.is_closed() {
                    return Err(if self.refusal.offered.is_empty() {
                        LoginError::Lost
                    } else {
                        self.note(what, "the server hung up".to_owned());
                        LoginError::Refused(std::mem::take(&mut self.refusal))
                    });
                }
                let outcome = if partial_success { "taken, but the server wants more" } else { "refused" };
                self.note(what, outcome.to_owned());
                Ok(self.after_refusal(&remaining_methods, partial_success))
            }
            Err(error) if self.handle.is_closed() => {
                tracing::debug!(%error, "the connection broke during login");
                Err(LoginError::Lost)
            }
            Err(error) => {
                self.refusal.nobody_to_ask |= from != "agent";
                self.note(what, format!("not signed: {}", escape(&error.to_string())));
                Ok(Verdict::Next)
            }
        }
    }

    fn after_refusal(&mut self, remaining: &MethodSet, partial: bool) -> Verdict {
        self.refusal.accepts = remaining.iter().map(|method| <&str>::from(method).to_owned()).collect();
        if partial || !remaining.contains(&MethodKind::PublicKey) { Verdict::Stop } else { Verdict::Next }
    }

    fn note(&mut self, what: String, outcome: String) {
        self.refusal.offered.push((what, outcome));
    }
}

/// Signs with a key file, unlocking it only once the server said that it would take the key.
struct FileSigner<'a> {
    file: Option<(&'a KeyFile, &'a Login, &'a Host)>,
    key: Option<Arc<PrivateKey>>,
}

impl FileSigner<'_> {
    fn open(key: Arc<PrivateKey>) -> Self {
        FileSigner { file: None, key: Some(key) }
    }
}

/// Why a key could not sign.
#[derive(Debug, thiserror::Error)]
enum SignError {
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
struct AgentSigner(AgentClient<UnixStream>);

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

/// How long an agent may take to list its keys. Signing may wait for a person and has login's limit.
const AGENT_LIMIT: Duration = Duration::from_secs(5);

async fn connect_agent(socket: &Path) -> Result<AgentClient<UnixStream>, String> {
    match tokio::time::timeout(AGENT_LIMIT, AgentClient::connect_uds(socket)).await {
        Ok(Ok(agent)) => Ok(agent),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it does not answer".to_owned()),
    }
}

async fn list_agent(socket: &Path) -> Result<Vec<PublicKey>, String> {
    let mut agent = connect_agent(socket).await?;
    let identities = match tokio::time::timeout(AGENT_LIMIT, agent.request_identities()).await {
        Ok(Ok(identities)) => identities,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err("it does not answer".to_owned()),
    };
    Ok(identities
        .into_iter()
        .filter_map(|identity| match identity {
            AgentIdentity::PublicKey { key, .. } => Some(key),
            AgentIdentity::Certificate { .. } => None,
        })
        .collect())
}

fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy())
}
