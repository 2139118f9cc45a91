//! A channel of a session: one forwarded stream, on its way to a target that the server dialled or
//! from a client that came to it (RFC 4254, sections 5 and 7).
//!
//! Knows when a stream ended and when it only broke; never lets a writer wait for a peer that is
//! gone, and always closes what it opened.

use std::sync::Arc;

use bytes::Bytes;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::AsyncWrite;
use tokio_util::sync::CancellationToken;

use super::config::WINDOW;
use super::crowd::{Crowd, Member};
use super::nudge::{Nudge, Nudging};
use super::wire::WireHandle;

/// What every channel of one session needs of it.
#[derive(Clone)]
pub(super) struct Channels {
    crowd: Crowd,
    nudge: Nudge,
    wire: WireHandle,
}

impl Channels {
    pub fn new(crowd: Crowd, nudge: Nudge, wire: WireHandle) -> Self {
        Channels { crowd, nudge, wire }
    }

    /// Counts one more channel, from before it is open.
    pub fn join(&self) -> Member {
        let member = self.crowd.join();
        self.wire.gauge.set_ceiling(ceiling(self.crowd.len()));
        member
    }

    /// Takes a channel that russh opened.
    pub fn take(&self, channel: russh::Channel<Msg>, member: Member) -> Channel {
        Channel::new(channel, member, self.nudge.clone(), self.wire.ended.clone())
    }

    /// Fires when the session has ended.
    pub fn ended(&self) -> &CancellationToken {
        &self.wire.ended
    }
}

/// The most that a peer can have in flight: each channel's window, and some for messages.
pub(super) fn ceiling(channels: usize) -> usize {
    const SLACK: usize = 8;
    (channels + SLACK) * WINDOW as usize
}

/// An open channel. Dropping it, or all of its parts, closes it at the server.
pub struct Channel {
    reader: ChannelReader,
    writer: ChannelWriter,
    closer: Closer,
}

/// The inbound half.
pub struct ChannelReader {
    half: ChannelReadHalf,
    /// Fires when the peer closed the channel or the session broke; writers race against it.
    gone: CancellationToken,
    closed: bool,
}

/// The outbound half.
pub struct ChannelWriter {
    half: Arc<ChannelWriteHalf<Msg>>,
    gone: CancellationToken,
    nudge: Nudge,
}

/// Closes the channel at the server when dropped: russh's own halves send nothing when they go.
pub struct Closer {
    half: Arc<ChannelWriteHalf<Msg>>,
    member: Member,
    /// Fires with the session; nothing needs closing after that.
    ended: CancellationToken,
}

/// What came in.
#[derive(Debug)]
pub enum Received {
    /// Bytes, in order.
    Data(Bytes),
    /// The peer sent everything it had; it may still read.
    End,
    /// The peer closed the channel in both directions.
    Closed,
    /// The session broke: what came so far may be cut short.
    Broken,
}

/// What came in, where a program runs at the other end.
pub(super) enum Message {
    /// Part of the stream.
    Stream(Received),
    /// What the protocol says about it.
    About(ChannelMsg),
}

/// The peer closed the channel, or the session broke: nothing can be sent any more.
#[derive(Debug)]
pub struct Gone;

impl Channel {
    fn new(channel: russh::Channel<Msg>, member: Member, nudge: Nudge, ended: CancellationToken) -> Self {
        let (read, write) = channel.split();
        let (half, gone) = (Arc::new(write), CancellationToken::new());
        Channel {
            reader: ChannelReader { half: read, gone: gone.clone(), closed: false },
            writer: ChannelWriter { half: half.clone(), gone, nudge },
            closer: Closer { half, member, ended },
        }
    }

    /// The three parts; the channel is closed when the [`Closer`] goes.
    pub fn split(self) -> (ChannelReader, ChannelWriter, Closer) {
        (self.reader, self.writer, self.closer)
    }

    /// The streams of its session.
    pub fn crowd(&self) -> Crowd {
        self.closer.member.crowd()
    }

    /// Fires when its session has ended.
    pub fn over(&self) -> CancellationToken {
        self.closer.ended.clone()
    }

    /// A byte stream into the channel. It may wait for ever on a channel whose peer is gone: only
    /// for use below a [`super::wire::Wire`], which is cut then.
    pub(super) fn stream_writer(&self) -> impl AsyncWrite + Send + 'static {
        Nudging::new(self.writer.half.make_writer(), self.writer.nudge.clone())
    }

    pub(super) fn into_reader(self) -> (ChannelReader, Closer) {
        (self.reader, self.closer)
    }
}

impl ChannelReader {
    /// What comes next. Must be called without long pauses: an unread channel stops its whole
    /// session.
    ///
    /// Cancel safe: what is not returned is not lost.
    pub async fn receive(&mut self) -> Received {
        loop {
            if let Message::Stream(received) = self.message().await {
                return received;
            }
        }
    }

    /// What comes next, also what is not part of the stream. As for [`ChannelReader::receive`].
    pub(super) async fn message(&mut self) -> Message {
        Message::Stream(match self.half.wait().await {
            Some(ChannelMsg::Data { data }) => Received::Data(data),
            Some(ChannelMsg::Eof) => Received::End,
            Some(ChannelMsg::Close) => {
                self.closed = true;
                self.gone.cancel();
                Received::Closed
            }
            Some(other) => return Message::About(other),
            None => {
                self.gone.cancel();
                if self.closed { Received::Closed } else { Received::Broken }
            }
        })
    }

    /// Reads and forgets until the channel is closed, so that its session can forget it too.
    pub async fn drain(&mut self) {
        while !matches!(self.receive().await, Received::Closed | Received::Broken) {}
    }
}

impl ChannelWriter {
    /// Sends the bytes, waiting for the peer's window.
    ///
    /// # Errors
    /// [`Gone`] when the channel or the session ended first; how much the peer took is unknown then.
    pub async fn send(&self, bytes: Bytes) -> Result<(), Gone> {
        tokio::select! {
            biased;
            // A write to a channel that the peer closed is swallowed or waits for ever.
            () = self.gone.cancelled() => Err(Gone),
            sent = self.half.data_bytes(bytes) => sent.map_err(|_| Gone),
            () = self.nudge.while_waiting() => Err(Gone),
        }
    }

    /// Says that nothing more will be sent; the peer may go on sending.
    ///
    /// # Errors
    /// [`Gone`] as for [`ChannelWriter::send`].
    pub async fn end(&self) -> Result<(), Gone> {
        tokio::select! {
            biased;
            () = self.gone.cancelled() => Err(Gone),
            sent = self.half.eof() => sent.map_err(|_| Gone),
        }
    }

    /// Asks the server to run a command here (RFC 4254, section 6.5); its answer comes as a message.
    pub(super) async fn run(&self, command: &str) -> Result<(), Gone> {
        self.half.exec(true, command).await.map_err(|_| Gone)
    }

    /// Asks the server to let what runs here use an agent of ours; its answer comes as a message.
    pub(super) async fn lend_agent(&self) -> Result<(), Gone> {
        self.half.agent_forward(true).await.map_err(|_| Gone)
    }

    /// Resolves when nothing can be sent any more.
    pub async fn gone(&self) {
        self.gone.cancelled().await;
    }
}

impl Drop for Closer {
    fn drop(&mut self) {
        let (half, ended) = (self.half.clone(), self.ended.clone());
        // Without a runtime the process is on its way out, and the session with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::select! {
                    _ = half.close() => {}
                    () = ended.cancelled() => {}
                }
            });
        }
    }
}
