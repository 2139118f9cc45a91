//! The server's side of a session with a server that attacks: what it does at login and after it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use russh::server::{
    Auth, ChannelOpenHandle, Handle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
};
use russh::{Channel, ChannelId, ChannelOpenFailure, Disconnect};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::hostile_server::{Attack, ESCAPES, Heard};
use super::network;

/// A connection that can go deaf: then nothing is read any more.
pub struct Ears {
    stream: TcpStream,
    deaf: Arc<AtomicBool>,
}

impl Ears {
    /// A connection that hears, as yet.
    pub fn of(stream: TcpStream) -> Ears {
        Ears { stream, deaf: Arc::default() }
    }
}

impl AsyncRead for Ears {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.deaf.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Ears {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What the server does in a session.
pub struct Attacker {
    attack: Attack,
    deaf: Arc<AtomicBool>,
    heard: Heard,
}

impl Attacker {
    /// Attacks who is at the other end of the connection.
    pub fn new(attack: Attack, ears: &Ears, heard: Heard) -> Attacker {
        Attacker { attack, deaf: ears.deaf.clone(), heard }
    }
}

impl Handler for Attacker {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, Self::Error> {
        Ok((self.attack == Attack::LoginBanner).then(|| ESCAPES.repeat(4_000)))
    }

    async fn auth_publickey_offered(&mut self, _: &str, _: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        match self.attack {
            Attack::HangInLogin => std::future::pending().await,
            Attack::LoginBanner => Ok(Auth::reject()),
            _ => Ok(Auth::Accept),
        }
    }

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn auth_succeeded(&mut self, session: &mut Session) -> Result<(), Self::Error> {
        match self.attack {
            Attack::Farewell => session.disconnect(Disconnect::ByApplication, ESCAPES, "")?,
            Attack::Openings => open_without_end(&session.handle(), 64),
            Attack::DeafOpenings => {
                self.deaf.store(true, Ordering::SeqCst);
                open_without_end(&session.handle(), 100_000);
            }
            _ => {}
        }
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.attack {
            Attack::Eavesdropping | Attack::Alteration => {
                // The names of the next host are those of a namespace of files, where the test is not.
                let host = if host == network::name(2) { network::address(2) } else { host.to_owned() };
                let target = (host, u16::try_from(port).expect("a port"));
                let next = TcpStream::connect(target).await.map_err(russh::Error::IO)?;
                reply.accept().await;
                tokio::spawn(carry(channel, next, self.heard.clone(), self.attack == Attack::Alteration));
            }
            Attack::NoPacket | Attack::NoWindow => {
                reply.accept().await;
                hold(channel);
            }
            Attack::Babble => {
                reply.accept().await;
                babble(channel.id(), session.handle());
                hold(channel);
            }
            Attack::Refusal => {
                session.channel_open_failure(channel.id(), ChannelOpenFailure::ConnectFailed, ESCAPES, "")?;
                hold(reply);
            }
            Attack::Chatter => {
                chat(session)?;
                hold(reply);
            }
            _ => hold(reply),
        }
        Ok(())
    }
}

/// Keeps a thing for as long as the server runs: an answer that is dropped is a refusal.
fn hold(thing: impl Send + 'static) {
    tokio::spawn(async move {
        std::future::pending::<()>().await;
        drop(thing);
    });
}

fn chat(session: &mut Session) -> Result<(), russh::Error> {
    for _ in 0..100_000 {
        session.debug(true, ESCAPES, "")?;
    }
    Ok(())
}

/// Many at a time; each goes on with the next one when it was answered. Whoever is deaf hears no answer, and
/// opens so many at once that they do not fit into what the other side sets aside.
fn open_without_end(handle: &Handle, at_once: usize) {
    for _ in 0..at_once {
        let handle = handle.clone();
        tokio::spawn(async move {
            while !matches!(handle.channel_open_session().await, Err(russh::Error::SendError))
                && !matches!(
                    handle.channel_open_forwarded_tcpip(ESCAPES, 22, ESCAPES, 22).await,
                    Err(russh::Error::SendError)
                )
            {}
        });
    }
}

fn babble(id: ChannelId, handle: Handle) {
    tokio::spawn(async move { while handle.data(id, vec![b'x'; 32_000]).await.is_ok() {} });
}

/// Where a byte is altered: long after every login, and in the midst of a download.
const ALTERED: usize = 1 << 20;

/// Carries both ways until either side ends, and remembers all of it.
async fn carry(channel: Channel<Msg>, next: TcpStream, heard: Heard, alters: bool) {
    let (mut from_here, mut to_here) = tokio::io::split(channel.into_stream());
    let (mut from_there, mut to_there) = next.into_split();
    let up = async {
        let mut piece = vec![0; 1 << 15];
        while let Ok(n @ 1..) = from_here.read(&mut piece).await {
            heard.lock().expect("nobody panicked").extend(&piece[..n]);
            if to_there.write_all(&piece[..n]).await.is_err() {
                break;
            }
        }
    };
    let down = async {
        let (mut piece, mut passed) = (vec![0; 1 << 15], 0);
        while let Ok(n @ 1..) = from_there.read(&mut piece).await {
            heard.lock().expect("nobody panicked").extend(&piece[..n]);
            if alters && (passed..passed + n).contains(&ALTERED) {
                piece[ALTERED - passed] ^= 1;
            }
            passed += n;
            if to_here.write_all(&piece[..n]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}
