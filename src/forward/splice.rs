//! Joins a socket and a far end until both have said everything. Keeps half-close; a stream that
//! breaks ends in a reset, never in an end that could pass for a whole one.

use std::io::{self, IoSlice};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::budget::Held;
use super::dialer::Far;
use super::meter::Meter;
use crate::ssh::socket::{self, READ_SIZE};
use crate::ssh::{Channel, ChannelReader, ChannelWriter, Closer, Dialled, Received};

/// How many pieces are passed to a client in one write. A session hands out 32 KiB at a time; a write
/// for each would cost more than deciphering it.
const BATCH: usize = 16;

/// How a spliced stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Everything that either side sent has reached the other.
    Whole,
    /// The client went away without reading everything.
    Abandoned,
    /// The far end broke; what the client got may be cut short.
    Broken,
    /// The client was too slow for the memory there is, and others would have had to wait for it.
    TooSlow,
}

/// Joins the two until both directions are done. The caller resets the client's socket unless the
/// ending is [`Ending::Whole`].
pub(super) async fn splice(client: &mut TcpStream, far: Far, meter: &Meter, held: &Held) -> Ending {
    let (up, down) = (|n| meter.up(n), |n| meter.down(n));
    match far {
        Far::Channel(channel) => {
            let (from_client, to_client) = client.split();
            splice_channel(from_client, to_client, channel, (up, down), held).await
        }
        Far::Stream(Dialled::Tcp(far)) => {
            let (from_client, to_client) = client.split();
            with_socket(far, async |from_far, to_far| {
                splice_streams((from_client, to_client), (from_far, to_far), (up, down)).await
            })
            .await
        }
        Far::Stream(Dialled::Memory(far)) => {
            splice_streams(client.split(), tokio::io::split(far), (up, down)).await
        }
    }
}

/// Joins a stream and a channel. `counts` are told what went into the channel, and what came out.
pub(super) async fn splice_channel<R, W>(
    from_stream: R,
    to_stream: W,
    channel: Channel,
    counts: (impl Fn(usize), impl Fn(usize)),
    held: &Held,
) -> Ending
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (mut reader, writer, closer) = channel.split();
    let (ending, closed) = splice_halves(from_stream, to_stream, &mut reader, &writer, counts, held).await;
    if ending == Ending::Whole && !closed {
        last_word(reader, closer);
    }
    ending
}

/// Uses a socket that local dialled. It is reset when dropped, too, unless the stream was whole.
pub(super) async fn with_socket<F>(mut socket: TcpStream, splicing: F) -> Ending
where
    F: AsyncFnOnce(ReadHalf<'_>, WriteHalf<'_>) -> Ending,
{
    socket::reset_on_close(&socket);
    let (read, write) = socket.split();
    let ending = splicing(read, write).await;
    if ending == Ending::Whole {
        socket::end_on_close(&socket);
    }
    ending
}

/// Lets the server close a channel whose both sides have ended. Closing first would cost the session
/// a little memory for each stream: russh keeps what it closed until the server's close, and does not
/// see that one.
pub(super) fn last_word(mut reader: ChannelReader, closer: Closer) {
    tokio::spawn(async move {
        let _ = tokio::time::timeout(LAST_WORD, reader.drain()).await;
        drop(closer);
    });
}

/// How long a server may take to close a channel whose both sides have ended.
const LAST_WORD: Duration = Duration::from_secs(5);

/// Joins both halves. Tells also whether the peer has closed the channel.
async fn splice_halves<R, W>(
    mut from_stream: R,
    mut to_stream: W,
    reader: &mut ChannelReader,
    writer: &ChannelWriter,
    (sent, taken): (impl Fn(usize), impl Fn(usize)),
    held: &Held,
) -> (Ending, bool)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (set_aside, pending) = unbounded_channel();
    let upload = upload(&mut from_stream, writer, sent, held);
    let intake = intake(reader, set_aside, held);
    let output = output(pending, &mut to_stream, taken, held);
    tokio::pin!(upload, intake, output);
    let (mut uploaded, mut received, mut delivered) = (false, false, false);
    loop {
        let ended = tokio::select! {
            ended = &mut upload, if !uploaded => ended.map(|()| uploaded = true),
            ended = &mut intake, if !received => ended.map(|()| received = true),
            ended = &mut output, if !delivered => ended.map(|()| delivered = true),
            () = held.cut() => Err(Ending::TooSlow),
        };
        if let Err(ending) = ended {
            return (ending, received);
        }
        // Once the peer has closed, nothing can be sent any more: what the client still says is lost
        // to it just as on a direct connection.
        if delivered && (uploaded || received) {
            return (Ending::Whole, received);
        }
    }
}

