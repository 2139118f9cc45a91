//! Does one action: opens one tunnel. Decides nothing; what comes of it goes back to the driver.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::blame::{self, TunnelBlame};
use super::event::{Event, Stage};
use super::far_client::{self, FarClient};
use super::ground::{Ground, Live};
use super::wait::{Waiter, Waits};
use super::{Failure, World};
use crate::forward::{Bound, Budget, Dialer, Lanes, Meter, Relay, Terms};
use crate::plan::{self, Carrier, Client, Entry, Plan, PlannedForward, Tunnel};
use crate::ssh::{Channel, DialError, Dialled, Grounds, OpenError, Opening, Session, Step, Wire, WireHandle};
use crate::topology::{Endpoint, Timeouts};

/// What every action needs.
pub(super) struct Scene {
    pub plan: Arc<Plan>,
    pub world: World,
    pub events: UnboundedSender<Event>,
    /// Who waits for another machine's hopper.
    pub waits: Waits,
    pub budget: Budget,
}

/// A tunnel that was opened.
pub(super) struct Opened {
    pub live: Live,
    /// What there is to say about it.
    pub detail: String,
    /// The listener it was opened through, for a `port` carrier.
    pub carrier: Option<Relay>,
    pub elapsed: Duration,
}

/// Why a session was not opened.
pub(super) struct NotOpened {
    pub failure: Failure,
    /// Whether the far end closed the connection before a word, and nothing else is known.
    pub silently: bool,
}

impl From<Failure> for NotOpened {
    fn from(failure: Failure) -> Self {
        NotOpened { failure, silently: false }
    }
}

impl Scene {
    pub fn tell(&self, event: Event) {
        event.log();
        // Nobody watches any more; the run goes on all the same.
        let _ = self.events.send(event);
    }

    /// Opens tunnel `t` on its ground. Dropping the future leaves nothing.
    pub async fn open(&self, t: usize, ground: Ground) -> Result<Opened, Failure> {
        let tunnel = &self.plan.tunnels[t];
        match &tunnel.client {
            Client::Local => self.open_when_kept(tunnel, ground.below).await,
            Client::Exec { .. } => self.start_client(tunnel, ground.control).await,
            // A part of a plan has only tunnels of its own.
            Client::Hopper { .. } => Err(blame::own_fault()),
        }
    }

    /// Has the host where the client belongs run it, and waits until it listens.
    async fn start_client(&self, tunnel: &Tunnel, control: Option<Arc<Session>>) -> Result<Opened, Failure> {
        let blame = TunnelBlame { plan: &self.plan, tunnel };
        let started = Instant::now();
        let stage = |stage| self.tell(Event::Stage { tunnel: tunnel.id.clone(), stage });
        let control = control.ok_or_else(blame::own_fault)?;
        stage(Stage::Connect);
        let timeout = tunnel.server.timeout;
        let tool = far_client::tool(&control, timeout.connect).await;
        let tool = tool.map_err(|error| blame.far_client(&error))?;
        let command = plan::client_command(&self.plan, tunnel, tool);
        let command = command.map_err(|unfit| blame.unfit(&unfit))?;
        stage(Stage::Login);
        let within = timeout.connect + timeout.banner + timeout.login;
        let agent = self.lent(tunnel);
        let client = FarClient::start(&control, &command, agent.as_deref(), within).await;
        let client = client.map_err(|error| blame.far_client(&error))?;
        stage(Stage::Forward);
        let detail = format!("by {} of {}", tool.program(), tunnel.client.name());
        Ok(Opened { live: Live::Client(Arc::new(client)), detail, carrier: None, elapsed: started.elapsed() })
    }

    /// The agent that the client of this tunnel may use: of the host where it runs, if the file lends it. Where
    /// there is none here, none is lent, as with `ssh -A`.
    fn lent(&self, tunnel: &Tunnel) -> Option<PathBuf> {
        let control = tunnel.client.control().and_then(|id| self.plan.tunnel(id))?;
        self.world.login.agent_for(&control.server).filter(|_| control.server.forward_agent)
    }

