//! Who dials the far end of a forward: a session's server, or local itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::lanes::Lanes;
use crate::ssh::{ByteStream, Channel, Crowd, DialError, Dialled, Network, socket};
use crate::topology::{Endpoint, HostId, escape};

/// Opens the far end of a forward, once for each client.
#[derive(Clone)]
pub enum Dialer {
    /// The server of a session dials.
    Session {
        /// The session, and others to the same server.
        lanes: Lanes,
        /// What it dials.
        target: Endpoint,
    },
    /// Local dials by itself.
    Local {
        /// The network it dials in.
        network: Arc<dyn Network>,
        /// The host it dials.
        host: HostId,
        /// Where.
        target: Endpoint,
    },
}

/// An open far end.
pub enum Far {
    /// A channel of a session.
    Channel(Channel),
    /// A stream that local opened.
    Stream(Dialled),
}

impl Dialer {
    /// Opens the far end for a client at `originator`.
    ///
    /// # Errors
    /// What stood in the way.
    pub async fn dial(&self, originator: Option<SocketAddr>, within: Duration) -> Result<Far, DialError> {
        match self {
            Dialer::Session { lanes, target } => {
                let started = Instant::now();
                let (session, _place) = lanes.pick(within).await;
                let left = within.saturating_sub(started.elapsed());
                session.dial(target, originator, left).await.map(Far::Channel)
            }
            Dialer::Local { network, host, target } => {
                let dialling = async {
                    loop {
                        let dialled = match target {
                            Endpoint::Tcp(address) => network.dial(host, address).await,
                            Endpoint::Unix(path) => UnixStream::connect(path)
                                .await
                                .map(|stream| Dialled::Memory(Box::new(stream))),
                        };
                        match dialled {
                            // A client that came over a channel waits where it is.
                            Err(error) if socket::is_shortage(&error) => {
                                tracing::info!("no descriptor is left: a client waits for one");
                                tokio::time::sleep(socket::SHORTAGE).await;
                            }
                            dialled => break dialled,
                        }
                    }
                };
                match tokio::time::timeout(within, dialling).await {
                    Err(_) => Err(DialError::TimedOut),
                    Ok(Err(error)) => Err(DialError::Failed(escape(&error.to_string()))),
                    Ok(Ok(stream)) => {
                        if let Dialled::Tcp(stream) = &stream
                            && let Err(error) = socket::prepare(stream)
                        {
                            return Err(DialError::Failed(error.to_string()));
                        }
                        Ok(Far::Stream(stream))
                    }
                }
            }
        }
    }

    /// Whether it will never open another far end, since its session has ended.
    pub fn is_over(&self) -> bool {
        match self {
            Dialer::Session { lanes, .. } => lanes.is_over(),
            Dialer::Local { .. } => false,
        }
    }
}

impl Far {
    /// The streams that share its session; what local dialled shares nothing.
    pub(super) fn crowd(&self) -> Crowd {
        match self {
            Far::Channel(channel) => channel.crowd(),
            Far::Stream(_) => Crowd::default(),
        }
    }

    /// Fires when its session has ended; never for what local dialled.
    pub(super) fn over(&self) -> CancellationToken {
        match self {
            Far::Channel(channel) => channel.over(),
            Far::Stream(_) => CancellationToken::new(),
        }
    }

    /// As a plain byte stream, for a short exchange.
    pub(super) fn into_talk(self) -> Talk {
        match self {
            Far::Channel(channel) => Talk::Channel(channel.split()),
            Far::Stream(Dialled::Tcp(stream)) => Talk::Stream(Box::new(stream)),
            Far::Stream(Dialled::Memory(stream)) => Talk::Stream(stream),
        }
    }
}

/// A short exchange with the far end: say something, hear something.
pub(super) enum Talk {
    Channel((crate::ssh::ChannelReader, crate::ssh::ChannelWriter, crate::ssh::Closer)),
    Stream(Box<dyn ByteStream>),
}

impl Talk {
    /// Sends; `false` when the far end is gone.
    pub(super) async fn say(&mut self, words: &[u8]) -> bool {
        match self {
            Talk::Channel((_, writer, _)) => writer.send(bytes::Bytes::copy_from_slice(words)).await.is_ok(),
            Talk::Stream(stream) => stream.write_all(words).await.is_ok(),
        }
    }

    /// Appends what comes next; `false` when nothing more will.
    pub(super) async fn hear(&mut self, heard: &mut Vec<u8>) -> bool {
        match self {
            Talk::Channel((reader, _, _)) => match reader.receive().await {
                crate::ssh::Received::Data(bytes) => {
                    heard.extend_from_slice(&bytes);
                    true
                }
                _ => false,
            },
            Talk::Stream(stream) => matches!(stream.read_buf(heard).await, Ok(1..)),
        }
    }
}
