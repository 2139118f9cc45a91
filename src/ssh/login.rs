//! Logging in: what one person can log in with, what came of it, and the questions on the way, one at
//! a time. Runs only after the host key was accepted; a refusal is final.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use russh::client::Handle;
use russh::keys::PrivateKey;
use tokio::sync::Mutex;

use super::attempt::Attempt;
use super::gatekeeper::Gatekeeper;
use super::key_file::KeyFile;
use super::question::{Ask, NoAnswer, Notice, Question};
use super::secret::Secret;
use super::secret_source::fetch;
use super::trust::expand;
use crate::topology::{AgentUse, Host, HostId, SecretPurpose, SecretRef, SecretSource, escape};

/// What one person can log in with, shared by all sessions of a run.
pub struct Login {
    /// The name to log in as where the host has none.
    pub user: String,
    /// The agent's socket.
    pub agent: Option<PathBuf>,
    /// Where `~/` leads, and `.ssh` is found.
    pub home: Option<PathBuf>,
    /// How the person is asked.
    pub ask: Ask,
    /// How the person is told what is waited for.
    pub notice: Notice,
    /// Environment variables that hold secrets: no program that is run for another one gets them.
    pub kept_in_environment: Vec<String>,
    /// The only key to offer, to every host: for hosts that hopper plays itself.
    pub only: Option<Arc<PrivateKey>>,
    /// Questions open now: a person may take longer than a deadline allows a machine.
    asked: AtomicUsize,
    /// Held while a person is asked: whoever types an answer must know which question it is for.
    turn: Arc<Mutex<()>>,
    /// Keys unlocked in this run, so that each passphrase is asked for once.
    unlocked: Arc<Mutex<Unlocked>>,
    /// How many plans of this run came before: what failed for one of them is tried again, since a new plan may say
    /// better where a secret is.
    plans: usize,
    /// Passwords that were typed and taken, each for its host alone, so that a rebuild need not ask.
    passwords: Arc<Mutex<HashMap<HostId, Secret>>>,
}

/// Keys by their files, or why there is none, and for which plan.
type Unlocked = HashMap<PathBuf, Result<Arc<PrivateKey>, (NoAnswer, usize)>>;

/// How a login ended well.
#[derive(Debug, Clone)]
pub struct LoggedIn {
    /// What the server took: `agent ed25519 SHA256:…`, one entry for each part.
    pub accepted: Vec<String>,
    /// Whether the same can be given again without a person.
    pub unattended: bool,
}

/// How a login ended badly.
#[derive(Debug, Clone)]
pub enum LoginError {
    /// The server took nothing that was offered.
    Refused(LoginRefusal),
    /// The connection broke during login: why, as far as it is known.
    Lost(String),
    /// The server stopped answering during login.
    TimedOut,
}

/// What was tried in vain.
#[derive(Debug, Clone, Default)]
pub struct LoginRefusal {
    /// The name tried.
    pub user: String,
    /// Each key, password or answer, and what came of it.
    pub offered: Vec<(String, String)>,
    /// What the server took before it wanted more.
    pub accepted: Vec<String>,
    /// The methods that the server takes; empty when it never said.
    pub accepts: Vec<String>,
    /// What only a person could have answered, and nobody did.
    pub needed: Vec<String>,
    /// Whether what was given for it does not fit.
    pub wrong_answer: bool,
    /// Whether a secret could not be had from where it is kept.
    pub secret_missing: bool,
    /// Whether anything was offered to the server at all.
    pub was_asked: bool,
    /// Whether the server ended it by hanging up.
    pub hung_up: bool,
    /// The server's reason for hanging up, if it gave one; escaped.
    pub ending: Option<String>,
}

impl Login {
    /// The means of a person with this name, home and agent.
    pub fn of_person(user: String, home: Option<PathBuf>, agent: Option<PathBuf>, ask: Ask) -> Self {
        Login {
            user,
            agent,
            home,
            ask,
            notice: Arc::new(|_| {}),
            kept_in_environment: Vec::new(),
            only: None,
            asked: AtomicUsize::new(0),
            turn: Arc::default(),
            unlocked: Arc::default(),
            plans: 0,
            passwords: Arc::default(),
        }
    }

    /// The same means, and what was unlocked for the other one; also what was typed there for these hosts, and for no
    /// others. Questions of both come one at a time.
    pub async fn with_memory_of(self, other: &Login, hosts: impl Fn(&HostId) -> bool) -> Self {
        other.passwords.lock().await.retain(|host, _| hosts(host));
        Login {
            turn: other.turn.clone(),
            unlocked: other.unlocked.clone(),
            plans: other.plans + 1,
            passwords: other.passwords.clone(),
            ..self
        }
    }

    /// Offers one key to every host and nothing else.
    pub fn with_key(user: String, key: PrivateKey) -> Self {
        let nobody: Ask = Arc::new(|_| Box::pin(async { None }));
        Login { only: Some(Arc::new(key)), ..Login::of_person(user, None, None, nobody) }
    }

