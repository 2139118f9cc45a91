//! The worked example of the design, read whole.

use super::good;

#[test]
fn the_screen_behind_three_firewalls() {
    let topology = good(
        r#"{
          "$schema": "../docs/schema/hopper-1.schema.json",
          "hopper": 1,
          "name": "vnc-through-three-firewalls",
          "description": "A screen behind three firewalls",
          "firewalls": {
            "fw1": { "label": "office edge", "allow": [22], "deny": ["5900-5999"] },
            "fw2": { "label": "DMZ",         "allow": [22], "deny": ["5900-5999"] },
            "fw3": { "label": "laboratory",  "allow": [22], "deny": ["5900-5999"] }
          },
          "hosts": {
            "gate-a": "alice@gate-a.example.net",              // short form user@address:port
            "gate-b": "alice@gate-b.dmz",
            "gate-c": "alice@gate-c.lab",
            "vnc": { "address": "10.9.8.7", "ssh": false },
          },
          "links": [
            { "from": "local",  "to": "gate-a", "through": ["fw1"] },
            { "from": "gate-a", "to": "gate-b", "through": ["fw2"] },
            { "from": "gate-b", "to": "gate-c", "through": ["fw3"] },
            { "from": "gate-c", "to": "vnc", "ports": [5900] },
          ],
          "forwards": {
            "screen": { "listen": 5900, "to": "vnc:5900", "protocol": "vnc", "check": { "banner": "RFB " } }
          }
        }"#,
    );
    let order: Vec<_> = topology.hosts.iter().map(|host| host.id.as_str()).collect();
    assert_eq!(order, ["gate-a", "gate-b", "gate-c", "vnc"]);
    assert_eq!((topology.firewalls.len(), topology.links.len(), topology.forwards.len()), (3, 4, 1));
    assert_eq!(topology.forwards[0].to.to_string(), "vnc:5900");
}

#[test]
fn the_examples_of_the_handbook_are_read() {
    let handbook = include_str!("../../../../docs/topology.md");
    let examples: Vec<&str> =
        handbook.split("```jsonc\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 2);
    let screen = good(examples[0]);
    assert_eq!(screen.hosts[0].user.as_deref(), Some("alice"));
    assert_eq!(screen.hosts[1].address.to_string(), "gate-b.dmz:2222");
    assert_eq!(good(examples[1]).hosts.len(), 2);
}
