//! What each host must allow as `hopper.grants/1`: grows without breaking, keys in a fixed order.

use serde_json::{Value, json};

use super::grants::{options, rules, settings, spelled};
use crate::plan::{Grant, Grants, KeyGrant, Rider};

/// The grants for programs, as schema `hopper.grants/1`. What is absent is null.
pub fn grants_json(grants: &Grants) -> Value {
    json!({
        "schema": "hopper.grants/1",
        "topology": grants.topology,
        "hosts": grants.hosts.iter().map(host).collect::<Vec<_>>(),
    })
}

fn host(grant: &Grant) -> Value {
    let ports = grant.ports.iter().map(|port| {
        json!({
            "port": port.port,
            "from": port.from.as_str(),
            "dialled": port.dialled.to_string(),
            "for": port.riders.iter().map(rider).collect::<Vec<_>>(),
        })
    });
    json!({
        "id": grant.host.as_str(),
        "user": grant.user,
        "keys": grant.keys.iter().map(key).collect::<Vec<_>>(),
        "ports": ports.collect::<Vec<_>>(),
        "sshd_config": settings(grant),
        "nftables": Some(rules(grant)).filter(|rules| !rules.is_empty()),
    })
}

fn key(key: &KeyGrant) -> Value {
    let opens = key.opens.iter().map(
        |open| json!({ "to": spelled(&open.to), "for": open.riders.iter().map(rider).collect::<Vec<_>>() }),
    );
    let listens = key
        .listens
        .iter()
        .map(|asked| json!({ "at": asked.listen.to_string(), "for": { "forward": asked.forward.0 } }));
    json!({
        "tunnel": key.tunnel.0,
        "client": key.client.as_str(),
        "opens": opens.collect::<Vec<_>>(),
        "listens": listens.collect::<Vec<_>>(),
        "options": options(key),
    })
}

fn rider(rider: &Rider) -> Value {
    match rider {
        Rider::Tunnel(id) => json!({ "tunnel": id.0 }),
        Rider::Forward(id) => json!({ "forward": id.0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::empty;
    use crate::plan::{PlanOptions, grants, plan};

    #[test]
    fn the_schema_is_kept_key_by_key() {
        let mut topology = empty("t")
            .with_host("gate")
            .with_target("web")
            .with_link("local", "gate")
            .with_link("gate", "web")
            .forward_to("page", "web", 80);
        topology.hosts[0].user = Some("alice".to_owned());
        let grants = grants(&[plan(&topology, &PlanOptions::default()).unwrap()]);
        let settings = settings(&grants.hosts[0]).unwrap();
        let rules = |port| {
            format!("table inet filter {{\n    chain input {{\n        tcp dport {port} accept\n    }}\n}}\n")
        };
        let wanted = json!({
            "schema": "hopper.grants/1",
            "topology": "t",
            "hosts": [
                {
                    "id": "gate",
                    "user": "alice",
                    "keys": [{ "tunnel": "T1", "client": "local",
                        "opens": [{ "to": "web:80", "for": [{ "forward": "page" }] }],
                        "listens": [],
                        "options": "restrict,command=\"false\",port-forwarding,permitopen=\"web:80\",\
                                    permitlisten=\"NONE.invalid:1\"" }],
                    "ports": [{ "port": 22, "from": "local", "dialled": "gate:22",
                        "for": [{ "tunnel": "T1" }] }],
                    "sshd_config": settings,
                    "nftables": rules(22),
                },
                {
                    "id": "web",
                    "user": null,
                    "keys": [],
                    "ports": [{ "port": 80, "from": "gate", "dialled": "web:80",
                        "for": [{ "forward": "page" }] }],
                    "sshd_config": null,
                    "nftables": rules(80),
                },
            ],
        });
        // As text, so that the order of the keys counts.
        assert_eq!(grants_json(&grants).to_string(), wanted.to_string());
    }
}
