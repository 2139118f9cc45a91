//! Where a story happens: five hosts of the lab, two branches, three forwards, and a run of the engine on
//! them. Knows what was seen; judges nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hopper::engine::{self, Board, Controls, Event, Outcome, RunState, TunnelState, World};
use hopper::lab::{Fault, Faults, Lab};
use hopper::plan::{Plan, PlanOptions, plan};
use hopper::ssh::{Login, Trust};
use hopper::topology::{HostId, parse};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// Each way that a session takes, with the tunnels that stand on it. T1 a, T2 b, T3 c, T4 d.
pub const WAYS: [(&str, &str, &[usize]); 4] =
    [("local", "a", &[0, 1, 2, 3]), ("a", "b", &[1, 2, 3]), ("b", "c", &[2]), ("b", "d", &[3])];

const FILE: &str = r#"{
    "hopper": 1, "name": "story",
    "hosts": { "a": "u@a", "b": "u@b", "c": "u@c", "d": "u@d", "screen": { "ssh": false } },
    "links": ["local -> a -> b -> c -> screen", "b -> d"],
    "forwards": {
        "far": { "listen": "auto", "to": "screen:5900", "check": { "banner": "RFB " } },
        "side": { "listen": "auto", "to": "d/127.0.0.1:80" },
        "near": { "listen": "auto", "to": "a/127.0.0.1:7" }
    }
}"#;

/// A run on its stage.
pub struct Stage {
    pub faults: Faults,
    pub controls: Controls,
    pub board: Board,
    pub outcome: JoinHandle<Outcome>,
    started: Instant,
    seen: Arc<Mutex<Vec<(Duration, Event)>>>,
    dials: Arc<Mutex<Vec<[usize; WAYS.len()]>>>,
}

impl Stage {
    /// Starts a run whose own chance is this seed. Needs a runtime whose time stands still.
    pub fn new(seed: u64) -> Stage {
        let topology = parse(FILE, "story").expect("the file is right");
        let plan: Plan = plan(&topology, &PlanOptions::default()).expect("there is a plan");
        let servers: Vec<_> = plan.tunnels.iter().map(|tunnel| tunnel.server.id.as_str()).collect();
        assert_eq!(servers, WAYS.map(|(_, to, _)| to), "the plan that WAYS is about");
        let faults = Faults::default();
        let lab = Lab::with_faults(&topology, faults.clone());
        let pin = |host: &HostId| Some((host.clone(), lab.fingerprint(host)?));
        let trust = Trust::pinned(topology.hosts.iter().filter_map(|host| pin(&host.id)));
        let login = Login::with_key("u".to_owned(), lab.client_key());
        let world = World { network: Arc::new(lab), trust, login };
        let controls = Controls { seed: Some(seed), ..Controls::default() };
        let (started, seen) = (Instant::now(), Arc::<Mutex<Vec<_>>>::default());
        let run = engine::start(plan, world, controls.clone());
        let (mut events, heard) = (run.events, seen.clone());
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                heard.lock().unwrap().push((started.elapsed(), event));
            }
        });
        let (dials, counted) = (Arc::<Mutex<Vec<_>>>::default(), faults.clone());
        let counts = dials.clone();
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_secs(1));
            loop {
                tick.tick().await;
                counts.lock().unwrap().push(WAYS.map(|(from, to, _)| counted.dials(&id(from), &id(to))));
            }
        });
        Stage { faults, controls, board: run.board, outcome: run.outcome, started, seen, dials }
    }

    /// What happened so far, a line for each event.
    pub fn told(&self) -> String {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(at, event)| format!("{:9.3} {event:?}\n", at.as_secs_f64())).collect()
    }

    /// How many events there were so far.
    pub fn events(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// The first of the events after so many that is a loss: the place of the tunnel, and when.
    pub fn loss_since(&self, events: usize) -> Option<(usize, Duration)> {
        self.seen.lock().unwrap()[events..].iter().find_map(|(at, event)| match event {
            Event::TunnelLost { tunnel, .. } => {
                let number = tunnel.to_string()[1..].parse::<usize>().expect("T and a number");
                Some((number - 1, *at))
            }
            _ => None,
        })
    }

    /// The time since the run began.
    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// How often each way was dialled, at each second.
    pub fn dials(&self) -> Vec<[usize; WAYS.len()]> {
        self.dials.lock().unwrap().clone()
    }

    /// Makes a way like this.
    pub fn set(&self, way: usize, fault: Fault) {
        let (from, to) = ends(way);
        self.faults.set(&id(from), &id(to), fault);
    }

    /// Resets what is open on a way.
    pub fn reset(&self, way: usize) {
        let (from, to) = ends(way);
        self.faults.reset(&id(from), &id(to));
    }

    /// How often each tunnel was rebuilt.
    pub fn reconnects(&self) -> Vec<u64> {
        self.board.snapshot().tunnels.iter().map(|tunnel| tunnel.reconnects).collect()
    }

    /// Whether the run and each of its tunnels is up.
    pub fn is_whole(&self) -> bool {
        let snapshot = self.board.snapshot();
        snapshot.state == RunState::Up && snapshot.tunnels.iter().all(|one| one.state == TunnelState::Up)
    }

    /// Waits until it is so, up to a time that is not real. Whether it was.
    pub async fn until(&self, within: Duration, mut is_so: impl FnMut(&Stage) -> bool) -> bool {
        let end = Instant::now() + within;
        while !is_so(self) {
            if Instant::now() >= end {
                return false;
            }
            sleep(Duration::from_millis(50)).await;
        }
        true
    }
}

/// Whom a way joins. The one after those of sessions leads to a far end.
fn ends(way: usize) -> (&'static str, &'static str) {
    WAYS.get(way).map_or(("c", "screen"), |(from, to, _)| (from, to))
}

fn id(host: &str) -> HostId {
    HostId::new(host)
}
