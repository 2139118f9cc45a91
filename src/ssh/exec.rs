//! Has a session's server run a command (RFC 4254, section 6.5), without a terminal. Never quotes or
//! changes the command: the server gives it to the login shell of the person as it is.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use russh::ChannelMsg;
use tokio::time::Instant;

use super::channel::{Channel, Message, Received};
use super::dial::words_of;
use super::lending::{Loan, Terms};
use super::process::{Process, STDERR};
use super::session::{Session, Unanswered};
use super::shelf::{Shelf, Source};

/// Why a command was not started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecError {
    /// The server opens no channel for it (`MaxSessions` of OpenSSH, or a server that runs nothing):
    /// its words, escaped.
    NoChannel(String),
    /// The server opened a channel and then would not start the command.
    NotStarted,
    /// The server lets no command use an agent of ours.
    NoAgent,
    /// Another command of this session has another agent of ours.
    OtherAgent,
    /// No answer in time. The command may have been started; its channel is closed then.
    TimedOut,
    /// The session ended.
    SessionLost,
}

impl fmt::Display for ExecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExecError::NoChannel(said) if said.is_empty() => f.write_str("the server runs nothing here"),
            ExecError::NoChannel(said) => write!(f, "the server runs nothing here: {said}"),
            ExecError::NotStarted => f.write_str("the server would not start the command"),
            ExecError::NoAgent => f.write_str("the server lets no command use your agent"),
            ExecError::OtherAgent => f.write_str("another command there uses another agent of yours"),
            ExecError::TimedOut => f.write_str("no answer in time"),
            ExecError::SessionLost => f.write_str("the session was lost"),
        }
    }
}

impl From<Unanswered> for ExecError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::TimedOut => ExecError::TimedOut,
            Unanswered::SessionLost => ExecError::SessionLost,
        }
    }
}

impl Session {
    /// Runs a command on the server. A server that forces another command (`ForceCommand`, or
    /// `command=` beside the key) runs that one, and does not say so.
    ///
    /// Once `within` has passed, or the future is dropped, the channel is closed: a command that is started later
    /// loses it at once.
    ///
    /// # Errors
    /// What stood in the way.
    pub async fn exec(&self, command: &str, within: Duration) -> Result<Process, ExecError> {
        self.run(command, None, within).await
    }

    /// As [`Session::exec`], and the command may use the agent at this socket while it runs.
    ///
    /// # Errors
    /// As there, and when the server does not pass on agents.
    pub async fn exec_with_agent(
        &self,
        command: &str,
        socket: &Path,
        within: Duration,
    ) -> Result<Process, ExecError> {
        let binding = self.handle().agent_session_binding().cloned();
        let terms = Terms::new(socket.to_owned(), binding, self.channels());
        self.run(command, Some(terms), within).await
    }

    async fn run(&self, command: &str, terms: Option<Terms>, within: Duration) -> Result<Process, ExecError> {
        let deadline = Instant::now() + within;
        let (handle, notes, channels) = (self.handle(), self.notes(), self.channels());
        let member = channels.join();
        let opening = async move {
            match handle.channel_open_session().await {
                Ok(channel) => Ok(channels.take(channel, member)),
                Err(russh::Error::ChannelOpenFailure(reason)) => {
                    Err(ExecError::NoChannel(words_of(&notes, &reason).await))
                }
                Err(_) => Err(ExecError::SessionLost),
            }
        };
        let channel = self.ask(within, opening).await??;
        // Not in a task of its own: nothing is lent, and no channel stays, once the caller has given up.
        let loan = match terms {
            Some(terms) => Some(self.lending().lend(terms).ok_or(ExecError::OtherAgent)?),
            None => None,
        };
        let starting = tokio::time::timeout_at(deadline, start(channel, command, loan));
        starting.await.unwrap_or(Err(ExecError::TimedOut))
    }
}

/// Asks for the command and waits for the answer. What the command says before that counts.
async fn start(channel: Channel, command: &str, loan: Option<Loan>) -> Result<Process, ExecError> {
    let (mut reader, writer, closer) = channel.split();
    if loan.is_some() {
        writer.lend_agent().await.map_err(|_| ExecError::SessionLost)?;
        loop {
            match reader.message().await {
                Message::About(ChannelMsg::Success) => break,
                Message::About(ChannelMsg::Failure) | Message::Stream(Received::Closed) => {
                    return Err(ExecError::NoAgent);
                }
                Message::Stream(Received::Broken) => return Err(ExecError::SessionLost),
                Message::Stream(_) | Message::About(_) => {}
            }
        }
    }
    writer.run(command).await.map_err(|_| ExecError::SessionLost)?;
    let shelf = Shelf::default();
    loop {
        match reader.message().await {
            Message::About(ChannelMsg::Success) => {
                return Ok(Process::start(reader, writer, closer, shelf, loan));
            }
            Message::About(ChannelMsg::Failure) | Message::Stream(Received::Closed) => {
                return Err(ExecError::NotStarted);
            }
            Message::Stream(Received::Broken) => return Err(ExecError::SessionLost),
            Message::Stream(Received::Data(bytes)) => shelf.put(Source::Stdout, &bytes),
            Message::About(ChannelMsg::ExtendedData { ext: STDERR, data }) => {
                shelf.put(Source::Stderr, &data)
            }
            Message::Stream(Received::End) | Message::About(_) => {}
        }
    }
}
