//! The plan as `hopper.plan/1`: grows without breaking, keys in a fixed order.

use serde_json::{Value, json};

use crate::plan::{Carrier, Plan, PlannedForward, Tunnel};

/// The plan for programs, as schema `hopper.plan/1`. What is absent is null.
pub fn json(plan: &Plan) -> Value {
    let layers = plan.layers.iter().map(|layer| layer.iter().map(|id| &id.0).collect::<Vec<_>>());
    json!({
        "schema": "hopper.plan/1",
        "topology": plan.topology,
        "strategy": plan.strategy.as_str(),
        "layers": layers.collect::<Vec<_>>(),
        "tunnels": plan.tunnels.iter().map(tunnel).collect::<Vec<_>>(),
        "forwards": plan.forwards.iter().map(forward).collect::<Vec<_>>(),
        "summary": {
            "tunnels": plan.tunnels.len(),
            "hops": plan.hops(),
            "reach": plan.reach(),
            "forwards": plan.forwards.len(),
        },
    })
}

fn tunnel(tunnel: &Tunnel) -> Value {
    let listen = match tunnel.carrier {
        Some(Carrier::Port(listen)) => Some(listen.to_string()),
        Some(Carrier::Channel) | None => None,
    };
    json!({
        "id": tunnel.id.0,
        "client": tunnel.client.as_str(),
        "server": tunnel.server.id.as_str(),
        "user": tunnel.server.user,
        "address": tunnel.server.address.to_string(),
        "through": tunnel.through.as_ref().map(|id| &id.0),
        "carrier": tunnel.carrier.map(|carrier| carrier.kind().as_str()),
        "listen": listen,
        "target": tunnel.target.to_string(),
    })
}

fn forward(planned: &PlannedForward) -> Value {
    json!({
        "id": planned.forward.id.0,
        "listen": planned.forward.listen.to_string(),
        "to": planned.forward.to.to_string(),
        "via": planned.via.as_ref().map(|id| &id.0),
        "route": planned.route.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        "hops": planned.hops(),
        "tunnels": planned.tunnels.len(),
    })
}
