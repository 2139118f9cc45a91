//! A command that runs on a session's server: what it says, what it is told, how it ends. Never holds
//! up its session, whoever reads or does not; never takes a lost session for an end.

use std::sync::Arc;

use bytes::Bytes;
use russh::{ChannelMsg, Sig};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::channel::{ChannelReader, ChannelWriter, Closer, Gone, Message, Received};
use super::lending::Loan;
use super::shelf::{Said, Shelf, Source};
use crate::topology::escape;

/// A command on a server. Dropping it closes its channel. That takes its input and its readers away,
/// and OpenSSH does no more than that to a command without a terminal: one that neither reads nor
/// writes runs on. Signals are no help: OpenSSH passes them on only to a person other than root, and
/// not to a command that its settings force.
pub struct Process {
    shelf: Arc<Shelf>,
    writer: ChannelWriter,
    exit: watch::Receiver<Option<Exit>>,
    _closer: Closer,
    /// The agent, while the command may use it.
    _loan: Option<Loan>,
    /// Ends the task that listens: nobody tells it that we closed.
    _listening: DropGuard,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Status(u32),
    /// By a signal: its name without `SIG`, and the server's words; both escaped.
    Signal {
        /// `TERM`, `KILL` …
        name: String,
        /// What the server says about it; mostly nothing.
        words: String,
    },
    /// The server closed the channel and did not say how it ended.
    Unsaid,
    /// The session was lost: whether and how it ended is not known, and what it said may be cut short.
    Lost,
}

impl Process {
    /// Takes a channel on which the server has started a command.
    pub(super) fn start(
        reader: ChannelReader,
        writer: ChannelWriter,
        closer: Closer,
        shelf: Shelf,
        loan: Option<Loan>,
    ) -> Self {
        let shelf = Arc::new(shelf);
        let (tell, exit) = watch::channel(None);
        let listening = CancellationToken::new();
        let (kept, stop) = (shelf.clone(), listening.clone());
        tokio::spawn(async move {
            // Called off only when the process was dropped: nobody is left to tell.
            if let Some(exit) = stop.run_until_cancelled_owned(listen(reader, &kept)).await {
                kept.end();
                tell.send_replace(Some(exit));
            }
        });
        Process { shelf, writer, exit, _closer: closer, _loan: loan, _listening: listening.drop_guard() }
    }

    /// What it said and nobody has heard yet, of either stream, as it comes; of what nobody hears the
    /// latest is kept. `None` once it has ended and all was heard.
    ///
    /// Cancel safe: what is not returned is not lost.
    pub async fn hear(&self) -> Option<Said> {
        self.shelf.hear().await
    }

    /// As [`Process::hear`], line by line.
    pub async fn line(&self) -> Option<Said> {
        self.shelf.line().await
    }

    /// Says something to its standard input, waiting for it to be read.
    ///
    /// # Errors
    /// [`Gone`] when it ended, or the session did.
    pub async fn say(&self, bytes: Bytes) -> Result<(), Gone> {
        self.writer.send(bytes).await
    }

    /// Ends its standard input.
    ///
    /// # Errors
    /// [`Gone`] as for [`Process::say`].
    pub async fn end_input(&self) -> Result<(), Gone> {
        self.writer.end().await
    }

    /// Waits for its end: until the server has said everything and closed the channel. A program that
    /// it left behind with its output keeps that open.
    ///
    /// Cancel safe, and answers as often as it is asked.
    pub async fn ended(&self) -> Exit {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await;
        ended.ok().and_then(|exit| exit.clone()).unwrap_or(Exit::Lost)
    }
}

/// Puts what comes on the shelf until the channel is closed.
async fn listen(mut reader: ChannelReader, shelf: &Shelf) -> Exit {
    let mut exit = Exit::Unsaid;
    loop {
        match reader.message().await {
            Message::Stream(Received::Data(bytes)) => shelf.put(Source::Stdout, &bytes),
            Message::Stream(Received::End) => {}
            Message::Stream(Received::Closed) => return exit,
            Message::Stream(Received::Broken) => return Exit::Lost,
            Message::About(about) => match about {
                ChannelMsg::ExtendedData { ext: STDERR, data } => shelf.put(Source::Stderr, &data),
                ChannelMsg::ExitStatus { exit_status } => exit = Exit::Status(exit_status),
                ChannelMsg::ExitSignal { signal_name, error_message, .. } => {
                    exit = Exit::Signal { name: name(&signal_name), words: escape(&error_message) };
                }
                _ => {}
            },
        }
    }
}

/// The only kind of extended data that there is (RFC 4254, section 5.2).
pub(super) const STDERR: u32 = 1;

fn name(signal: &Sig) -> String {
    match signal {
        Sig::Custom(name) => escape(name),
        known => format!("{known:?}"),
    }
}
