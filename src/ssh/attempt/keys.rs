//! Keys and certificates, of an agent and of files: which are offered to this host, and in which order.
//! Where the file names keys for it, no other is.

use std::path::{Path, PathBuf};

use russh::Signer;

use russh::keys::{Algorithm, HashAlg, PublicKey};

use super::shown::Shown;
use super::{Attempt, Verdict};
use crate::ssh::agent;
use crate::ssh::key_file::{KeyFile, KeyFileError};
use crate::ssh::login::LoginError;
use crate::ssh::signer::{AgentSigner, FileSigner, SignError};
use crate::ssh::trust::expand;
use crate::topology::{AuthMethod, escape};

impl Attempt<'_> {
    /// The keys the host names, or the person's usual ones, as far as they can be read; before them the certificates
    /// that lie elsewhere.
    pub(super) async fn key_files(&mut self) -> Vec<KeyFile> {
        let home = self.login.home.as_deref();
        let named = !self.host.identities.is_empty();
        let certificates: Vec<PathBuf> =
            self.host.certificates.iter().map(|path| expand(path, home)).collect();
        let keys: Vec<PathBuf> = if named {
            self.host.identities.iter().map(|path| expand(path, home)).collect()
        } else {
            let usual = ["id_ed25519", "id_ecdsa", "id_rsa"];
            home.map(|home| usual.map(|name| home.join(".ssh").join(name)).to_vec()).unwrap_or_default()
        };
        let mut files = Vec::new();
        let usual = if named { &[][..] } else { &keys[..] };
        for path in certificates.iter().chain(&keys) {
            let reading = path.clone();
            let read = tokio::task::spawn_blocking(move || KeyFile::read(&reading)).await;
            match read {
                Ok(Ok(file)) => files.push(file),
                Ok(Err(KeyFileError::Missing)) if usual.contains(path) => {}
                Ok(Err(error)) => self.note(shown(path), format!("not offered: {error}")),
                Err(error) => self.note(shown(path), format!("not offered: {error}")),
            }
        }
        KeyFile::with_their_keys(files)
    }

    /// The agent's socket for this host.
    fn agent(&self) -> Option<PathBuf> {
        self.login.agent_for(self.host)
    }

    pub(super) async fn offer_agent(&mut self, files: &[KeyFile]) -> Result<Verdict, LoginError> {
        let Some(socket) = self.agent() else { return Ok(Verdict::Next) };
        let name = format!("agent {}", shown(&socket));
        let held = match agent::list(&socket, self.handle.agent_session_binding()).await {
            Ok(held) => held.into_iter().map(Shown::from).collect::<Vec<_>>(),
            Err(cause) => {
                self.note(name, format!("not asked: {}", escape(&cause)));
                return Ok(Verdict::Next);
            }
        };
        if held.is_empty() {
            self.note(name, "it holds no key, or is locked (ssh-add -X)".to_owned());
            return Ok(Verdict::Next);
        }
        let chosen = self.chosen(held, files);
        if chosen.is_empty() {
            self.note(name.clone(), "it holds none of the keys named for this host".to_owned());
        }
        for identity in chosen {
            let mut signer = match agent::connect(&socket, self.handle.agent_session_binding()).await {
                Ok(agent) => AgentSigner::new(agent, self.login, self.host, self.taken.is_some()),
                Err(cause) => {
                    self.note(name, format!("not asked: {}", escape(&cause)));
                    return Ok(Verdict::Next);
                }
            };
            let verdict = self.offer("agent", identity, &mut signer).await?;
            self.attended |= signer.waited;
            match verdict {
                Verdict::Next if self.takes(AuthMethod::Agent) => {}
                verdict => return Ok(verdict),
            }
        }
        Ok(Verdict::Next)
    }

    /// Those to offer, the named ones first and in the file's order, certificates before keys: each that
    /// is offered counts against the server's limit.
    fn chosen(&self, held: Vec<Shown>, files: &[KeyFile]) -> Vec<Shown> {
        let place = |one: &Shown| {
            let key = one.key();
            files
                .iter()
                .position(|file| file.public.as_ref().is_some_and(|named| named.key_data() == key.key_data()))
        };
        let (mut named, others): (Vec<_>, Vec<_>) = held.into_iter().partition(|one| place(one).is_some());
        named.sort_by_key(|one| (place(one), !one.is_certificate()));
        if !self.host.offers_named_keys_only() {
            named.extend(others);
        }
        named
    }

    /// The certificates of files, and with `keys` the keys too, each after its certificate.
    pub(super) async fn offer_files(&mut self, files: &[KeyFile], keys: bool) -> Result<Verdict, LoginError> {
        for file in files {
            let is_locked = file.open().is_none() && !file.signs_elsewhere();
            if self.taken.is_some() && is_locked && !self.login.has_unlocked(file).await {
                continue;
            }
            let certificate = match &file.certificate {
                Some(Ok(certificate)) => Some(Shown::Certificate(Box::new(certificate.clone()))),
                Some(Err(why)) => {
                    let what = format!("{} certificate", shown(&file.path));
                    if !self.refusal.offered.iter().any(|(noted, _)| *noted == what) {
                        self.note(what, format!("not offered: {why}"));
                    }
                    None
                }
                None => None,
            };
            let has_one = |other: &KeyFile| other.path == file.path && other.certificate.is_some();
            if certificate.is_none() && !keys && !files.iter().any(has_one) {
                self.note(shown(&file.path), "not offered: there is no certificate beside it".to_owned());
            }
            let key = match keys {
                true => self.public_half(file).await.map(Shown::Key),
                false => None,
            };
            for one in certificate.into_iter().chain(key) {
                match self.offer_of_file(file, one).await? {
                    Verdict::Next if self.takes(AuthMethod::Key) => {}
                    verdict => return Ok(verdict),
                }
            }
        }
        Ok(Verdict::Next)
    }

    /// The public half, for which the file may have to be unlocked.
    async fn public_half(&mut self, file: &KeyFile) -> Option<PublicKey> {
        match (&file.public, file.open()) {
            (Some(public), _) => Some(public.clone()),
            (None, Some(key)) => Some(key.public_key().clone()),
            (None, None) => match self.login.unlock(file, self.host).await {
                Ok(key) => Some(key.public_key().clone()),
                Err(why) => {
                    let path = shown(&file.path);
                    self.without(path.clone(), format!("the passphrase of {path}"), &why);
                    None
                }
            },
        }
    }

    async fn offer_of_file(&mut self, file: &KeyFile, one: Shown) -> Result<Verdict, LoginError> {
        let path = shown(&file.path);
        if !file.signs_elsewhere() {
            let mut signer = FileSigner::of_file(file, self.login, self.host);
            return self.offer(&path, one, &mut signer).await;
        }
        // The agent offers what it holds itself. A certificate that lies here only needs it to sign.
        let key = one.key();
        let signer = match self.agent().filter(|_| one.is_certificate()) {
            Some(socket) => agent::connect(&socket, self.handle.agent_session_binding()).await.ok(),
            None => None,
        };
        match signer {
            Some(agent) => {
                let mut signer =
                    AgentSigner::new(agent, self.login, self.host, self.taken.is_some()).with_key(key);
                let verdict = self.offer(&path, one, &mut signer).await;
                self.attended |= signer.waited;
                verdict
            }
            None => {
                if !self.tried.contains(&one.bytes()) {
                    let what = "not offered: its private half is not here; an agent that holds it signs";
                    self.note(path, what.to_owned());
                }
                Ok(Verdict::Next)
            }
        }
    }

    pub(super) async fn offer<S>(
        &mut self,
        from: &str,
        one: Shown,
        signer: &mut S,
    ) -> Result<Verdict, LoginError>
    where
        S: Signer<Error = SignError> + Send,
    {
        let bytes = one.bytes();
        let what = one.name(from);
        if self.tried.contains(&bytes) || !self.is_wanted(&what) {
            return Ok(Verdict::Next);
        }
        self.tried.push(bytes);
        self.refusal.was_asked = true;
        // SHA-1 is what russh signs with when no hash is named.
        let hash = match one.algorithm().is_rsa() {
            true => match self.handle.best_supported_rsa_hash().await.ok().flatten() {
                Some(Some(hash)) if !self.host.algorithms.sign_with_sha1_only() => Some(hash),
                _ if self.host.algorithms.sign_with_sha1() => None,
                _ => Some(HashAlg::Sha512),
            },
            false => None,
        };
        let touched = matches!(one.algorithm(), Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256);
        let user = self.refusal.user.clone();
        let result = match one {
            Shown::Key(key) => self.handle.authenticate_publickey_with(user, key, hash, signer).await,
            Shown::Certificate(certificate) => {
                self.handle.authenticate_certificate_with(user, *certificate, hash, signer).await
            }
        };
        match result {
            Ok(result) => {
                let verdict = self.answered(what, result)?;
                self.attended |= touched && matches!(verdict, Verdict::In | Verdict::Partial);
                Ok(verdict)
            }
            Err(error) if self.handle.is_closed() => {
                tracing::debug!(%error, "the connection broke during login");
                Err(LoginError::Lost(String::new()))
            }
            Err(SignError::Locked(why)) => {
                self.without(what, format!("the passphrase of {from}"), &why);
                Ok(Verdict::Next)
            }
            Err(error) => {
                self.note(what, format!("not signed: {}", escape(&error.to_string())));
                Ok(Verdict::Next)
            }
        }
    }
}

fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy())
}
