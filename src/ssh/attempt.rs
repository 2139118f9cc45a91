//! One login at one host: which keys are offered, in which order, and what the server said to each.

use std::path::{Path, PathBuf};

use russh::client::{AuthResult, Handle};
use russh::keys::{HashAlg, PublicKey};
use russh::{MethodKind, MethodSet, Signer};

use super::agent;
use super::gatekeeper::Gatekeeper;
use super::key_file::{KeyFile, KeyFileError};
use super::login::{LoggedIn, Login, LoginError, LoginRefusal};
use super::signer::{AgentSigner, FileSigner};
use super::trust::{Fingerprint, expand};
use crate::topology::{AuthMethod, Host, escape};

/// One login at one host.
pub(super) struct Attempt<'a> {
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

impl<'a> Attempt<'a> {
    pub fn new(login: &'a Login, handle: &'a mut Handle<Gatekeeper>, host: &'a Host, user: String) -> Self {
        let refusal = LoginRefusal { user, ..LoginRefusal::default() };
        Attempt { login, handle, host, refusal, tried: Vec::new() }
    }

    /// Offers one key after the other until the server takes one, or wants no more.
    pub async fn run(&mut self) -> Result<LoggedIn, LoginError> {
        if let Some(key) = self.login.only.clone() {
            let mut signer = FileSigner::open(key.clone());
            if let Verdict::In(done) = self.offer("key", key.public_key().clone(), &mut signer).await? {
                return Ok(done);
            }
            return Err(LoginError::Refused(std::mem::take(&mut self.refusal)));
        }
        let files = self.key_files().await;
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
    async fn key_files(&mut self) -> Vec<KeyFile> {
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
            let reading = path.clone();
            let read = tokio::task::spawn_blocking(move || KeyFile::read(&reading)).await;
            match read {
                Ok(Ok(file)) => files.push(file),
                Ok(Err(KeyFileError::Missing)) if !named => {}
                Ok(Err(error)) => self.note(shown(&path), format!("not offered: {error}")),
                Err(error) => self.note(shown(&path), format!("not offered: {error}")),
            }
        }
        files
    }

    async fn offer_agent(&mut self, files: &[KeyFile]) -> Result<Verdict, LoginError> {
        let Some(socket) = self.login.agent.clone() else { return Ok(Verdict::Next) };
        let identities = match agent::list(&socket).await {
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
            let mut signer = match agent::connect(&socket).await {
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
            let mut signer = FileSigner::of_file(file, self.login, self.host);
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
        self.refusal.was_asked = true;
        let what = format!("{from} {}", Fingerprint::of(&key));
        // SHA-1 is what russh signs with when no hash is named.
        let hash = match key.algorithm().is_rsa() {
            true => match self.handle.best_supported_rsa_hash().await.ok().flatten() {
                Some(Some(hash)) if !self.host.algorithms.sign_with_sha1_only() => Some(hash),
                _ if self.host.algorithms.sign_with_sha1() => None,
                _ => Some(HashAlg::Sha512),
            },
            false => None,
        };
        let user = self.refusal.user.clone();
        let result = self.handle.authenticate_publickey_with(user, key, hash, signer).await;
        match result {
            Ok(AuthResult::Success) => Ok(Verdict::In(LoggedIn { with: what })),
            Ok(AuthResult::Failure { remaining_methods, partial_success }) => {
                // russh reports a broken connection as a refusal that leaves no method.
                if remaining_methods.is_empty() && self.handle.is_closed() {
                    self.note(what, "the server hung up".to_owned());
                    self.refusal.hung_up = true;
                    return Err(LoginError::Refused(std::mem::take(&mut self.refusal)));
                }
                let outcome = if partial_success { "taken, but the server wants more" } else { "refused" };
                self.note(what, outcome.to_owned());
                Ok(self.after_refusal(&remaining_methods, partial_success))
            }
            Err(error) if self.handle.is_closed() => {
                tracing::debug!(%error, "the connection broke during login");
                Err(LoginError::Lost(String::new()))
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

fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy())
}
