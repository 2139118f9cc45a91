//! The one seam: what local dials by TCP, in the real network or in the lab. Never speaks SSH.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::wire::{Wire, WireHandle};
use crate::topology::{Address, HostId};

/// Any two-way byte stream a session or a forward can ride.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> ByteStream for S {}

/// What a dial gives.
pub type Dialling<'a> = Pin<Box<dyn Future<Output = io::Result<Dialled>> + Send + 'a>>;

/// A stream that a dial opened.
pub enum Dialled {
    /// A real TCP connection, whose socket options can be set.
    Tcp(TcpStream),
    /// Anything else: the lab's in-memory streams.
    Memory(Box<dyn ByteStream>),
}

impl Wire {
    /// A wire over what local dialled; `patience` as for [`Wire::over_tcp`].
    ///
    /// # Errors
    /// When the operating system refuses a socket option.
    pub fn over_dialled(dialled: Dialled, patience: Option<Duration>) -> io::Result<(Wire, WireHandle)> {
        match dialled {
            Dialled::Tcp(stream) => {
                let peer = stream.peer_addr().ok().map(|peer| peer.ip());
                let (wire, handle) = Self::over_tcp(stream, patience)?;
                Ok((wire, WireHandle { peer, ..handle }))
            }
            Dialled::Memory(stream) => Ok(Self::over_stream(stream)),
        }
    }
}

/// Where the local machine's own dials go.
pub trait Network: Send + Sync + 'static {
    /// Opens TCP from local to `host` at `address`. `host` says whose rules apply; the real network
    /// only uses the address.
    ///
    /// # Errors
    /// As the operating system reports them: refused, unreachable, no such name.
    fn dial<'a>(&'a self, host: &'a HostId, address: &'a Address) -> Dialling<'a>;
}

/// The network of the machine hopper runs on.
pub struct RealNetwork;

impl Network for RealNetwork {
    fn dial<'a>(&'a self, _host: &'a HostId, address: &'a Address) -> Dialling<'a> {
        Box::pin(async move {
            let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
            Ok(Dialled::Tcp(stream))
        })
    }
}
