//! The plan as `hopper.plan/1`: grows without breaking, keys in a fixed order.

mod settings;

use serde_json::{Value, json};

use crate::plan::{Alternative, Carrier, FarListener, Plan, PlannedForward, Tunnel};
use crate::topology::HostClient;

/// The plan for programs, as schema `hopper.plan/1`. What is absent is null.
pub fn json(plan: &Plan) -> Value {
    let active = || plan.tunnels.iter().filter(|tunnel| !tunnel.standby);
    let layers = plan.layers.iter().map(|layer| layer.iter().map(|id| &id.0).collect::<Vec<_>>());
    let mut value = json!({
        "schema": "hopper.plan/1",
        "topology": plan.topology,
        "at": plan.at.as_str(),
        "strategy": plan.strategy.as_str(),
        "policy": settings::policy(plan),
        "layers": layers.collect::<Vec<_>>(),
        "tunnels": plan.tunnels.iter().map(tunnel).collect::<Vec<_>>(),
        "forwards": plan.forwards.iter().map(forward).collect::<Vec<_>>(),
        "summary": {
            "tunnels": active().count(),
            "control": active().filter(|tunnel| plan.is_control(&tunnel.id)).count(),
            "hops": plan.hops(),
            "reach": plan.reach(),
            "forwards": plan.forwards.len(),
        },
    });
    // Plans that do not ask for it are as they were before there was any.
    if let Some(terms) = plan.failover {
        value["failover"] = json!({
            "after_ms": settings::millis(terms.after),
            "back_ms": terms.back.map(settings::millis),
        });
        value["summary"]["standby"] = json!(plan.tunnels.len() - active().count());
        for (forward, planned) in plan.forwards.iter().enumerate() {
            value["forwards"][forward]["standby"] = planned.standby.iter().map(way).collect();
        }
    }
    value
}

/// A way that stands by for a forward.
fn way(planned: &PlannedForward) -> Value {
    json!({
        "route": planned.route.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        "via": planned.via.as_ref().map(|id| &id.0),
        "listener": planned.listener.as_ref().map(listener),
        "target": planned.target.to_string(),
        "tunnels": planned.rides().map(|id| &id.0).collect::<Vec<_>>(),
    })
}

fn tunnel(tunnel: &Tunnel) -> Value {
    let (listen, entry) = match &tunnel.carrier {
        Some(Carrier::Port(listen)) => (Some(listen.to_string()), None),
        Some(Carrier::Entry(entry)) => (Some(entry.to_string()), Some(entry.dial.to_string())),
        Some(Carrier::Channel) | None => (None, None),
    };
    let mut value = json!({
        "id": tunnel.id.0,
        "client": tunnel.client.name(),
        "run": tunnel.client.kind().map_or("here", HostClient::as_str),
        "control": tunnel.client.control().map(|id| &id.0),
        "server": tunnel.server.id.as_str(),
        "user": tunnel.server.user,
        "address": tunnel.server.address.to_string(),
        "through": tunnel.through.as_ref().map(|id| &id.0),
        "carrier": tunnel.carrier.as_ref().map(|carrier| carrier.kind().as_str()),
        "listen": listen,
        "entry": entry,
        "target": tunnel.target.to_string(),
        "kept": tunnel.kept.as_ref().map(|kept| json!({ "forward": kept.forward.0, "at": kept.at.as_str() })),
        "settings": settings::settings(&tunnel.server),
    });
    if tunnel.standby {
        value["standby"] = json!(true);
    }
    value
}

fn alternative(other: &Alternative) -> Value {
    json!({
        "route": other.route.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        "cost": other.cost,
        "tunnels": other.tunnels,
    })
}

fn listener(listener: &FarListener) -> Value {
    json!({
        "host": listener.host.as_str(),
        "via": listener.via.0,
        "route": listener.route.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
    })
}

