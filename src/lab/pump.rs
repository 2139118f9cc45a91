//! Joins a client's channel to a wire of the lab, or two wires, both ways, each way ending on its own
//! (RFC 4254 section 5.3). Delivers whole or breaks; never lets one slow reader hold up the session.
//!
//! russh hands channel data over inside the session loop, so a channel that nobody takes from stops
//! its whole session, the window messages included that would free it. Hence the queue here: it is
//! emptied into the wire at the wire's pace and filled without waiting. The server re-opens a
//! channel's window on receipt, so the window alone does not bound the queue; [`BUDGET`] does.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What one channel may have waiting for its wire before it is reset.
const BUDGET: usize = 64 * 1024 * 1024;

/// Bytes read from the wire at a time: one SSH packet.
const READ: usize = 32 * 1024;

/// Runs until both ways have ended and the channel is closed, or the session broke.
pub(super) async fn join(channel: Channel<Msg>, wire: DuplexStream) {
    let (from_client, to_client) = channel.split();
    let (from_wire, to_wire) = tokio::io::split(wire);
    let (queue, queued) = mpsc::unbounded_channel();
    let waiting = AtomicUsize::new(0);
    let gone = CancellationToken::new();

    let receive = receive(from_client, queue, &waiting);
    let carry = async {
        tokio::join!(feed(queued, to_wire, &waiting), answer(from_wire, &to_client, &gone));
        // After a close of the client russh has closed our side already.
        if !gone.is_cancelled() {
            close(&to_client).await;
        }
    };
    tokio::pin!(receive, carry);
    tokio::select! {
        end = &mut receive => match end {
            End::Closed => {
                gone.cancel();
                carry.await;
            }
            End::Overrun => close(&to_client).await,
            End::Broken => {}
        },
        // russh forgets a channel that we close, so the client's own close is never heard here.
        () = &mut carry => {}
    }
}

/// Joins two wires until both ways have ended.
pub(super) async fn bridge(one: DuplexStream, other: DuplexStream) {
    let (from_one, to_one) = tokio::io::split(one);
    let (from_other, to_other) = tokio::io::split(other);
    tokio::join!(copy(from_one, to_other), copy(from_other, to_one));
}

async fn copy(mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>) {
    let copied = async {
        tokio::io::copy(&mut from, &mut to).await?;
        to.shutdown().await
    };
    if let Err(error) = copied.await {
        tracing::debug!(%error, "one end of a bridge of the lab was gone before the other's last word");
    }
}

/// How a client's side of a channel ended.
enum End {
    /// The client closed the channel: what it sent before still counts.
    Closed,
    /// The session is gone.
    Broken,
    /// More is waiting than the budget allows.
    Overrun,
}

async fn receive(
    mut from_client: ChannelReadHalf,
    queue: mpsc::UnboundedSender<Bytes>,
    waiting: &AtomicUsize,
) -> End {
    let mut queue = Some(queue);
    loop {
        match from_client.wait().await {
            Some(ChannelMsg::Data { data }) => {
                let Some(queue) = &queue else { continue };
                let length = data.len();
                // A wire that takes no more has dropped its end of the queue; the rest is thrown away.
                if queue.send(data).is_ok() && waiting.fetch_add(length, Ordering::Relaxed) > BUDGET {
                    tracing::warn!("a channel of the lab was reset: its far end reads too slowly");
                    return End::Overrun;
                }
            }
            Some(ChannelMsg::Eof) => queue = None,
            Some(ChannelMsg::Close) => return End::Closed,
            None => return End::Broken,
            Some(_) => {}
        }
    }
}

async fn feed(
    mut queued: mpsc::UnboundedReceiver<Bytes>,
    mut to_wire: WriteHalf<DuplexStream>,
    waiting: &AtomicUsize,
) {
    while let Some(bytes) = queued.recv().await {
        if to_wire.write_all(&bytes).await.is_err() {
            return;
        }
        waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
    }
    if let Err(error) = to_wire.shutdown().await {
        tracing::debug!(%error, "the far end was gone before the client's last word");
    }
}

/// Sends what the wire says; after the client has closed, still takes it, so that the far end can
/// finish.
async fn answer(
    mut from_wire: ReadHalf<DuplexStream>,
    to_client: &ChannelWriteHalf<Msg>,
    gone: &CancellationToken,
) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(READ);
        let ended = !matches!(from_wire.read_buf(&mut buffer).await, Ok(length) if length > 0);
        let bytes = buffer.split().freeze();
        // A write to a channel that the client closed would wait for its window for ever.
        let sent = gone.run_until_cancelled(async {
            if ended { to_client.eof().await } else { to_client.data_bytes(bytes).await }
        });
        if sent.await.is_some_and(|sent| sent.is_err()) || ended {
            return;
        }
    }
}

async fn close(to_client: &ChannelWriteHalf<Msg>) {
    if let Err(error) = to_client.close().await {
        tracing::debug!(%error, "the session ended before its channel");
    }
}