    /// The socket of the agent that is for this host; `None` when there is none.
    pub fn agent_for(&self, host: &Host) -> Option<PathBuf> {
        match &host.agent {
            AgentUse::Own => self.agent.clone(),
            AgentUse::Off => None,
            AgentUse::Socket(path) => Some(expand(path, self.home.as_deref())),
        }
    }

    /// Logs in to `host`. `limit` is machine time: it stands still while a person is asked. With `taken`, what the
    /// server took before, nothing else is offered and nobody is asked.
    pub(super) async fn run(
        &self,
        handle: &mut Handle<Gatekeeper>,
        host: &Host,
        limit: Duration,
        taken: Option<&[String]>,
    ) -> Result<LoggedIn, LoginError> {
        let user = host.user.clone().unwrap_or_else(|| self.user.clone());
        let mut attempt = Attempt::new(self, handle, host, user, taken);
        self.within(limit, attempt.run()).await.unwrap_or(Err(LoginError::TimedOut))
    }

    /// Runs `work` for at most `limit` of time in which nobody is being asked.
    pub(super) async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
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

    /// Counts as a question until dropped: for whatever a person may have to do.
    pub(super) fn open_question(&self) -> OpenQuestion<'_> {
        OpenQuestion::new(&self.asked)
    }

    /// Asks the person, when it is this question's turn.
    pub(super) async fn ask(&self, question: Question) -> Result<Secret, NoAnswer> {
        let _open = self.open_question();
        let _turn = self.turn.lock().await;
        (self.ask)(question).await.ok_or(NoAnswer::Nobody)
    }

    /// The secret from where it is kept; the person answers `question` where that is what it says.
    pub(super) async fn secret(&self, kept: &SecretRef, question: Question) -> Result<Secret, NoAnswer> {
        if kept.source == SecretSource::Prompt {
            return self.ask(question).await;
        }
        let _open = self.open_question();
        fetch(&kept.source, &question.text, self.home.as_deref(), &self.kept_in_environment)
            .await
            .map_err(NoAnswer::NotHad)
    }

    /// The password that this host took before in this run.
    pub(super) async fn password(&self, host: &HostId) -> Option<Secret> {
        self.passwords.lock().await.get(host).cloned()
    }

    /// Remembers a password that this host took; `None` forgets it.
    pub(super) async fn remember(&self, host: &HostId, password: Option<Secret>) {
        let mut passwords = self.passwords.lock().await;
        match password {
            Some(password) => drop(passwords.insert(host.clone(), password)),
            None => drop(passwords.remove(host)),
        }
    }

    /// Whether this run has the key unlocked.
    pub(super) async fn has_unlocked(&self, file: &KeyFile) -> bool {
        matches!(self.unlocked.lock().await.get(&file.path), Some(Ok(_)))
    }

    /// Unlocks a key, by the host's secret or by asking, unless this run has it unlocked already.
    ///
    /// # Errors
    /// Why it stays locked: nobody to ask, or wrong answers, three of them from a person.
    pub(super) async fn unlock(&self, file: &KeyFile, host: &Host) -> Result<Arc<PrivateKey>, NoAnswer> {
        const TRIES: usize = 3;
        // Held while asking: another host that takes the same key gets the same answer.
        let _open = self.open_question();
        let mut unlocked = self.unlocked.lock().await;
        match unlocked.get(&file.path) {
            Some(Ok(key)) => return Ok(key.clone()),
            Some(Err((why, plans))) if *plans == self.plans => return Err(why.clone()),
            Some(Err(_)) | None => {}
        }
        let path = escape(&file.path.to_string_lossy());
        let question = Question {
            host: host.id.clone(),
            before: Vec::new(),
            wanted: format!("the passphrase of {path}"),
            text: format!("{}: the passphrase of {path}: ", host.id),
            hidden: true,
        };
        let kept = host.secrets_for(SecretPurpose::Passphrase).next();
        let kept = kept.filter(|kept| kept.source != SecretSource::Prompt);
        let mut key = Err(NoAnswer::Nobody);
        for _ in 0..if kept.is_some() { 1 } else { TRIES } {
            let answer = match kept {
                Some(kept) => self.secret(kept, question.clone()).await,
                None => self.ask(question.clone()).await,
            };
            let answer = match answer {
                Ok(answer) => answer,
                // Who gives up after a wrong answer has been asked.
                Err(NoAnswer::Nobody) if key == Err(NoAnswer::Wrong) => break,
                Err(other) => {
                    key = Err(other);
                    break;
                }
            };
            // The key derivation takes its time; sessions that are up must not stand still for it.
            let file = file.clone();
            let opened = tokio::task::spawn_blocking(move || file.unlock(&answer)).await;
            if let Ok(Ok(opened)) = opened {
                key = Ok(opened);
                break;
            }
            key = Err(NoAnswer::Wrong);
        }
        unlocked.insert(file.path.clone(), key.clone().map_err(|why| (why, self.plans)));
        key
    }
}

/// Counts as a question from its making to its dropping.
pub(super) struct OpenQuestion<'a>(&'a AtomicUsize);

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