/// Client to channel. Ends well at the client's end. Once nothing can be sent any more it waits: only
/// the inbound side knows whether the peer closed or the session broke.
async fn upload<R: AsyncRead + Unpin>(
    client: &mut R,
    writer: &ChannelWriter,
    sent: impl Fn(usize),
    held: &Held,
) -> Result<(), Ending> {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(READ_SIZE);
        let n = tokio::select! {
            read = client.read_buf(&mut buffer) => read.map_err(|_| Ending::Abandoned)?,
            () = writer.gone() => return std::future::pending().await,
        };
        let taken = match n {
            0 => writer.end().await,
            _ => held.while_sending(writer.send(buffer.split().freeze())).await,
        };
        if taken.is_err() {
            return std::future::pending().await;
        }
        sent(n);
        if n == 0 {
            return Ok(());
        }
    }
}

/// Channel to memory: always takes what comes, so that the session is never held up within the
/// budget. Ends well when the peer has closed; tells the client's side of the end before that.
pub(super) async fn intake(
    reader: &mut ChannelReader,
    set_aside: UnboundedSender<Bytes>,
    held: &Held,
) -> Result<(), Ending> {
    loop {
        match reader.receive().await {
            Received::Data(bytes) => {
                let n = bytes.len();
                // Nobody takes it any more: the client's side has ended, and says how.
                let _ = set_aside.send(bytes);
                held.add(n).await.map_err(|_| Ending::TooSlow)?;
            }
            Received::End => break,
            Received::Closed => return Ok(()),
            Received::Broken => return Err(Ending::Broken),
        }
    }
    drop(set_aside);
    loop {
        match reader.receive().await {
            Received::Closed => return Ok(()),
            Received::Broken => return Err(Ending::Broken),
            Received::Data(_) | Received::End => {}
        }
    }
}

/// Memory to client. Ends well once everything and the end have been passed on.
async fn output<W: AsyncWrite + Unpin>(
    mut pending: UnboundedReceiver<Bytes>,
    client: &mut W,
    taken: impl Fn(usize),
    held: &Held,
) -> Result<(), Ending> {
    let mut batch = Vec::with_capacity(BATCH);
    while pending.recv_many(&mut batch, BATCH).await > 0 {
        let mut slices: Vec<_> =
            batch.iter().filter(|bytes| !bytes.is_empty()).map(|bytes| IoSlice::new(bytes)).collect();
        let mut left = &mut slices[..];
        while !left.is_empty() {
            let n = client.write_vectored(left).await.map_err(|_| Ending::Abandoned)?;
            if n == 0 {
                return Err(Ending::Abandoned);
            }
            IoSlice::advance_slices(&mut left, n);
            taken(n);
        }
        held.remove(batch.drain(..).map(|bytes| bytes.len()).sum());
    }
    // A client that is gone by now has had everything all the same.
    let _ = client.shutdown().await;
    Ok(())
}

async fn splice_streams<R, W, S, T>(
    (mut from_client, mut to_client): (R, W),
    (mut from_far, mut to_far): (S, T),
    (up, down): (impl Fn(usize), impl Fn(usize)),
) -> Ending
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    S: AsyncRead + Unpin,
    T: AsyncWrite + Unpin,
{
    let up = copy(&mut from_client, &mut to_far, up);
    let down = copy(&mut from_far, &mut to_client, down);
    match tokio::try_join!(up, down) {
        Ok(_) => Ending::Whole,
        Err(_) => Ending::Broken,
    }
}

/// Copies one direction to its end and passes the end on.
async fn copy<R, W>(from: &mut R, to: &mut W, count: impl Fn(usize)) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(READ_SIZE);
        let n = from.read_buf(&mut buffer).await?;
        if n == 0 {
            return to.shutdown().await;
        }
        to.write_all_buf(&mut buffer).await?;
        count(n);
    }
}
