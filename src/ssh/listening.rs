//! Where a session asked its server to listen, and the clients that came there and wait to be taken.
//! Knows which of the server's channels were asked for; accepts none by itself.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::ChannelOpenFailure;
use russh::client::{ChannelOpenHandle, Msg};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::channel::{Channel, Channels};

/// How many clients of one listener may wait to be taken; further ones are refused.
const WAITING: usize = 64;

/// All places where one session asked its server to listen.
#[derive(Clone, Default)]
pub(super) struct Listening(Arc<Mutex<Vec<Place>>>);

struct Place {
    address: String,
    port: u16,
    asked: Asked,
}

/// Where the clients of one place go.
#[derive(Clone)]
pub(super) struct Asked {
    queue: Sender<Incoming>,
    channels: Channels,
}

/// A place that is remembered; forgotten when dropped.
pub(super) struct Remembered {
    listening: Listening,
    queue: Sender<Incoming>,
}

/// A client that came where the server was asked to listen. The server sends nothing of what it says
/// before the client is taken: one that waits holds up nobody. Dropping it refuses it.
pub struct Incoming {
    channel: russh::Channel<Msg>,
    reply: ChannelOpenHandle,
    originator: Option<SocketAddr>,
    channels: Channels,
}

impl Listening {
    fn places(&self) -> MutexGuard<'_, Vec<Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Expects clients at this address, as the server was asked for it, and port; 0 expects none yet.
    pub fn remember(&self, address: &str, port: u16, channels: Channels) -> (Remembered, Receiver<Incoming>) {
        let (queue, incoming) = channel(WAITING);
        let asked = Asked { queue: queue.clone(), channels };
        self.places().push(Place { address: address.to_owned(), port, asked });
        (Remembered { listening: self.clone(), queue }, incoming)
    }

    /// What was asked for at this address and port. OpenSSH repeats the address as it was asked for,
    /// wherever it bound.
    pub fn find(&self, address: &str, port: u32) -> Option<Asked> {
        let port = u16::try_from(port).ok().filter(|port| *port != 0)?;
        let places = self.places();
        let place = places.iter().find(|place| place.port == port && place.address == address)?;
        Some(place.asked.clone())
    }
}

impl Remembered {
    /// Expects clients at the port that the server chose.
    pub fn chosen(&self, port: u16) {
        for place in self.listening.places().iter_mut().filter(|place| self.is_of(place)) {
            place.port = port;
        }
    }

    fn is_of(&self, place: &Place) -> bool {
        place.asked.queue.same_channel(&self.queue)
    }
}

impl Drop for Remembered {
    fn drop(&mut self) {
        self.listening.places().retain(|place| !self.is_of(place));
    }
}

impl Asked {
    /// Lets a client wait, or refuses it when too many do.
    pub async fn offer(
        self,
        channel: russh::Channel<Msg>,
        reply: ChannelOpenHandle,
        address: &str,
        port: u32,
    ) {
        // The server's words are only for the log of whoever is dialled: nonsense counts as unknown.
        let port = u16::try_from(port).ok();
        let originator = address.parse::<IpAddr>().ok().zip(port).map(SocketAddr::from);
        let incoming = Incoming { channel, reply, originator, channels: self.channels };
        if let Err(refused) = self.queue.try_send(incoming) {
            tracing::debug!("refused a client: too many wait");
            refused.into_inner().reply.reject(ChannelOpenFailure::ResourceShortage).await;
        }
    }
}

impl Incoming {
    /// Who connected to the server, as far as the server says.
    pub fn originator(&self) -> Option<SocketAddr> {
        self.originator
    }

    /// Takes the client. From now on its channel must be read.
    pub async fn take(self) -> Channel {
        let member = self.channels.join();
        self.reply.accept().await;
        self.channels.take(self.channel, member)
    }

    /// Turns the client away: nothing stands behind the listener. The server then ends its connection.
    pub async fn refuse(self) {
        self.reply.reject(ChannelOpenFailure::ConnectFailed).await;
    }
}
