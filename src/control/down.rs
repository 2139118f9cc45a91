//! `down` as a whole: ask, wait until the run is really over, remove what a dead one left. Idempotent;
//! it asks and never kills.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

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

/// Something that is gone, with the name a person knows it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// A forward no longer listens and its streams are gone.
    Forward(String),
    /// A tunnel's session is gone.
    Tunnel {
        /// Its id in the plan.
        id: String,
        /// The host logged in to; `None` when the run did not say.
        server: Option<String>,
    },
}

/// Takes the run at this place down and returns when nothing is left of it, its lock included.
/// `gone` hears of each thing that is gone.
///
/// # Errors
/// H0907 (exit 124) when it is not over after `patience`; it goes on closing. H0903, H0905, H0908 as
/// for [`Client`] and [`Place`].
pub async fn down(
    place: &Place,
    limits: Limits,
    patience: Duration,
    gone: impl FnMut(Gone),
) -> Result<Ended, Failure> {
    match timeout(patience, to_the_end(place, limits, gone)).await {
        Ok(ended) => ended,
        Err(_) => Err(failure::still_closing(place.name(), patience)),
    }
}

async fn to_the_end(place: &Place, limits: Limits, mut gone: impl FnMut(Gone)) -> Result<Ended, Failure> {
    let Some(run) = place.watch()? else { return Ok(Ended::NotRunning(place.clean_up()?)) };
    let said = loop {
        match connect(place, limits).await {
            Ok((mut client, servers)) => {
                let named = |closed| match closed {
                    Closed::Forward(id) => gone(Gone::Forward(id)),
                    Closed::Tunnel(id) => gone(Gone::Tunnel { server: servers.get(&id).cloned(), id }),
                };
                break client.down(named).await?;
            }
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

/// The run, and the host of each of its tunnels. What closes is told by id; asking for the names first
/// needs no word that an older run, or an older client, would not know.
async fn connect(place: &Place, limits: Limits) -> Result<(Client, HashMap<String, String>), Failure> {
    let mut client = Client::connect(place, limits).await?;
    let tunnels = match client.status().await {
        Ok(status) => status.tunnels,
        // It says how it stands in a way that we do not understand; it can go down all the same.
        Err(failure) if failure.code == "H0905" => Vec::new(),
        Err(failure) => return Err(failure),
    };
    Ok((client, tunnels.into_iter().map(|tunnel| (tunnel.id, tunnel.server)).collect()))
}

async fn pause() {
    sleep_until(Instant::now() + LOOK).await;
}
