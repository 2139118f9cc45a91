//! Firewalls: named rules that links cross.

use super::Reader;
use super::tree::Entry;
use super::value::{Keys, assign};
use crate::topology::{Firewall, FirewallId, PortSet, quoted};

/// One entry of `firewalls`.
pub(super) fn firewall(reader: &mut Reader, entry: &Entry) -> Firewall {
    const KEYS: Keys = Keys { owner: "a firewall", known: &["label", "allow", "deny"], later: &[] };
    let mut firewall = Firewall {
        id: FirewallId(entry.key.to_string()),
        label: None,
        allow: None,
        deny: PortSet::default(),
    };
    let what = format!("firewall {}", quoted(&entry.key));
    let Some(entries) = reader.map(&entry.node, &what) else { return firewall };
    for entry in reader.known(entries, &KEYS) {
        match entry.key.as_ref() {
            "label" => firewall.label = reader.line(entry),
            "allow" => firewall.allow = reader.ports(entry),
            "deny" => assign(&mut firewall.deny, reader.ports(entry)),
            _ => {}
        }
    }
    firewall
}
