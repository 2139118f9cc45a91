//! An SSH server that attacks who connects to it, in one way at a time. It has the right host key, so that
//! what it does after the key exchange is met as well. Says nothing about what should come of it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use russh::server::{Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, PublicKeyOffer, Session};
use russh::server::{VerifiedPublicKey, run_stream};
use russh::{Channel, ChannelId, ChannelOpenFailure, Disconnect};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::bed::Bed;
use super::inside::Inside;

/// What a terminal would act on: a title, a cleared screen, C1, a turned reading direction, line ends.
pub const ESCAPES: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}done\r\nUp in 1 ms.\u{7f}\u{8}";

/// One way to attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attack {
    /// Takes the connection and says nothing.
    Silent,
    /// One byte a second.
    Drip,
    /// Lines before the version, without end.
    Lines,
    /// One line without end.
    Line,
    /// Random bytes without end.
    Noise,
    /// A version, then a packet of 4 GiB.
    GiantPacket,
    /// A version, then nothing.
    VersionOnly,
    /// A version and a packet of its own key exchange, full of nonsense, again and again.
    Nonsense,
    /// Does not answer the first key that is offered.
    HangInLogin,
    /// A login banner full of escape sequences, and no way in.
    LoginBanner,
    /// Ends the session with words full of escape sequences.
    Farewell,
    /// Refuses to connect, with words full of escape sequences.
    Refusal,
    /// Opens channels without end and answers nothing.
    Openings,
    /// The same, and reads nothing of what it is told.
    DeafOpenings,
    /// Debug messages without end.
    Chatter,
    /// Opens what it is asked for, and takes packets of no size.
    NoPacket,
    /// Opens what it is asked for, and grants no window.
    NoWindow,
    /// Opens what it is asked for, and sends far more than it was granted.
    Overflow,
}

/// A server that attacks. Ends when dropped.
pub struct Hostile {
    _inside: Inside,
    visits: Arc<AtomicUsize>,
}

impl Hostile {
    /// Starts it at the SSH port of a host.
    pub fn start(bed: &Bed, host: usize, attack: Attack) -> Hostile {
        let inside = Inside::at(bed, host);
        let visits = Arc::new(AtomicUsize::new(0));
        let key = russh::keys::load_secret_key(bed.host_key(host).path(), None).expect("read the host key");
        let mut config = Config { keys: vec![key], auth_rejection_time: Duration::ZERO, ..Config::default() };
        match attack {
            Attack::NoPacket => config.maximum_packet_size = 0,
            Attack::NoWindow => config.window_size = 0,
            _ => {}
        }
        let (config, count) = (Arc::new(config), visits.clone());
        inside.spawn(async move {
            let listener = TcpListener::bind(("0.0.0.0", 22)).await.expect("listen");
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, attack, config.clone()));
            }
        });
        bed.wait_for_port(host, 22);
        Hostile { _inside: inside, visits }
    }

    /// How many connections it took.
    pub fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, attack: Attack, config: Arc<Config>) {
    // An error here is the other side hanging up, which is what it should do.
    drop(match attack {
        Attack::Silent => std::future::pending().await,
        Attack::Drip => drip(&mut stream).await,
        Attack::Lines => repeat(&mut stream, b"", &b"go away\r\n".repeat(1000)).await,
        Attack::Line => repeat(&mut stream, b"", &[b'x'; 9000]).await,
        Attack::Noise => noise(&mut stream).await,
        Attack::GiantPacket => repeat(&mut stream, b"SSH-2.0-x\r\n\xff\xff\xff\xff", &[0; 9000]).await,
        Attack::Nonsense => repeat(&mut stream, b"SSH-2.0-x\r\n", NONSENSE).await,
        Attack::VersionOnly => {
            repeat(&mut stream, b"SSH-2.0-x\r\n", b"").await.expect("say the version");
            std::future::pending().await
        }
        _ => ssh(stream, attack, config).await,
    });
}

/// A packet of 12 bytes: four of padding, `SSH_MSG_KEXINIT`, and too little after it.
const NONSENSE: &[u8] = b"\0\0\0\x0c\x04\x14\xff\xff\xff\xff\xff\xff\0\0\0\0";

async fn repeat(stream: &mut TcpStream, first: &[u8], then: &[u8]) -> std::io::Result<()> {
    stream.write_all(first).await?;
    while !then.is_empty() {
        stream.write_all(then).await?;
    }
    Ok(())
}

async fn drip(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    for byte in b"SSH-2.0-slow but steady\r\n".iter().cycle() {
        tick.tick().await;
        stream.write_all(&[*byte]).await?;
    }
    Ok(())
}

/// The same noise in every run (xorshift, Marsaglia 2003).
async fn noise(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    loop {
        let bytes: Vec<u8> = (0..1024)
            .flat_map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()
            })
            .collect();
        stream.write_all(&bytes).await?;
    }
}

async fn ssh(stream: TcpStream, attack: Attack, config: Arc<Config>) -> std::io::Result<()> {
    let deaf = Arc::new(AtomicBool::new(false));
    let stream = Ears { stream, deaf: deaf.clone() };
    if let Ok(session) = run_stream(config, stream, Attacker { attack, deaf }).await {
        drop(session.await);
    }
    Ok(())
}

/// A connection that can go deaf: then nothing is read any more.
struct Ears {
    stream: TcpStream,
    deaf: Arc<AtomicBool>,
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

struct Attacker {
    attack: Attack,
    deaf: Arc<AtomicBool>,
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
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.attack {
            Attack::NoPacket | Attack::NoWindow => {
                reply.accept().await;
                hold(channel);
            }
            Attack::Overflow => {
                reply.accept().await;
                overflow(channel.id(), session.handle());
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

/// Bypasses the window that it was granted.
fn overflow(id: ChannelId, handle: Handle) {
    tokio::spawn(async move { while handle.data(id, vec![b'x'; 32_000]).await.is_ok() {} });
}