    /// Opens a session of our own.
    pub async fn open_session(
        &self,
        tunnel: &Tunnel,
        below: Option<Arc<Session>>,
    ) -> Result<Opened, NotOpened> {
        let blame = TunnelBlame { plan: &self.plan, tunnel };
        let started = Instant::now();
        let stage = |stage| self.tell(Event::Stage { tunnel: tunnel.id.clone(), stage });
        stage(Stage::Connect);
        let (trust, server) = (self.world.trust.clone(), tunnel.server.clone());
        // Reads files: on a thread of its own, since a file may be slow to come.
        let expectation = tokio::task::spawn_blocking(move || trust.expectation(&server))
            .await
            .map_err(|_| blame::own_fault())?
            .map_err(|refusal| blame.host_key(&refusal))?;
        let trusted = expectation.trusted();
        let (wire, handle, carrier) = self.transport(tunnel, below, &blame).await?;
        let timeout = tunnel.server.timeout;
        let opening = Opening {
            host: &tunnel.server,
            expectation,
            login: &self.world.login,
            // Behind a listener the far end is still being dialled when the client already connected.
            banner: if carrier.is_some() { timeout.connect + timeout.banner } else { timeout.banner },
            on_step: &|step| {
                // Login begins once the key is accepted.
                if let (Step::Login, Some((key, Grounds::Accepted))) = (step, trusted.get()) {
                    self.tell(Event::KeyRecorded { tunnel: tunnel.id.clone(), key: key.to_string() });
                }
                stage(match step {
                    Step::Banner => Stage::Banner,
                    Step::Keys => Stage::Keys,
                    Step::Login => Stage::Login,
                });
            },
        };
        match Session::open(wire, handle, opening).await {
            Ok(session) => {
                stage(Stage::Forward);
                let detail = session.detail();
                let live = Live::Session(Arc::new(session));
                Ok(Opened { live, detail, carrier, elapsed: started.elapsed() })
            }
            Err(error) => {
                let refusal = carrier.as_ref().and_then(Relay::refusal);
                if let Some(carrier) = carrier {
                    carrier.stop(Duration::ZERO).await;
                }
                Err(match (error, refusal) {
                    (OpenError::ClosedSilently, Some(refusal)) => blame.dial(&refusal).into(),
                    (OpenError::ClosedSilently, None) => {
                        NotOpened { failure: blame.open(OpenError::ClosedSilently), silently: true }
                    }
                    (error, _) => blame.open(error).into(),
                })
            }
        }
    }

    /// The byte stream that a tunnel's session speaks over.
    async fn transport(
        &self,
        tunnel: &Tunnel,
        below: Option<Arc<Session>>,
        blame: &TunnelBlame<'_>,
    ) -> Result<(Wire, WireHandle, Option<Relay>), Failure> {
        let limit = tunnel.server.timeout.connect;
        let endpoint = Endpoint::Tcp(tunnel.target.clone());
        match (below, &tunnel.carrier) {
            (Some(session), Some(Carrier::Port(listen))) => {
                let listen = *listen;
                if tunnel.kept.is_some() {
                    // A relay would take the first refusal for the last word.
                    drop(
                        self.dial_server(tunnel, &session, limit)
                            .await
                            .map_err(|error| blame.dial(&error))?,
                    );
                }
                let what = format!("{}, the carrier of {}", tunnel.id, tunnel.server.id);
                let failed = |error| blame::listen(&what, listen, &error);
                let bound = Bound::bind(listen).await.map_err(failed)?;
                let local = bound.local();
                self.tell(Event::CarrierListening { tunnel: tunnel.id.clone(), local });
                let dialer = Dialer::Session { lanes: Lanes::only(session), target: endpoint };
                // With the session below the carrier is gone: there is nobody to wait for.
                let terms = self.terms(limit);
                let relay = bound.serve(dialer, Arc::new(Meter::default()), terms, Duration::ZERO);
                let connected =
                    TcpStream::connect(local).await.and_then(|stream| Wire::over_tcp(stream, None));
                let (wire, handle) = connected.map_err(failed)?;
                Ok((wire, handle, Some(relay)))
            }
            (Some(session), _) => {
                let channel = self.dial_server(tunnel, &session, limit).await;
                let channel = channel.map_err(|error| blame.dial(&error))?;
                let (wire, handle) = Wire::over_channel(channel);
                Ok((wire, handle, None))
            }
            (None, Some(Carrier::Entry(entry))) => {
                let dialled = self.dial_entry(tunnel, entry, limit).await;
                let dialled = dialled.map_err(|error| blame.entry(entry, &error))?;
                let (wire, handle) = Wire::over_dialled(dialled, patience(tunnel))
                    .map_err(|error| blame.unreachable(&error))?;
                Ok((wire, handle, None))
            }
            (None, _) => {
                let dialled = self.dial_from_here(tunnel, limit).await;
                let dialled = dialled
                    .map_err(|_| blame.connect_timed_out(limit))?
                    .and_then(|dialled| Wire::over_dialled(dialled, patience(tunnel)));
                let (wire, handle) = dialled.map_err(|error| blame.unreachable(&error))?;
                Ok((wire, handle, None))
            }
        }
    }

