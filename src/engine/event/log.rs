//! How each event reads in a run's own log. Knows the words only.

use super::{Event, Failure};

impl Event {
    /// Writes the event to the log.
    pub fn log(&self) {
        use tracing::{debug, info, warn};
        match self {
            Event::Stage { tunnel, stage } => debug!(%tunnel, stage = stage.as_str(), "opening"),
            Event::Waiting { who, listener, keeper } => info!(?who, listener, %keeper, "waiting"),
            Event::Taken { forward, at, within } => info!(%forward, %at, ?within, "taken"),
            Event::KeyRecorded { tunnel, key } => info!(%tunnel, key, "a new host key is recorded"),
            Event::TunnelUp { tunnel, elapsed, detail } => info!(%tunnel, ?elapsed, detail, "tunnel up"),
            Event::CarrierListening { tunnel, local } => info!(%tunnel, %local, "carrier listens"),
            Event::ForwardListening { forward, at } => info!(%forward, %at, "forward listens"),
            Event::ForwardChecking { forward } => debug!(%forward, "checking"),
            Event::ForwardUp { forward, at, answer, elapsed } => {
                info!(%forward, %at, ?elapsed, answer = answer.as_deref(), "forward up");
            }
            Event::TunnelLost { tunnel, failure, above } => {
                warn!(%tunnel, code = failure.code, above, %failure, "tunnel lost");
            }
            Event::TunnelRests { tunnel, unused } => info!(%tunnel, ?unused, "tunnel rests"),
            Event::ForwardHeld { forward, streams } => warn!(%forward, streams, "forward held"),
            Event::Retry { who, failure, wait } => {
                warn!(?who, code = failure.code, ?wait, %failure, "still away");
            }
            Event::FailedOver { forward, by, instead_of, failure } => {
                warn!(%forward, ?by, ?instead_of, code = failure.code, %failure, "failed over");
            }
            Event::WentBack { forward, route } => info!(%forward, ?route, "went back"),
            Event::Restored { elapsed } => info!(?elapsed, "up again"),
            Event::Verifying { doubt } => info!(?doubt, "verifying"),
            Event::Verified { elapsed } => info!(?elapsed, "verified"),
            Event::TunnelFailed { tunnel, failure } => {
                warn!(%tunnel, code = failure.code, %failure, "tunnel given up");
            }
            Event::ForwardFailed { forward, failure } => {
                warn!(%forward, code = failure.code, %failure, "forward given up");
            }
            Event::Up { elapsed } => info!(?elapsed, "up"),
            Event::Expired { elapsed } => info!(?elapsed, "the lifetime is over"),
            Event::Replanned { plan } => {
                info!(tunnels = plan.tunnels.len(), forwards = plan.forwards.len(), "another plan");
            }
            Event::Reloaded { elapsed } => info!(?elapsed, "reloaded"),
            Event::NotReloaded { failure } => {
                let facts = facts(failure);
                warn!(code = failure.code, facts, %failure, "not reloaded, everything stays as it was");
            }
            Event::Closing => info!("closing"),
            Event::ForwardClosed { forward } => info!(%forward, "forward closed"),
            Event::TunnelClosed { tunnel } => info!(%tunnel, "tunnel closed"),
            Event::Failed(failure) => {
                let facts = facts(failure);
                tracing::error!(code = failure.code, phase = failure.phase.as_str(), facts, "{failure}");
            }
            Event::Down => info!("down"),
        }
    }
}

/// What is known of a failure, in one line.
fn facts(failure: &Failure) -> String {
    failure.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("; ")
}
