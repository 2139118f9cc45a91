//! hopper's own rooms on host 0 of a bed, without the program around them: sessions, as a test wants them.

use std::fs::File;
use std::future::Future;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use hopper::ssh::{Ask, Channel, Login, Opening, Session, Trust, Wire};
use hopper::topology::{Address, Endpoint, Host, HostId};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

use super::bed::Bed;
use super::network;
use super::topology::id;

/// Long enough for anything that a test asks for at once.
pub const LIMIT: Duration = Duration::from_secs(20);

/// No single task of a test may take longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Threads that live on one host.
pub struct Inside(Runtime);

impl Inside {
    /// Starts the threads on host 0.
    pub fn of(bed: &Bed) -> Inside {
        Inside::at(bed, 0)
    }

    /// Starts the threads on any host.
    pub fn at(bed: &Bed, host: usize) -> Inside {
        let namespace = format!("/run/netns/{}", bed.namespace(host));
        // The threads of a runtime are where the thread is that starts it.
        let starting = std::thread::spawn(move || {
            let namespace = File::open(namespace).expect("the namespace is there");
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
                .expect("step into the namespace");
            Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("start a runtime")
        });
        Inside(starting.join().expect("the thread that starts the runtime"))
    }

    /// Starts a task there, which ends with the threads.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }

    /// Runs a task there to its end.
    pub fn run<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> T {
        let running = self.0.spawn(async { tokio::time::timeout(PATIENCE, task).await });
        let ended = self.0.block_on(running).unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic()));
        ended.expect("the task hangs")
    }

    /// Sessions on host 1, 2 … `last`, each through the one before.
    pub fn sessions(&self, bed: &Bed, last: usize) -> Vec<Arc<Session>> {
        let (home, key) = (bed.path("home"), bed.key().path().display().to_string());
        self.run(async move {
            let nobody: Ask = Arc::new(|_| Box::pin(async { None }));
            let login = Login::of_person("root".to_owned(), Some(home.clone()), None, nobody);
            let mut sessions: Vec<Arc<Session>> = Vec::new();
            for number in 1..=last {
                let mut host = Host::new(HostId::new(id(number)));
                host.address = Address::new(network::name(number), 22);
                host.identities = vec![key.clone()];
                let (wire, below) = match sessions.last() {
                    Some(session) => Wire::over_channel(dial(session, &network::name(number), 22).await),
                    None => {
                        let stream = TcpStream::connect((network::address(number), 22)).await.expect("dial");
                        Wire::over_tcp(stream, None).expect("prepare the socket")
                    }
                };
                let opening = Opening {
                    host: &host,
                    expectation: Trust::of_person(Some(&home)).expectation(&host).expect("known_hosts"),
                    login: &login,
                    banner: LIMIT,
                    on_step: &|_| {},
                };
                let opened = Session::open(wire, below, opening).await;
                sessions.push(Arc::new(opened.unwrap_or_else(|e| panic!("no session on {number}: {e:?}"))));
            }
            sessions
        })
    }
}

/// Has the server of a session dial.
pub async fn dial(session: &Session, host: &str, port: u16) -> Channel {
    let endpoint = Endpoint::Tcp(Address::new(host, port));
    session.dial(&endpoint, None, LIMIT).await.unwrap_or_else(|e| panic!("{host}:{port}: {e}"))
}
