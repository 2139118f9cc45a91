//! The options of the one real socket a chain stands on, and how its bytes are read. Knows TCP,
//! nothing of SSH.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use rustix::io::Errno;
use rustix::net::sockopt;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

/// How much is read from a client, or from a stream in memory, at a time.
pub const READ_SIZE: usize = 64 * 1024;

/// How much is read at most at a time from the socket that carries a chain.
const CHAIN_READ_SIZE: usize = 128 * 1024;

/// How long whoever needs a descriptor waits, when there is none, before it tries again.
pub const SHORTAGE: Duration = Duration::from_millis(100);

/// Whether this process, or the machine, has no descriptor left.
pub fn is_shortage(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

/// Prepares a socket for interactive, long-lived use: no Nagle delay, and a peer that is gone is
/// noticed even when nothing is sent. A peer that merely does not read keeps its connection.
///
/// # Errors
/// When the operating system refuses an option.
pub fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let probes = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(10))
        .with_retries(6);
    SockRef::from(stream).set_tcp_keepalive(&probes)
}

/// Prepares the socket that a chain stands on: as [`prepare`], and bytes that nobody acknowledged for
/// `patience` mean a dead peer. The kernel's own patience is about a quarter of an hour.
///
/// An SSH server reads whatever comes; for any other peer this would take one that pauses for dead.
///
/// # Errors
/// When the operating system refuses an option.
pub fn prepare_base(stream: &TcpStream, patience: Duration) -> io::Result<()> {
    prepare(stream)?;
    let milliseconds = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
    sockopt::set_tcp_user_timeout(stream, milliseconds).map_err(io::Error::from)
}

/// Makes the next close of the socket a reset: what was cut must never look like a whole stream.
pub fn reset_on_close(stream: &TcpStream) {
    if let Err(error) = SockRef::from(stream).set_linger(Some(Duration::ZERO)) {
        tracing::debug!(%error, "the socket is gone already");
    }
}

/// Makes the next close of the socket an ordinary one again: everything was said.
pub fn end_on_close(stream: &TcpStream) {
    if let Err(error) = SockRef::from(stream).set_linger(None) {
        tracing::debug!(%error, "the socket is gone already");
    }
}

/// Reads what has arrived, at least one byte, into `buffer`; 0 means the peer ended its side.
///
/// Acknowledges at once when that was all: the servers in between hold back small packets until the
/// last one is acknowledged, and a delayed acknowledgement would cost 40 ms each time.
///
/// # Errors
/// As the operating system reports them.
pub async fn read_eagerly(half: &mut OwnedReadHalf, buffer: &mut BytesMut) -> io::Result<usize> {
    // What is left of a buffer is filled first: many small pieces must not each keep a large one alive.
    if buffer.capacity() - buffer.len() < READ_SIZE {
        buffer.reserve(CHAIN_READ_SIZE);
    }
    let n = half.read_buf(buffer).await?;
    if buffer.len() < buffer.capacity() {
        // Fails only when the connection is gone, which the next read reports.
        let _ = sockopt::set_tcp_quickack(half.as_ref(), true);
    }
    Ok(n)
}
