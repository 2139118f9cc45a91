//! The wire below an SSH server of the lab: always drained, and cut when the lab ends.
//!
//! russh's session loop does not read while it writes. Two such loops on one wire, both writing into
//! a full buffer, wait for each other for ever. So a task takes what the peer sends whether or not
//! the server reads; then the peer's writes always end, and it comes back to reading ours. What piles
//! up is bounded by the channel windows, because a server that does not read grants none.
//!
//! Never looks into the bytes.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// The most that may wait for a server: over a hundred full channel windows. A peer that exceeds it
/// ignores the windows and loses the connection.
const CEILING: usize = 256 * 1024 * 1024;

/// Bytes taken from the wire at a time.
const READ: usize = 64 * 1024;

/// One end of a wire, for `russh::server::run_stream`.
pub(super) struct Transport {
    inbound: mpsc::UnboundedReceiver<Bytes>,
    current: Bytes,
    waiting: Arc<AtomicUsize>,
    outbound: WriteHalf<DuplexStream>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Transport {
    /// Starts draining.
    pub(super) fn new(wire: DuplexStream, closing: CancellationToken) -> Self {
        let (read, outbound) = tokio::io::split(wire);
        let (queue, inbound) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let cut = Box::pin(closing.clone().cancelled_owned());
        tokio::spawn(closing.run_until_cancelled_owned(drain(read, queue, waiting.clone())));
        Transport { inbound, current: Bytes::new(), waiting, outbound, cut }
    }

    /// Both directions are polled by the one session task, so one registered waker is enough.
    fn is_cut(&mut self, cx: &mut Context<'_>) -> bool {
        self.cut.as_mut().poll(cx).is_ready()
    }
}

async fn drain(
    mut read: ReadHalf<DuplexStream>,
    queue: mpsc::UnboundedSender<Bytes>,
    waiting: Arc<AtomicUsize>,
) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(READ);
        match read.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(length) => {
                let before = waiting.fetch_add(length, Ordering::Relaxed);
                if before + length > CEILING {
                    tracing::warn!(waiting = before, "a client of the lab ignores its windows");
                    return;
                }
                if queue.send(buffer.split().freeze()).is_err() {
                    return;
                }
            }
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_cut(cx) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if self.current.is_empty() {
            match ready!(self.inbound.poll_recv(cx)) {
                Some(bytes) => self.current = bytes,
                None => return Poll::Ready(Ok(())),
            }
        }
        let length = buf.remaining().min(self.current.len());
        buf.put_slice(&self.current[..length]);
        self.current.advance(length);
        self.waiting.fetch_sub(length, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_cut(cx) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Pin::new(&mut self.outbound).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.outbound).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.outbound).poll_shutdown(cx)
    }
}
