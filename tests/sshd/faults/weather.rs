//! Packets that vanish by a rule: what a firewall or a bad line does to a host of the bed.

use super::super::bed::Bed;
use super::super::command::{feed, must};

impl Bed {
    /// From now on this rule of nftables is asked about all that comes in at a host, before any other.
    pub fn filter(&self, host: usize, rule: &str) {
        self.weather(host, "input", rule);
    }

    /// From now on nothing leaves a host.
    pub fn mute(&self, host: usize) {
        self.weather(host, "output", "oifname != lo drop");
    }

    /// What [`Bed::filter`] or [`Bed::mute`] did is undone.
    pub fn unfilter(&self, host: usize) {
        must(self.on(host, "nft").args(["delete", "table", "inet", "weather"]));
    }

    fn weather(&self, host: usize, hook: &str, rule: &str) {
        let table = format!(
            "table inet weather {{
               chain it {{
                 type filter hook {hook} priority -10;
                 {rule}
               }}
             }}"
        );
        feed(self.on(host, "nft").args(["-f", "-"]), &table);
    }
}
