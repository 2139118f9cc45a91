//! A server on a stream in memory that does what it is told, right or wrong: what OpenSSH never does to
//! a client has to be tried as well.

use std::sync::Arc;
use std::time::Duration;

use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{HashAlg, PrivateKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, Sig};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, oneshot};

use crate::ssh::{Login, Opening, Trust, Wire};
use crate::topology::{Host, HostId};

/// The port that the server says it chose.
pub(super) const CHOSEN: u16 = 40000;

/// A session with the server, and the server's side of it.
pub(super) struct Met {
    pub session: crate::ssh::Session,
    pub server: Handle,
    /// The listeners given back, as the server was told.
    pub given_back: UnboundedReceiver<(String, u32)>,
    /// Lets the server answer for the address `late`.
    pub answer: Arc<Notify>,
}

/// The server's side.
struct Obedient {
    logged_in: Option<oneshot::Sender<Handle>>,
    given_back: UnboundedSender<(String, u32)>,
    answer: Arc<Notify>,
}

pub(super) fn key(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

/// Opens a session with a new server.
pub(super) async fn meet() -> Met {
    let (near, far) = tokio::io::duplex(1 << 20);
    let (logged_in, handle) = oneshot::channel();
    let (told, given_back) = unbounded_channel();
    let answer = Arc::new(Notify::new());
    let obedient = Obedient { logged_in: Some(logged_in), given_back: told, answer: answer.clone() };
    let config = Config {
        keys: vec![key(1)],
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: Some(Duration::ZERO),
        ..Config::default()
    };
    tokio::spawn(async move {
        let session = russh::server::run_stream(Arc::new(config), far, obedient).await.expect("a handshake");
        drop(session.await);
    });
    let host = Host::new(HostId::new("h"));
    let pin = key(1).public_key().fingerprint(HashAlg::Sha256).to_string();
    let (wire, below) = Wire::over_stream(Box::new(near));
    let opening = Opening {
        host: &host,
        expectation: Trust::pinned([(host.id.clone(), pin)]).expectation(&host).expect("a pin"),
        login: &Login::with_key("anyone".to_owned(), key(2)),
        banner: Duration::from_secs(20),
        on_step: &|_| {},
    };
    let session = crate::ssh::Session::open(wire, below, opening).await.expect("a session");
    Met { session, server: handle.await.expect("it logged in"), given_back, answer }
}

impl Handler for Obedient {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn auth_succeeded(&mut self, session: &mut Session) -> Result<(), Self::Error> {
        if let Some(logged_in) = self.logged_in.take() {
            drop(logged_in.send(session.handle()));
        }
        Ok(())
    }

    /// Listens where it is told, but at no address called `forbidden`; it does not say the port of
    /// `somewhere`, and takes its time for `late`.
    async fn tcpip_forward(
        &mut self,
        address: &str,
        port: &mut u32,
        _: &mut Session,
    ) -> Result<bool, Self::Error> {
        if address == "late" {
            self.answer.notified().await;
        }
        if *port == 0 && address != "somewhere" {
            *port = CHOSEN.into();
        }
        Ok(address != "forbidden")
    }

    async fn cancel_tcpip_forward(
        &mut self,
        address: &str,
        port: u32,
        _: &mut Session,
    ) -> Result<bool, Self::Error> {
        drop(self.given_back.send((address.to_owned(), port)));
        Ok(true)
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn agent_request(&mut self, _: ChannelId, _: &mut Session) -> Result<bool, Self::Error> {
        Ok(true)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        match command {
            b"refuse" => return session.channel_failure(channel),
            b"say nothing" => return Ok(()),
            b"hang up" => return session.close(channel),
            _ => session.channel_success(channel)?,
        }
        match command {
            b"end without a word" => {}
            b"die strangely" => {
                let signal = Sig::Custom("\x1b[2J".to_owned());
                session.exit_signal_request(channel, signal, false, "\x07words", "")?;
            }
            b"status after the end" => {
                session.data(channel, "all")?;
                session.eof(channel)?;
                session.exit_status_request(channel, 9)?;
            }
            // The status is there, the end is not.
            b"break off" => {
                session.exit_status_request(channel, 0)?;
                return Err(russh::Error::Disconnect);
            }
            _ => return Ok(()),
        }
        session.close(channel)
    }
}
