//! Stories with a second way: an edge, two gates behind it, and what is wanted behind both. One gate falls silent and is
//! gone round; then anything fails; when all is well again the first way is taken, and nothing else is open.

use std::time::Duration;

use hopper::engine::{RunState, TunnelState};
use hopper::lab::Fault;
use hopper::topology::HostId;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::runtime::Builder;
use tokio::time::sleep;

use super::stage::Stage;
use super::story::{SECOND, check, ends_well, is_clean};

/// Noticed after 21 s, left 10 s after that; the other one is opened and proved meanwhile.
const MOVED: Duration = Duration::from_secs(21 + 10 + 10);

/// The longest wait between two tries with chance, for either way in turn, and then the time to go back.
const BACK: Duration = Duration::from_secs(2 * 78 + 60 + 120);

const FILE: &str = r#"{
    "hopper": 1, "name": "gates",
    "hosts": { "edge": "u@edge", "one": "u@one", "two": "u@two", "screen": { "ssh": false } },
    "links": ["local -> edge -> one -> screen", { "from": "edge", "to": "two", "cost": 20 }, "two -> screen"],
    "forwards": {
        "far": { "listen": "auto", "to": "screen:5900", "check": { "banner": "RFB " } },
        "near": { "listen": "auto", "to": "edge/127.0.0.1:7" }
    },
    "policy": { "failover": { "after": "10s", "back": "30s" } }
}"#;

/// What can fail. T1 edge, T2 one; T3 two stands by.
const LINKS: [(&str, &str); 5] =
    [("local", "edge"), ("edge", "one"), ("edge", "two"), ("one", "screen"), ("two", "screen")];

/// Plays the story of a seed to its end.
pub fn play(seed: u64) {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let mut stage = Stage::of(FILE, seed);
        if let Err(why) = tell(&mut stage, &mut StdRng::seed_from_u64(seed)).await {
            panic!("seed {seed}: {why}\n\n{}", stage.told());
        }
    });
}

async fn tell(stage: &mut Stage, chance: &mut StdRng) -> Result<(), String> {
    let (first, second) = ([TunnelState::Up, TunnelState::Up, TunnelState::Standby], MOVED);
    check(stage.until(30 * SECOND, |stage| stands(stage, first)).await, "it never came up")?;
    sleep(20 * SECOND).await;
    let open = stage.faults.open();
    set(stage, 1, Fault::Silent);
    check(stage.until(second, on_the_second).await, "the silent gate was not gone round")?;
    check(stage.reconnects()[0] == 0, "the edge was opened again")?;

    for _ in 0..chance.random_range(0..8) {
        let link = chance.random_range(0..LINKS.len());
        match chance.random_range(0..6) {
            0 => stage.faults.reset(&id(LINKS[link].0), &id(LINKS[link].1)),
            1 | 2 => set(stage, link, Fault::Silent),
            3 => set(stage, link, Fault::Refuses),
            _ => set(stage, link, Fault::None),
        }
        sleep(Duration::from_millis(chance.random_range(0..40_000))).await;
    }
    if chance.random_ratio(3, 4) {
        stage.faults.heal();
        check(stage.until(BACK, |stage| stands(stage, first)).await, "it never went back")?;
        is_clean(stage, open).await?;
    }
    ends_well(stage).await
}

/// Whether all is up and the tunnels stand like this, on the first way.
fn stands(stage: &Stage, tunnels: [TunnelState; 3]) -> bool {
    let snapshot = stage.board.snapshot();
    let stand: Vec<TunnelState> = snapshot.tunnels.iter().map(|tunnel| tunnel.state).collect();
    snapshot.state == RunState::Up && stand == tunnels && snapshot.forwards[0].standby.is_none()
}

fn on_the_second(stage: &Stage) -> bool {
    let snapshot = stage.board.snapshot();
    let standby = snapshot.forwards[0].standby.as_ref();
    snapshot.state == RunState::Up
        && snapshot.tunnels[2].state == TunnelState::Up
        && standby.is_some_and(|it| it.by == [id("two")] && it.instead_of == [id("one")])
}

fn set(stage: &Stage, link: usize, fault: Fault) {
    stage.faults.set(&id(LINKS[link].0), &id(LINKS[link].1), fault);
}

fn id(host: &str) -> HostId {
    HostId::new(host)
}
