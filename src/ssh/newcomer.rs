//! A host whose key nobody recorded yet, or whose new key a person spelled out: who accepts it, and that it
//! is recorded then. A key is never accepted here that a record contradicts and nobody spelled out.

use std::path::PathBuf;

use russh::keys::PublicKey;
use tokio::sync::oneshot;

use super::expectation::{Expectation, Grounds};
use super::host_key_refusal::{Asked, Fingerprint, HostKeyRefusal};
use super::known_hosts::{Judgement, Records};
use super::known_hosts_file::KnownHostsFile;
use super::login::Login;
use super::question::Question;
use crate::topology::{HostId, HostKeyChecking, escape};

/// A key that is refused unless somebody accepts it.
pub(super) struct Newcomer {
    /// The key shown.
    pub key: PublicKey,
    /// Why it is refused.
    pub refusal: HostKeyRefusal,
    /// What was expected.
    pub expectation: Expectation,
    /// Told what came of it.
    pub answer: oneshot::Sender<Result<Grounds, HostKeyRefusal>>,
}

impl Expectation {
    /// Whether somebody may accept what is refused for this reason.
    pub(super) fn may_accept(&self, refusal: &HostKeyRefusal) -> bool {
        match refusal {
            HostKeyRefusal::Unknown { presented, .. } => match &self.learning.replace {
                Some(_) => self.spelled_out(presented),
                None => self.learning.checking != HostKeyChecking::Strict,
            },
            HostKeyRefusal::Changed { presented, .. } => self.spelled_out(presented),
            _ => false,
        }
    }

    /// Whether a person named this very key beforehand.
    fn spelled_out(&self, presented: &Fingerprint) -> bool {
        self.learning.replace.as_ref().is_some_and(|(_, sha256)| *sha256 == presented.sha256)
    }
}

impl Newcomer {
    /// Has it accepted or refused. `host` is what the person calls it.
    pub async fn settle(self, host: &str, login: &Login) {
        let answer = match accept(&self, host, login).await {
            Ok(()) if self.expectation.learning.record => {
                let (key, expectation) = (self.key, self.expectation);
                // A file may be slow, and others may hold its lock.
                let recording = tokio::task::spawn_blocking(move || expectation.record(&key));
                recording.await.unwrap_or(Err(self.refusal))
            }
            Ok(()) => Ok(Grounds::Accepted),
            Err(refusal) => Err(refusal),
        };
        // Nobody waits for it when the session is gone meanwhile.
        drop(self.answer.send(answer));
    }
}

/// Whether it may be accepted: by its policy, or by a person.
async fn accept(newcomer: &Newcomer, host: &str, login: &Login) -> Result<(), HostKeyRefusal> {
    let HostKeyRefusal::Unknown { presented, names, .. } = &newcomer.refusal else { return Ok(()) };
    let expectation = &newcomer.expectation;
    if expectation.learning.checking == HostKeyChecking::AcceptNew || expectation.spelled_out(presented) {
        return Ok(());
    }
    let question = Question {
        host: HostId::new(host),
        before: Vec::new(),
        wanted: format!("whether the key of {} is right", escape(host)),
        text: format!(
            "{} ({}) is not known. It shows the key\n  {presented}\nType yes if that is right, or the fingerprint you expect: ",
            escape(host),
            escape(&names.join(", ")),
        ),
        hidden: false,
    };
    let answered = match login.ask(question).await {
        Ok(answer) if accepts(answer.expose(), &presented.sha256) => return Ok(()),
        Ok(_) => Asked::Declined,
        Err(_) => Asked::Nobody,
    };
    let mut refusal = newcomer.refusal.clone();
    if let HostKeyRefusal::Unknown { asked, .. } = &mut refusal {
        *asked = answered;
    }
    Err(refusal)
}

/// Whether an answer accepts the key of this fingerprint. Nothing but the whole word or the whole fingerprint
/// does.
fn accepts(answer: &str, sha256: &str) -> bool {
    let answer = answer.trim();
    answer.eq_ignore_ascii_case("yes") || answer == sha256
}

impl Expectation {
    /// Records a key that was accepted. What the files say by then counts: somebody else may have recorded
    /// another key meanwhile.
    fn record(&self, key: &PublicKey) -> Result<Grounds, HostKeyRefusal> {
        let presented = Fingerprint::of(key);
        let (Some(file), Some(name)) = (self.files.first(), self.names.first()) else {
            let cause = "there is no home folder to keep it in".to_owned();
            return Err(HostKeyRefusal::NotRecorded { presented, file: PathBuf::from("known_hosts"), cause });
        };
        let failed = |file: &PathBuf, error: std::io::Error| HostKeyRefusal::NotRecorded {
            presented: presented.clone(),
            file: file.clone(),
            cause: error.to_string(),
        };
        let locked = KnownHostsFile::lock(file).map_err(|error| failed(file, error))?;
        let now = self.now()?;
        match now.records.judge(key.key_data()) {
            Judgement::Known => Ok(Grounds::Recorded),
            Judgement::Unknown => {
                locked.append(name, key).map_err(|error| failed(file, error))?;
                Ok(Grounds::Accepted)
            }
            Judgement::Changed(_) if self.spelled_out(&presented) => {
                locked.replace(&self.names, name, key).map_err(|error| failed(file, error))?;
                Ok(Grounds::Replaced)
            }
            Judgement::Changed(_) | Judgement::Revoked(_) => now.judge(&key.clone().into()),
        }
    }

    /// The same with what the files say now.
    pub(super) fn now(&self) -> Result<Expectation, HostKeyRefusal> {
        let records = Records::read(&self.files, &self.names)
            .map_err(|(file, error)| HostKeyRefusal::Unreadable { file, cause: error.to_string() })?;
        let mut now = self.clone();
        now.records = records;
        Ok(now)
    }
}

#[cfg(test)]
#[path = "newcomer_tests.rs"]
mod tests;