fn forward(planned: &PlannedForward) -> Value {
    json!({
        "id": planned.forward.id.0,
        "listen": planned.forward.near(),
        "listener": planned.listener.as_ref().map(listener),
        "to": planned.forward.to.to_string(),
        "entry": planned.entry.as_ref().map(|entry| entry.dial.to_string()),
        "target": planned.target.to_string(),
        "via": planned.via.as_ref().map(|id| &id.0),
        "route": planned.route.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        "hops": planned.hops(),
        "tunnels": planned.rides().count(),
        "alternatives": planned.alternatives.as_ref().map(|all| all.iter().map(alternative).collect::<Vec<_>>()),
        "check": settings::check(&planned.forward.check),
        "required": planned.forward.required,
        "hold_ms": settings::hold(planned.forward.on_down),
        "protocol": planned.forward.protocol,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::vnc;
    use crate::plan::{PlanOptions, plan};
    use crate::topology::CarrierKind;

    #[test]
    fn the_schema_is_kept_key_by_key() {
        let options = PlanOptions { carrier: Some(CarrierKind::Port), ..PlanOptions::default() };
        let mut topology = vnc();
        topology.hosts[1].user = Some("alice".to_owned());
        topology.links[2].carrier = Some(CarrierKind::Channel);
        let value = json(&plan(&topology, &options).unwrap());
        let usual = json!({
            "auth": ["agent", "key"], "identities": [], "identities_only": false,
            "host_key": { "policy": "strict", "fingerprints": [], "ca": [], "alias": null, "file": null },
            "known_hosts": null,
            "keepalive": { "interval_ms": 5000, "max": 3 },
            "timeout": { "connect_ms": 10000, "banner_ms": 10000, "login_ms": 20000, "forward_ms": 10000 },
            "algorithms": { "kex": null, "host_key": null, "cipher": null, "mac": null, "legacy": false },
        });
        let wanted = json!({
            "schema": "hopper.plan/1",
            "topology": "vnc",
            "at": "local",
            "strategy": "nested",
            "policy": {
                "parallel": 8, "drain_ms": 0, "lifetime_ms": null,
                "reconnect": { "first_ms": 1000, "max_ms": 60000, "factor": 2.0, "jitter": 0.3, "give_up_ms": null, "max_starts": null, "gate_ms": null },
                "probe": { "every_ms": null, "first_ms": null, "timeout_ms": null },
            },
            "layers": [["T1"], ["T2"], ["T3"]],
            "tunnels": [
                { "id": "T1", "client": "local", "run": "here", "control": null, "server": "gate-b", "user": null, "address": "gate-b:22",
                  "through": null, "carrier": null, "listen": null, "entry": null, "target": "gate-b:22", "kept": null, "settings": usual },
                { "id": "T2", "client": "local", "run": "here", "control": null, "server": "gate-c", "user": "alice", "address": "gate-c:22",
                  "through": "T1", "carrier": "port", "listen": "127.0.0.1:auto", "entry": null, "target": "gate-c:22", "kept": null, "settings": usual },
                { "id": "T3", "client": "local", "run": "here", "control": null, "server": "gate-d", "user": null, "address": "gate-d:22",
                  "through": "T2", "carrier": "port", "listen": "127.0.0.1:auto", "entry": null, "target": "gate-d:22", "kept": null, "settings": usual },
            ],
            "forwards": [
                { "id": "vnc", "listen": "127.0.0.1:5901", "listener": null, "to": "screen:5900", "entry": null, "target": "screen:5900", "via": "T3",
                  "route": ["local", "gate-b", "gate-c", "gate-d", "screen"], "hops": 4, "tunnels": 3, "alternatives": [],
                  "check": { "banner": "RFB " }, "required": true, "hold_ms": 10000, "protocol": null },
            ],
            "summary": { "tunnels": 3, "control": 0, "hops": 4, "reach": 4, "forwards": 1 },
        });
        // As text, so that the order of the keys counts.
        assert_eq!(value.to_string(), wanted.to_string());
    }
}
