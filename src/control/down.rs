//! `down` as a whole: ask, wait until the run is really over, remove what a dead one left. Idempotent;
//! it asks and never kills.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Client, Closed, Limits, Place, failure};
use crate::engine::Failure;

/// How often the end of the run's process is looked for; a lock has no event to wait on.
const LOOK: Duration = Duration::from_millis(10);

/// How a `down` ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The run took itself down and its process let go of everything.
    Closed,
    /// The run ended without a word, and this is what it left behind and was removed.
    Died(Vec<PathBuf>),
    /// Nothing ran; this is what an earlier run had left and was removed.
    NotRunning(Vec<PathBuf>),
}

/// Takes the run at this place down and returns when nothing is left of it, its lock included.
/// `closed` hears of each thing that is gone.
///
/// # Errors
/// H0907 (exit 124) when it is not over after `patience`; it goes on closing. H0903, H0905, H0908 as
/// for [`Client`] and [`Place`].
pub async fn down(
    place: &Place,
    limits: Limits,
    patience: Duration,
    closed: impl FnMut(Closed),
) -> Result<Ended, Failure> {
    let deadline = Instant::now() + patience;
    match timeout_at(deadline, to_the_end(place, limits, closed)).await {
        Ok(ended) => ended,
        Err(_) => Err(failure::still_closing(place.name(), patience)),
    }
}

async fn to_the_end(place: &Place, limits: Limits, mut closed: impl FnMut(Closed)) -> Result<Ended, Failure> {
    let Some(run) = place.watch()? else { return Ok(Ended::NotRunning(place.clean_up()?)) };
    let said = loop {
        match Client::connect(place, limits).await {
            Ok(mut client) => break client.down(&mut closed).await?,
            Err(failure) if failure.code == "H0901" => break false,
            // Starting or closing, and without a socket at this instant.
            Err(failure) if failure.code == "H0906" && run.lives()? => pause().await,
            Err(failure) if failure.code == "H0906" => break false,
            Err(failure) => return Err(failure),
        }
    };
    while run.lives()? {
        pause().await;
    }
    if said {
        return Ok(Ended::Closed);
    }
    match place.clean_up() {
        // Somebody starts it anew already, and found the remains.
        Err(failure) if failure.code == "H0902" => Ok(Ended::Died(Vec::new())),
        cleaned => cleaned.map(Ended::Died),
    }
}

async fn pause() {
    sleep_until(Instant::now() + LOOK).await;
}
