//! An explanation as `hopper.explain/1`: grows without breaking, keys in a fixed order.

use serde_json::{Value, json};

use crate::plan::{Crossing, Explained, Explanation, Hop, Lost, Route};

/// The explanation for programs, as schema `hopper.explain/1`. What is absent is null. `errors` is left
/// empty: errors have a schema of their own.
pub fn why_json(explanation: &Explanation) -> Value {
    json!({
        "schema": "hopper.explain/1",
        "topology": explanation.topology,
        "forwards": explanation.forwards.iter().map(forward).collect::<Vec<_>>(),
        "errors": [],
    })
}

fn forward(explained: &Explained) -> Value {
    let runners_up = explained.runners_up.iter().map(|other| {
        let (reason, by) = match other.lost_to(&explained.chosen, explained.strategy) {
            Lost::Dearer(by) => ("dearer", Some(by)),
            Lost::MoreTunnels(by) => ("more-tunnels", u64::try_from(by).ok()),
            Lost::Later => ("later-in-file", None),
        };
        let mut value = route(other);
        value["lost"] = json!({ "reason": reason, "by": by });
        value
    });
    json!({
        "id": explained.forward.id.0,
        "to": explained.forward.to.to_string(),
        "strategy": explained.strategy.as_str(),
        "chosen": route(&explained.chosen),
        "control": explained.control.iter().map(link).collect::<Vec<_>>(),
        "listener": explained.listener.as_ref().map(route),
        "runners_up": runners_up.collect::<Vec<_>>(),
        "stand_in": explained.apart.as_ref().map(route),
        "single_points": explained.single_points.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        "cut": explained.cut,
    })
}

fn route(route: &Route) -> Value {
    json!({
        "route": route.hosts().map(|id| id.as_str().to_owned()).collect::<Vec<_>>(),
        "cost": route.cost,
        "tunnels": route.tunnels,
        "links": route.hops.iter().map(link).collect::<Vec<_>>(),
    })
}

fn link(hop: &Hop) -> Value {
    let firewalls = hop.firewalls.iter().map(|wall| {
        json!({
            "id": wall.id.0,
            "allow": wall.allow.as_ref().map(ToString::to_string),
            "deny": Some(&wall.deny).filter(|deny| !deny.ranges().is_empty()).map(ToString::to_string),
        })
    });
    json!({
        "from": hop.link.from.as_str(),
        "to": hop.link.to.as_str(),
        "place": hop.place,
        "cost": hop.link.cost,
        "session": hop.crossing == Crossing::Session,
        "crossing": hop.crossing.as_str(),
        "dials": hop.target.to_string(),
        "port": hop.target.port,
        "ports": hop.link.ports.as_ref().map(ToString::to_string),
        "firewalls": firewalls.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::empty;
    use crate::plan::{PlanOptions, explain};

    #[test]
    fn the_schema_is_kept_key_by_key() {
        let topology = empty("t")
            .with_wall("fw", 5900..=5999)
            .with_target("web")
            .with("local", "web", |link| link.wall("fw"))
            .with("local", "web", |link| {
                link.cost = 12;
                link.only(80);
            })
            .forward_to("web", "web", 80);
        let first = json!({ "from": "local", "to": "web", "place": 0, "cost": 10, "session": false, "crossing": "target",
            "dials": "web:80", "port": 80, "ports": null,
            "firewalls": [{ "id": "fw", "allow": null, "deny": "5900-5999" }] });
        let second = json!({ "from": "local", "to": "web", "place": 1, "cost": 12, "session": false, "crossing": "target",
            "dials": "web:80", "port": 80, "ports": "80", "firewalls": [] });
        let wanted = json!({
            "schema": "hopper.explain/1",
            "topology": "t",
            "forwards": [{
                "id": "web",
                "to": "web:80",
                "strategy": "nested",
                "chosen": { "route": ["local", "web"], "cost": 10, "tunnels": 0, "links": [first] },
                "control": [], "listener": null, "runners_up": [{ "route": ["local", "web"], "cost": 12, "tunnels": 0, "links": [second],
                    "lost": { "reason": "dearer", "by": 2 } }],
                "stand_in": { "route": ["local", "web"], "cost": 12, "tunnels": 0, "links": [second] },
                "single_points": [],
                "cut": false,
            }],
            "errors": [],
        });
        // As text, so that the order of the keys counts.
        assert_eq!(
            why_json(&explain(&topology, None, &PlanOptions::default())).to_string(),
            wanted.to_string()
        );
    }
}
