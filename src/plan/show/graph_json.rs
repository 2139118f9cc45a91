//! A topology as `hopper.graph/1`: grows without breaking, keys in a fixed order.

use serde_json::{Value, json};

use crate::topology::{Firewall, Forward, Host, Link, PortSet, Topology};

/// The topology for programs, as schema `hopper.graph/1`. What is absent is null.
pub fn graph_json(topology: &Topology) -> Value {
    json!({
        "schema": "hopper.graph/1",
        "topology": topology.name,
        "firewalls": topology.firewalls.iter().map(firewall).collect::<Vec<_>>(),
        "hosts": topology.hosts.iter().map(host).collect::<Vec<_>>(),
        "links": topology.links.iter().map(link).collect::<Vec<_>>(),
        "forwards": topology.forwards.iter().map(forward).collect::<Vec<_>>(),
    })
}

fn firewall(wall: &Firewall) -> Value {
    json!({
        "id": wall.id.0,
        "label": wall.label,
        "allow": wall.allow.as_ref().map(PortSet::to_string),
        "deny": wall.deny.to_string(),
    })
}

fn host(host: &Host) -> Value {
    json!({
        "id": host.id.as_str(),
        "label": host.label,
        "address": host.address.to_string(),
        "user": host.user,
        "ssh": host.ssh,
    })
}

fn link(link: &Link) -> Value {
    json!({
        "from": link.from.as_str(),
        "to": link.to.as_str(),
        "ports": link.ports.as_ref().map(PortSet::to_string),
        "through": link.through.iter().map(|id| &id.0).collect::<Vec<_>>(),
        "cost": link.cost,
    })
}

fn forward(forward: &Forward) -> Value {
    json!({
        "id": forward.id.0,
        "listen": forward.near(),
        "to": forward.to.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::vnc;

    #[test]
    fn the_schema_is_kept_key_by_key() {
        let mut topology = vnc();
        topology.hosts.truncate(1);
        topology.firewalls.truncate(1);
        topology.links.drain(1..3);
        let wanted = json!({
            "schema": "hopper.graph/1",
            "topology": "vnc",
            "firewalls": [{ "id": "fw1", "label": null, "allow": null, "deny": "5900-5999" }],
            "hosts": [{ "id": "gate-b", "label": null, "address": "gate-b:22", "user": null, "ssh": true }],
            "links": [
                { "from": "local", "to": "gate-b", "ports": null, "through": ["fw1"], "cost": 10 },
                { "from": "gate-d", "to": "screen", "ports": "5900", "through": [], "cost": 10 },
            ],
            "forwards": [{ "id": "vnc", "listen": "127.0.0.1:5901", "to": "screen:5900" }],
        });
        // As text, so that the order of the keys counts.
        assert_eq!(graph_json(&topology).to_string(), wanted.to_string());
    }
}
