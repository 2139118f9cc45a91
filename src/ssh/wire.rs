//! The transport of a session: any byte stream, drained eagerly and cut at will.
//!
//! russh reads nothing while it writes, so two sessions stacked plainly wait for each other for
//! ever. A [`Wire`] breaks the circle: a task of its own always takes what arrives, whether or not
//! the session reads. What it holds is bounded, because a session that does not read grants no
//! windows. A wire never interprets a byte.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

use super::ByteStream;
use super::channel::{Channel, Received};
use super::gauge::{Gauge, TooMuch};
use super::socket::{self, READ_SIZE};

/// One end of a transport, as russh sees it: reads never wait for anything but bytes. When the wire is
/// cut, writes fail at once, and reads after the last bytes that came.
pub struct Wire {
    incoming: UnboundedReceiver<Bytes>,
    current: Bytes,
    outgoing: Pin<Box<dyn AsyncWrite + Send>>,
    /// Woken by a cut while russh waits in a read, or in a write.
    cut: [Pin<Box<WaitForCancellationFutureOwned>>; 2],
    gauge: Arc<Gauge>,
    /// Fires `ended` when russh drops the wire: the one reliable sign that a session is over.
    _ended: DropGuard,
}

/// What the owner of a session keeps of its wire.
#[derive(Clone)]
pub struct WireHandle {
    /// Cancel it, and the session's reads and writes fail.
    pub cut: CancellationToken,
    /// Fires once the session has let go of the wire.
    pub ended: CancellationToken,
    /// What is known of the traffic.
    pub gauge: Arc<Gauge>,
    /// The machine at its other end, where local dialled that over a real network.
    pub peer: Option<IpAddr>,
}

/// Where a wire's reading task puts what it reads.
struct Intake {
    queue: UnboundedSender<Bytes>,
    gauge: Arc<Gauge>,
    cut: CancellationToken,
}

impl Intake {
    /// Takes what arrived. `false` once there is no more use in reading.
    fn take(&self, bytes: Bytes) -> bool {
        if let Err(TooMuch { queued, ceiling }) = self.gauge.came(&bytes) {
            tracing::error!(queued, ceiling, "the peer sends more than it was granted; cutting it off");
            self.cut.cancel();
            return false;
        }
        self.queue.send(bytes).is_ok()
    }

    /// The stream broke: nothing can be read or written any more.
    fn broke(&self) {
        self.cut.cancel();
    }
}

impl Wire {
    /// A wire over a real socket. A peer that leaves bytes unacknowledged for `patience` is dead.
    ///
    /// # Errors
    /// When the operating system refuses a socket option.
    pub fn over_tcp(stream: TcpStream, patience: Option<Duration>) -> io::Result<(Wire, WireHandle)> {
        match patience {
            Some(patience) => socket::prepare_base(&stream, patience)?,
            None => socket::prepare(&stream)?,
        }
        let (mut read, write) = stream.into_split();
        Ok(Self::start(Box::pin(write), |intake| async move {
            let mut buffer = BytesMut::new();
            loop {
                match socket::read_eagerly(&mut read, &mut buffer).await {
                    Ok(0) => return,
                    Ok(_) if intake.take(buffer.split().freeze()) => {}
                    Ok(_) => return,
                    Err(error) => {
                        tracing::debug!(%error, "the socket broke");
                        return intake.broke();
                    }
                }
            }
        }))
    }

    /// A wire over a channel of another session: one telescope tube inside the other.
    pub fn over_channel(channel: Channel) -> (Wire, WireHandle) {
        let writer = Box::pin(channel.stream_writer());
        let (mut reader, closer) = channel.into_reader();
        Self::start(writer, |intake| async move {
            let cut = intake.cut.clone();
            loop {
                match reader.receive().await {
                    Received::Data(bytes) => {
                        if !intake.take(bytes) {
                            break;
                        }
                    }
                    // The session reads the end after what is queued; only then may it be cut.
                    Received::End => break,
                    Received::Closed | Received::Broken => {
                        intake.broke();
                        break;
                    }
                }
            }
            drop(intake);
            reader.drain().await;
            cut.cancel();
            drop(closer);
        })
    }

    /// A wire over any other byte stream.
    pub fn over_stream(stream: Box<dyn ByteStream>) -> (Wire, WireHandle) {
        let (mut read, write) = tokio::io::split(stream);
        Self::start(Box::pin(write), |intake| async move {
            let mut buffer = BytesMut::new();
            loop {
                buffer.reserve(READ_SIZE);
                match read.read_buf(&mut buffer).await {
                    Ok(0) => return,
                    Ok(_) if intake.take(buffer.split().freeze()) => {}
                    Ok(_) => return,
                    Err(error) => {
                        tracing::debug!(%error, "the stream broke");
                        return intake.broke();
                    }
                }
            }
        })
    }

    fn start<F, T>(outgoing: Pin<Box<dyn AsyncWrite + Send>>, reading: F) -> (Wire, WireHandle)
    where
        F: FnOnce(Intake) -> T,
        T: Future<Output = ()> + Send + 'static,
    {
        let (queue, incoming) = unbounded_channel();
        let gauge = Arc::new(Gauge::new());
        let (cut, ended) = (CancellationToken::new(), CancellationToken::new());
        let task = reading(Intake { queue, gauge: gauge.clone(), cut: cut.clone() });
        let (stop, gone) = (cut.clone(), ended.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = task => {}
                () = stop.cancelled() => {}
                () = gone.cancelled() => {}
            }
        });
        let wire = Wire {
            incoming,
            current: Bytes::new(),
            outgoing,
            cut: [Box::pin(cut.clone().cancelled_owned()), Box::pin(cut.clone().cancelled_owned())],
            gauge: gauge.clone(),
            _ended: ended.clone().drop_guard(),
        };
        (wire, WireHandle { cut, ended, gauge, peer: None })
    }

    /// Fails once it is cut.
    fn uncut(&mut self, side: usize, context: &mut Context<'_>) -> io::Result<()> {
        match self.cut[side].as_mut().poll(context) {
            Poll::Ready(()) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the transport was cut")),
            Poll::Pending => Ok(()),
        }
    }
}

const READ: usize = 0;
const WRITE: usize = 1;

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.current.is_empty() {
            match self.incoming.poll_recv(context) {
                Poll::Ready(Some(bytes)) => self.current = bytes,
                nothing => {
                    self.uncut(READ, context)?;
                    return nothing.map(|_| Ok(()));
                }
            }
        }
        let n = self.current.len().min(buffer.remaining());
        buffer.put_slice(&self.current[..n]);
        self.current.advance(n);
        if self.current.is_empty() {
            // Lets go of the buffer behind it, so that the reading task can fill it again.
            self.current = Bytes::new();
        }
        self.gauge.read(n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.uncut(WRITE, context)?;
        self.outgoing.as_mut().poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.uncut(WRITE, context)?;
        self.outgoing.as_mut().poll_shutdown(context)
    }
}
