//! An SSH server that attacks who connects to it, in one way at a time. It has the right host key, so that
//! what it does after the key exchange is met as well. Says nothing about what should come of it.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::server::{Config, run_stream};
use russh::{cipher, kex};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::bed::Bed;
use super::hostile_session::{Attacker, Ears};
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
    /// Opens what it is asked for, and never stops talking there.
    Babble,
    /// Does not keep the messages of the key exchange in strict order, with a cipher that needs it.
    NotStrict,
    /// Has no cipher but those in CBC mode.
    OldCiphers,
    /// Carries what it is asked to, and listens in.
    Eavesdropping,
    /// Carries what it is asked to, and alters a byte long after the login.
    Alteration,
}

/// A server that attacks. Ends when dropped.
pub struct Hostile {
    _inside: Inside,
    visits: Arc<AtomicUsize>,
    heard: Heard,
}

/// What passed a server that listens in.
pub type Heard = Arc<Mutex<Vec<u8>>>;

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
            Attack::NotStrict => {
                config.preferred.kex = Cow::Borrowed(&[kex::CURVE25519]);
                config.preferred.cipher = Cow::Borrowed(&[cipher::CHACHA20_POLY1305]);
            }
            Attack::OldCiphers => config.preferred.cipher = Cow::Borrowed(&[cipher::AES_128_CBC]),
            _ => {}
        }
        let heard = Heard::default();
        let (config, count, ears) = (Arc::new(config), visits.clone(), heard.clone());
        inside.spawn(async move {
            let listener = TcpListener::bind(("0.0.0.0", 22)).await.expect("listen");
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, attack, config.clone(), ears.clone()));
            }
        });
        bed.wait_for_port(host, 22);
        Hostile { _inside: inside, visits, heard }
    }

    /// How many connections it took.
    pub fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }

    /// What passed it so far.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().expect("nobody panicked").clone()
    }
}

async fn serve(mut stream: TcpStream, attack: Attack, config: Arc<Config>, heard: Heard) {
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
        _ => ssh(stream, attack, config, heard).await,
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

async fn ssh(stream: TcpStream, attack: Attack, config: Arc<Config>, heard: Heard) -> std::io::Result<()> {
    let ears = Ears::of(stream);
    let attacker = Attacker::new(attack, &ears, heard);
    if let Ok(session) = run_stream(config, ears, attacker).await {
        drop(session.await);
    }
    Ok(())
}
