//! Blame for a server that has no algorithm in common with hopper.

use super::TunnelBlame;
use crate::engine::{Exit, Failure, Phase};
use crate::topology::{AlgorithmKind, escape};

impl TunnelBlame<'_> {
    /// Nothing of this kind is taken by both.
    pub(super) fn nothing_in_common(&self, kind: AlgorithmKind, offered: &[String]) -> Failure {
        /// Of a server's own words, no more than this is shown.
        const SHOWN: usize = 16;
        let server = self.server();
        let message = format!("{server} has no {} in common with hopper", kind.for_people());
        let mut failure = self.failure("H0610", Exit::Unreachable, Phase::Keys, message);
        let algorithms = &self.tunnel.server.algorithms;
        let few: Vec<&str> = offered.iter().take(SHOWN).map(String::as_str).collect();
        failure.facts.push(("it offers", escape(&few.join(", "))));
        failure.facts.push(("hopper takes", algorithms.taken(kind).join(", ")));
        if let Some(known) = offered.iter().find_map(|name| kind.find(name)) {
            failure.help.push(format!("best: give {server} a newer SSH server"));
            failure.help.push(match kind.legacy().contains(&known) {
                true => format!(
                    "or take what is broken or nearly so, for this host only: \"{server}\": {{ …, \"algorithms\": \
                     \"legacy\" }}"
                ),
                false => format!(
                    "or let this host have it: \"{server}\": {{ …, \"algorithms\": {{ \"{}\": [\"{known}\"] }} }}",
                    kind.as_str()
                ),
            });
        } else {
            failure.help.push(format!("{server} needs a newer SSH server: hopper has none of these"));
        }
        failure
    }
}
