//! An SSH client that a host in between runs for us: started over a session to that host, kept for as
//! long as it is told that somebody is here, gone when not. It knows the process and the words it
//! says, nothing of tunnels.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::plan::{BEAT, LISTENS, PROBE, Tool};
use crate::ssh::{ExecError, Exit, Process, Session};
use crate::topology::escape;

/// A running client. Its command ends when this is dropped.
pub(super) struct FarClient {
    process: Arc<Process>,
    /// Fires when the command has ended, for whatever reason.
    ended: CancellationToken,
    /// Ends the tasks that hold the process too.
    _beating: tokio_util::sync::DropGuard,
}

/// Why a client did not come up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FarError {
    /// The host runs no command for us.
    Exec(ExecError),
    /// The host has neither `ssh` nor `dbclient`.
    NoClient(String),
    /// The client said this, escaped, and ended.
    Ended(Vec<String>),
    /// It did not listen in time; what it said so far, escaped.
    TimedOut(Vec<String>),
}

/// What a client says of a port that somebody else has.
pub(super) const TAKEN: &str = "Address already in use";

/// How many lines of a client's complaints are kept.
const LINES: usize = 20;

/// The client programs that a host has.
///
/// # Errors
/// When it has none, or runs no commands.
pub(super) async fn tool(session: &Session, within: Duration) -> Result<Tool, FarError> {
    let process = session.exec(PROBE, within).await.map_err(FarError::Exec)?;
    let mut answer = String::new();
    let asking = async {
        while let Some(said) = process.line().await {
            answer.push_str(&String::from_utf8_lossy(&said.bytes));
            answer.push(' ');
            if answer.len() > 4096 {
                break;
            }
        }
    };
    if tokio::time::timeout(within, asking).await.is_err() {
        return Err(FarError::Exec(ExecError::TimedOut));
    }
    Tool::that_said(&answer).ok_or_else(|| FarError::NoClient(escape(answer.trim())))
}

impl FarClient {
    /// Starts a client, which may use the agent at this socket, and waits until it listens.
    ///
    /// # Errors
    /// Why it does not.
    pub(super) async fn start(
        session: &Session,
        command: &str,
        agent: Option<&Path>,
        within: Duration,
    ) -> Result<Self, FarError> {
        let started = match agent {
            Some(socket) => session.exec_with_agent(command, socket, within).await,
            None => session.exec(command, within).await,
        };
        let process = Arc::new(started.map_err(FarError::Exec)?);
        let ended = CancellationToken::new();
        let beating = CancellationToken::new();
        let (beaten, over, stop) = (process.clone(), ended.clone(), beating.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = beat(&beaten) => {}
                () = stop.cancelled() => {}
            }
        });
        let watched = process.clone();
        let dropped = beating.clone();
        tokio::spawn(async move {
            tokio::select! {
                how = watched.ended() => {
                    tracing::debug!(?how, "a client elsewhere ended");
                    over.cancel();
                }
                // The last one to hold the process lets go of it, and that ends the command.
                () = dropped.cancelled() => {}
            }
        });
        let client = FarClient { process, ended, _beating: beating.drop_guard() };
        let mut said = Vec::new();
        match tokio::time::timeout(within, client.listens(&mut said)).await {
            // It is content with one family of addresses. Whoever has the other one would be dialled in
            // its place.
            Ok(true) if client.all_said(&mut said).await.iter().any(|line| line.contains(TAKEN)) => {
                Err(FarError::Ended(said))
            }
            Ok(true) => Ok(client),
            Ok(false) => Err(FarError::Ended(said)),
            Err(_) => Err(FarError::TimedOut(said)),
        }
    }

    /// Waits until it says that it listens. `false` when it ended first.
    async fn listens(&self, said: &mut Vec<String>) -> bool {
        while let Some(line) = self.process.line().await {
            let line = String::from_utf8_lossy(&line.bytes).trim().to_owned();
            if line == LISTENS {
                return true;
            }
            if !line.is_empty() && said.len() < LINES {
                said.push(escape(&line));
            }
        }
        false
    }

    /// What it said before it listened: complaints come another way, and may be a moment late.
    async fn all_said<'s>(&self, said: &'s mut Vec<String>) -> &'s [String] {
        const MOMENT: Duration = Duration::from_millis(50);
        let _ = tokio::time::timeout(MOMENT, self.listens(said)).await;
        said
    }

    /// Fires when it has ended.
    pub(super) fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// Why it ended: what it said last, else how.
    pub(super) async fn ending(&self) -> String {
        let mut last = None;
        let hearing = async {
            while let Some(line) = self.process.line().await {
                let line = String::from_utf8_lossy(&line.bytes).trim().to_owned();
                if !line.is_empty() {
                    last = Some(escape(&line));
                }
            }
        };
        // It has ended: everything that it said is here.
        let _ = tokio::time::timeout(Duration::from_secs(1), hearing).await;
        let how = match self.process.ended().await {
            Exit::Status(status) => format!("it ended with status {status}"),
            Exit::Signal { name, .. } => format!("it was ended by SIG{name}"),
            Exit::Unsaid => "it ended".to_owned(),
            Exit::Lost => "the session that it was started over was lost".to_owned(),
        };
        last.unwrap_or(how)
    }

    /// Ends it and waits until it is gone, up to `patience`.
    pub(super) async fn close(&self, patience: Duration) {
        // Fails only when it is gone already.
        let _ = self.process.end_input().await;
        let _ = tokio::time::timeout(patience, self.ended.cancelled()).await;
    }
}

/// Tells the command again and again that somebody is here. Returns when it is gone.
async fn beat(process: &Process) {
    let every = Duration::from_secs(BEAT.0);
    // Not at once: a beat is a signal there, and whoever listens to it must have begun to.
    let mut beats = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    loop {
        beats.tick().await;
        if process.say((&b"\n"[..]).into()).await.is_err() {
            return;
        }
    }
}
