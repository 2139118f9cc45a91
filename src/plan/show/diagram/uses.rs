//! Who uses which link of a topology: the tunnels and forwards of a plan. Draws nothing.

use std::collections::HashMap;

use crate::plan::{Carrier, Plan, TunnelId};
use crate::topology::{Endpoint, HostId, escape};

/// Who uses a link.
#[derive(Default)]
pub(super) struct Use {
    /// The tunnels and forwards that begin or end with it.
    pub(super) riders: Vec<String>,
    /// How deep the sessions are that pass over it: the outermost, and the innermost.
    pub(super) tubes: Option<(usize, usize)>,
}

/// A forward that ends within a host.
pub(super) struct Inner {
    /// That host.
    pub(super) host: HostId,
    /// What is dialled there.
    pub(super) endpoint: String,
    /// The forward's id.
    pub(super) forward: String,
}

/// Who uses which link, by the link's place in the file, and the forwards that end within a host.
pub(super) fn uses(plan: &Plan) -> (HashMap<usize, Use>, Vec<Inner>) {
    let mut uses: HashMap<usize, Use> = HashMap::new();
    for (tunnel, tubes) in plan.tunnels.iter().zip(tubes(plan)) {
        // Where a host in between lets it in, and where it leaves for its server; what lies between belongs to
        // the tunnel it rides, which is marked for itself.
        let entry = match &tunnel.carrier {
            Some(Carrier::Entry(entry)) => Some(entry.link),
            _ => None,
        };
        for link in entry.into_iter().chain([tunnel.link]) {
            let of = uses.entry(link).or_default();
            of.riders.push(tunnel.id.to_string());
            of.tubes = Some(of.tubes.map_or(tubes, |(out, inner)| (out.min(tubes.0), inner.max(tubes.1))));
        }
    }
    let mut within = Vec::new();
    for planned in &plan.forwards {
        let id = escape(&planned.forward.id.0);
        let mut mark = |link: usize, port: u16| {
            uses.entry(link).or_default().riders.push(format!("{id} :{port}"));
        };
        if let Some(entry) = &planned.entry {
            mark(entry.link, entry.port());
        }
        if let Some(listener) = &planned.listener {
            let endpoint = format!("listens on {}", planned.forward.listen);
            within.push(Inner { host: listener.host.clone(), endpoint, forward: id.clone() });
        }
        match (&planned.target, planned.links.last()) {
            (Endpoint::Tcp(address), Some(&link)) if !planned.within => mark(link, address.port),
            (target, _) => {
                let endpoint = escape(&target.to_string());
                within.push(Inner { host: planned.forward.to.host().clone(), endpoint, forward: id });
            }
        }
    }
    (uses, within)
}

/// For each tunnel, its depth and that of the deepest one that rides it, itself included.
fn tubes(plan: &Plan) -> Vec<(usize, usize)> {
    let places: HashMap<&TunnelId, usize> =
        plan.tunnels.iter().enumerate().map(|(place, tunnel)| (&tunnel.id, place)).collect();
    let below: Vec<Option<usize>> = plan
        .tunnels
        .iter()
        .map(|tunnel| tunnel.through.as_ref().and_then(|id| places.get(id).copied()))
        .collect();
    // A tunnel comes after the one it rides: one pass inwards, one back.
    let mut tubes: Vec<(usize, usize)> = Vec::with_capacity(below.len());
    for below in &below {
        let depth = below.and_then(|below| tubes.get(below)).map_or(1, |tube| tube.0 + 1);
        tubes.push((depth, depth));
    }
    for (place, below) in below.iter().enumerate().rev() {
        let deepest = tubes[place].1;
        if let Some(tube) = below.and_then(|below| tubes.get_mut(below)) {
            tube.1 = tube.1.max(deepest);
        }
    }
    tubes
}
