//! One hop of a running route: which session goes over it, how that stands, how long it takes there and back.

use crate::engine::{Status, TunnelStatus};
use crate::plan::SaidTunnel;

/// One hop of it.
#[derive(Debug)]
pub(super) struct Hop<'r> {
    /// Who dials.
    pub(super) from: &'r str,
    /// Who is dialled.
    pub(super) to: &'r str,
    /// What is dialled.
    pub(super) dials: Option<&'r str>,
    /// The session that goes over it, and how that stands; `None` for the forward's own connection.
    pub(super) session: Option<(&'r str, Option<&'r TunnelStatus>)>,
    /// How long that takes there and back.
    pub(super) trip: Option<Trip>,
}

/// A round trip, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trip {
    /// Through every session below.
    pub(super) whole: f64,
    /// Without that of the session it rides; `None` when that one was not measured.
    pub(super) own: Option<f64>,
    /// Whether it rides one.
    pub(super) rides: bool,
}

impl Trip {
    fn new<'r>(
        stands: &TunnelStatus,
        through: Option<&str>,
        others: impl Fn(&str) -> Option<&'r TunnelStatus>,
    ) -> Option<Self> {
        let whole = stands.rtt_ms?;
        let own = match through {
            None => Some(whole),
            // Two probes are never taken at once: less than the one below means next to nothing.
            Some(below) => others(below)
                .and_then(|below| below.rtt_ms)
                .map(|below| ((whole - below).max(0.0) * 1e3).round() / 1e3),
        };
        Some(Trip { whole, own, rides: through.is_some() })
    }
}

impl<'r> Hop<'r> {
    /// The hops between these hosts, with the sessions of this chain.
    pub(super) fn walk(route: &'r [String], chain: &[&'r SaidTunnel], status: &'r Status) -> Vec<Hop<'r>> {
        let stands = |id: &str| status.tunnels.iter().find(|one| one.id == id);
        let hop = |pair: &'r [String]| {
            let (from, to) = (pair[0].as_str(), pair[1].as_str());
            let over = chain.iter().find(|tunnel| tunnel.takes(from, to));
            let trip =
                over.and_then(|tunnel| Trip::new(stands(&tunnel.id)?, tunnel.through.as_deref(), stands));
            // A session is measured where it ends.
            let trip = trip.filter(|_| over.is_some_and(|tunnel| tunnel.server == to));
            let dials = over.map(|tunnel| match &tunnel.entry {
                Some(entry) if tunnel.server != to => entry.as_str(),
                _ => tunnel.target.as_str(),
            });
            let session = over.map(|tunnel| (tunnel.id.as_str(), stands(&tunnel.id)));
            Hop { from, to, dials, session, trip }
        };
        route.windows(2).map(hop).collect()
    }
}
