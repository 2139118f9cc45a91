//! The policy: settings that belong to no single host, link or forward.

use super::Reader;
use super::tree::Node;
use super::value::{Keys, assign};
use crate::topology::{Policy, Strategy};

/// The value of `policy`.
pub(super) fn policy(reader: &mut Reader, node: &Node) -> Policy {
    const KEYS: Keys = Keys {
        owner: "the policy",
        known: &["strategy", "parallel"],
        later: &["reconnect", "probe", "drain", "failover"],
    };
    let mut policy = Policy::default();
    let Some(entries) = reader.map(node, "\"policy\"") else { return policy };
    for entry in reader.known(entries, &KEYS) {
        match entry.key.as_ref() {
            "strategy" => {
                let strategies = [Strategy::Nested, Strategy::Telescoped].map(|it| (it.as_str(), it));
                let strategy = reader.choice(&entry.node, "the strategy", &strategies, &[]);
                assign(&mut policy.strategy, strategy);
            }
            "parallel" => assign(&mut policy.parallel, reader.number(entry, 1..=64).map(|n| n as usize)),
            _ => {}
        }
    }
    policy
}