    /// Dials a listener that the client of another tunnel keeps. One that another machine's hopper keeps is
    /// waited for.
    async fn dial_entry(&self, tunnel: &Tunnel, entry: &Entry, limit: Duration) -> io::Result<Dialled> {
        let mut wait = self.wait_for(tunnel.through.is_none(), || {
            let who = Waiter::Tunnel(tunnel.id.clone());
            (who, format!("{} from here", entry.dial), entry.host.clone())
        });
        loop {
            let dialling = self.world.network.dial(&entry.host, &entry.dial);
            let dialled = tokio::time::timeout(limit, dialling).await;
            match dialled.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && wait.again().await => {}
                dialled => return dialled,
            }
        }
    }

    /// Has the session below dial a server. A listener that another machine's hopper keeps is waited for.
    async fn dial_server(
        &self,
        tunnel: &Tunnel,
        session: &Session,
        limit: Duration,
    ) -> Result<Channel, DialError> {
        let mut wait = self.wait_for(tunnel.kept.is_some(), || self.kept(tunnel));
        let endpoint = Endpoint::Tcp(tunnel.target.clone());
        loop {
            match session.dial(&endpoint, None, limit).await {
                Err(DialError::Failed(_)) if wait.again().await => {}
                dialled => return dialled,
            }
        }
    }

    fn terms(&self, limit: Duration) -> Terms {
        Terms { limit, budget: self.budget.clone() }
    }

    /// The terms on which a forward's clients are served, whichever way it takes.
    pub fn terms_of(&self, forward: &PlannedForward) -> Terms {
        let limit = forward.ways().map(|way| self.limit_of(way)).max();
        self.terms(limit.unwrap_or_else(|| self.limit_of(forward)))
    }

    /// How long its far end may take.
    pub fn limit_of(&self, forward: &PlannedForward) -> Duration {
        // The tunnel to its target comes last.
        let via = forward.needs().filter_map(|id| self.plan.tunnel(id)).last();
        via.map_or_else(Timeouts::default, |tunnel| tunnel.server.timeout).forward
    }

    /// Who dials a forward's target. `None` when the session that should is not there: local must never
    /// dial in its place.
    pub fn dialer(&self, forward: &PlannedForward, lanes: Option<Lanes>) -> Option<Dialer> {
        let target = forward.target.clone();
        if let Some(entry) = &forward.entry {
            return Some(Dialer::Local {
                network: self.world.network.clone(),
                host: entry.host.clone(),
                target: Endpoint::Tcp(entry.dial.clone()),
            });
        }
        match (&forward.via, lanes) {
            (Some(_), lanes) => lanes.map(|lanes| Dialer::Session { lanes, target }),
            (None, _) => Some(Dialer::Local {
                network: self.world.network.clone(),
                host: forward.forward.to.host().clone(),
                target,
            }),
        }
    }
}

/// How long the kernel may wait for bytes to be acknowledged, on the socket that a chain stands on.
pub(super) fn patience(tunnel: &Tunnel) -> Option<Duration> {
    let keepalive = tunnel.server.keepalive;
    let tolerated = u32::try_from(keepalive.max).unwrap_or(u32::MAX).saturating_add(2);
    (!keepalive.interval.is_zero()).then(|| keepalive.interval.saturating_mul(tolerated))
}
