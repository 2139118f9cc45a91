//! One story: a run comes up, one thing fails and is judged alone, then many things fail at once, and in the
//! end all is well again, or somebody has had enough in the middle of it. What must hold is checked here.

use std::time::Duration;

use hopper::engine::RunState;
use hopper::lab::Fault;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

use super::stage::{Stage, WAYS};

/// How soon a dead layer is noticed, by the promise.
const NOTICED: Duration = Duration::from_secs(21);
/// The longest wait between two tries, with chance, and what a try may take on the way up.
const BACK: Duration = Duration::from_secs(78 + 60);
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// Plays the story of a seed to its end.
pub fn play(seed: u64) {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let mut stage = Stage::new(seed);
        let mut told = Vec::new();
        if let Err(why) = tell(&mut stage, &mut StdRng::seed_from_u64(seed), &mut told).await {
            panic!("seed {seed}: {why}\n\n{}\n\n{}", told.join("\n"), stage.told());
        }
    });
}

async fn tell(stage: &mut Stage, chance: &mut StdRng, told: &mut Vec<String>) -> Result<(), String> {
    check(stage.until(30 * SECOND, Stage::is_whole).await, "it never came up")?;
    sleep(20 * SECOND).await;
    let open = stage.faults.open();
    one_thing_fails(stage, chance.random_range(0..WAYS.len()), chance.random(), told).await?;

    let had_enough = chance.random_ratio(1, 4);
    for _ in 0..chance.random_range(2..10) {
        something_fails(stage, chance, told);
        sleep(Duration::from_millis(chance.random_range(0..30_000))).await;
    }
    if !had_enough {
        told.push(format!("{:9.3} all heals", stage.now().as_secs_f64()));
        stage.faults.heal();
        check(stage.until(BACK, Stage::is_whole).await, "it never came back")?;
        is_clean(stage, open).await?;
    }
    ends_well(stage).await?;
    no_storm(&stage.dials())
}

/// No connection is left of what broke: so many are open as before.
pub(super) async fn is_clean(stage: &Stage, open: usize) -> Result<(), String> {
    let clean = stage.until(60 * SECOND, |stage| stage.faults.open() == open).await;
    check(clean, &format!("{} connections are open, {open} were", stage.faults.open()))
}

/// Somebody wants it down: it goes in time, for no other reason, and leaves no connection.
pub(super) async fn ends_well(stage: &mut Stage) -> Result<(), String> {
    stage.controls.leave.cancel();
    let outcome = timeout(60 * SECOND, &mut stage.outcome).await;
    let outcome = outcome.map_err(|_| "it never went down")?.map_err(|error| error.to_string())?;
    check(outcome.failure.is_none() && outcome.was_up, &format!("it failed: {:?}", outcome.failure))?;
    check(stage.board.snapshot().state == RunState::Down, "it went, and was not down")?;
    stage.faults.heal();
    check(stage.until(60 * SECOND, |stage| stage.faults.open() == 0).await, "connections were left")
}

/// One way fails while all else is well: the right tunnel is blamed in time, what stands below it or beside it
/// never notices, and all comes back.
async fn one_thing_fails(
    stage: &Stage,
    way: usize,
    silent: bool,
    told: &mut Vec<String>,
) -> Result<(), String> {
    let (events, before, failed) = (stage.events(), stage.reconnects(), stage.now());
    told.push(format!("{:9.3} {:?} fails alone, silently: {silent}", failed.as_secs_f64(), WAYS[way]));
    if silent {
        stage.set(way, Fault::Silent);
    } else {
        stage.reset(way);
    }
    check(stage.until(60 * SECOND, |stage| stage.loss_since(events).is_some()).await, "nobody noticed")?;
    let (blamed, at) = stage.loss_since(events).ok_or("nobody noticed")?;
    let (_, _, above) = WAYS[way];
    check(blamed == above[0], &format!("T{} is blamed for {:?}", blamed + 1, WAYS[way]))?;
    let within = if silent { NOTICED } else { 5 * SECOND };
    check(at - failed <= within, &format!("noticed after {:?}", at - failed))?;
    sleep(Duration::from_secs(7)).await;
    stage.faults.heal();
    check(stage.until(BACK, Stage::is_whole).await, "it never came back from that")?;
    let rebuilt = |(t, (after, before)): (usize, (&u64, &u64))| above.contains(&t) == (after > before);
    let after = stage.reconnects();
    let right = after.iter().zip(&before).enumerate().all(rebuilt);
    check(right, &format!("rebuilt: {before:?}, then {after:?}"))
}

/// Something fails, or heals, or is doubted.
fn something_fails(stage: &Stage, chance: &mut StdRng, told: &mut Vec<String>) {
    let way = chance.random_range(0..=WAYS.len());
    let act = chance.random_range(0..8);
    told.push(format!("{:9.3} act {act} on way {way}", stage.now().as_secs_f64()));
    match act {
        0 | 1 => stage.reset(way),
        2 | 3 => stage.set(way, Fault::Silent),
        4 => {
            // The host is gone: what was open ends, and nobody takes anything new.
            stage.reset(way);
            stage.set(way, Fault::Refuses);
        }
        5 | 6 => stage.set(way, Fault::None),
        _ => stage.controls.verify.notify_one(),
    }
}

/// Six tries in ten seconds for each tunnel that a host's own needs, and for itself.
fn no_storm(dials: &[[usize; WAYS.len()]]) -> Result<(), String> {
    let depth = [1, 2, 3, 3];
    for (way, depth) in depth.iter().enumerate() {
        let burst = dials.windows(11).map(|ten| ten[10][way] - ten[0][way]).max().unwrap_or(0);
        check(burst <= 6 * depth + 1, &format!("{:?} was dialled {burst} times in ten seconds", WAYS[way]))?;
    }
    Ok(())
}

pub(super) fn check(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}
