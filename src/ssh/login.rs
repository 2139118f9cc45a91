//! Logging in: which keys are offered to a host, in which order, and what came of it. Runs only after
//! the host key was accepted; a refusal is final.

use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use russh::client::Handle;
use russh::keys::PrivateKey;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::attempt::Attempt;
use super::gatekeeper::Gatekeeper;
use super::key_file::KeyFile;
use crate::topology::{Host, escape};

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
    /// Each key, and what came of it.
    pub offered: Vec<(String, String)>,
    /// The methods that the server takes; empty when it never said.
    pub accepts: Vec<String>,
    /// Whether a person would have been needed, and there was none.
    pub nobody_to_ask: bool,
    /// Whether any key was offered to the server at all.
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
        let mut attempt = Attempt::new(self, handle, host, user);
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

    /// Asks the person something. `None`: there is nobody to ask, or they gave up.
    pub(super) async fn question(&self, text: String) -> Option<Zeroizing<String>> {
        let _one_at_a_time = self.unlocked.lock().await;
        let _open_question = OpenQuestion::new(&self.asked);
        (self.ask)(text).await
    }

    /// Unlocks a key, asking for its passphrase unless this run has it already. `None`: nobody to ask,
    /// or three wrong answers.
    pub(super) async fn unlock(&self, file: &KeyFile, host: &Host) -> Option<Arc<PrivateKey>> {
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
            // The key derivation takes its time; sessions that are up must not stand still for it.
            let file = file.clone();
            let opened = tokio::task::spawn_blocking(move || file.unlock(&answer)).await;
            if let Ok(Ok(opened)) = opened {
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
