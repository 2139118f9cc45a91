//! The person's agent, lent to the commands that one session's server runs for us (auth-agent-req@openssh.com): which
//! channels to it were asked for, and the way between each and the agent. Without a loan there is none.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use russh::ChannelOpenFailure;
use russh::client::{ChannelOpenHandle, Msg};
use russh::keys::agent::AgentSessionBinding;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::agent;
use super::channel::{Channel, Channels, Received};

/// How many channels to the agent one session may have open.
const OPEN: usize = 16;
/// How many pieces of what a server asks the agent may wait for it; a server that sends more than that unanswered is
/// cut off, since nobody else on the session must wait for the agent.
const UNREAD: usize = 16;

/// What one session lends its server.
#[derive(Clone, Default)]
pub(super) struct Lending(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    loans: usize,
    terms: Option<Terms>,
}

/// What is lent.
#[derive(Clone)]
pub(super) struct Terms {
    /// The agent's socket.
    pub socket: PathBuf,
    /// The session that the agent is told of: what it signs then is for hosts behind this one.
    pub binding: Option<AgentSessionBinding>,
    /// What each channel needs of the session.
    pub channels: Channels,
    over: CancellationToken,
    room: Arc<Semaphore>,
}

/// A loan to one command. What is open to the agent closes with the last one.
pub struct Loan(Lending);

impl Terms {
    /// Lends this agent.
    pub fn new(socket: PathBuf, binding: Option<AgentSessionBinding>, channels: Channels) -> Self {
        let (over, room) = (CancellationToken::new(), Arc::new(Semaphore::new(OPEN)));
        Terms { socket, binding, channels, over, room }
    }
}

impl Lending {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lends until the loan is dropped. A server's channel does not say which command it is for, so all loans of a session
    /// are of one agent; `None` where another one is lent already.
    pub fn lend(&self, terms: Terms) -> Option<Loan> {
        let mut state = self.state();
        if state.terms.as_ref().is_some_and(|lent| lent.socket != terms.socket) {
            return None;
        }
        state.loans += 1;
        state.terms.get_or_insert(terms);
        Some(Loan(self.clone()))
    }

    /// Leads a channel that the server opened to the agent, in a task of its own.
    ///
    /// # Errors
    /// Gives the answer back when nothing is lent.
    pub fn open(
        &self,
        channel: russh::Channel<Msg>,
        reply: ChannelOpenHandle,
    ) -> Result<(), ChannelOpenHandle> {
        let Some(terms) = self.state().terms.clone() else { return Err(reply) };
        let Ok(room) = terms.room.clone().try_acquire_owned() else { return Err(reply) };
        tokio::spawn(async move {
            let over = terms.over.clone();
            over.run_until_cancelled_owned(terms.lead(channel, reply, room)).await;
        });
        Ok(())
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.loans -= 1;
        if state.loans == 0
            && let Some(terms) = state.terms.take()
        {
            terms.over.cancel();
        }
    }
}

impl Terms {
    async fn lead(self, channel: russh::Channel<Msg>, reply: ChannelOpenHandle, _room: OwnedSemaphorePermit) {
        match agent::connect_for_others(&self.socket, self.binding.as_ref()).await {
            Ok(agent) => {
                tracing::info!("the server uses the agent");
                let member = self.channels.join();
                reply.accept().await;
                join(self.channels.take(channel, member), agent).await;
            }
            Err(error) => {
                tracing::warn!(error, "the server wants the agent, which cannot be reached");
                reply.reject(ChannelOpenFailure::ConnectFailed).await;
            }
        }
    }
}

/// Carries what is said between the two until either ends.
async fn join(channel: Channel, agent: UnixStream) {
    let (mut reader, writer, _closer) = channel.split();
    let (mut said, mut asks) = agent.into_split();
    let (queue, mut asked) = mpsc::channel::<Bytes>(UNREAD);
    let asking = async {
        while let Some(bytes) = asked.recv().await {
            if asks.write_all(&bytes).await.is_err() {
                return;
            }
        }
        // It may still answer what it was asked before.
        let _ = asks.shutdown().await;
    };
    let answering = async {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(length @ 1..) = said.read(&mut buffer).await {
            if writer.send(Bytes::copy_from_slice(&buffer[..length])).await.is_err() {
                return;
            }
        }
        // Fails only when the channel is gone already.
        let _ = writer.end().await;
    };
    let hearing = async {
        let mut queue = Some(queue);
        loop {
            match reader.receive().await {
                Received::Data(bytes) => {
                    if queue.as_ref().is_some_and(|queue| queue.try_send(bytes).is_err()) {
                        return;
                    }
                }
                Received::End => queue = None,
                Received::Closed | Received::Broken => return,
            }
        }
    };
    tokio::select! {
        () = hearing => {}
        () = async { tokio::join!(asking, answering); } => {}
    }
}
