//! Every smallest opening: the sets of closed ports that are as small as the smallest.

use petgraph::graph::{EdgeIndex, NodeIndex};

use crate::plan::graph::Edge;
use crate::plan::opening::{SMALLEST, Search, closed, opening};
use crate::topology::{Forward, Target};

/// How many are told beside the one that the help names anyway.
const MOST: usize = 4;

/// A closed link, and the port that would have to open on it.
type Closed = (EdgeIndex, u16);

impl Search<'_, '_> {
    /// The other openings that are as small as the one [`Search::explain`] advises.
    pub(super) fn as_small(&self, forward: &Forward) -> Vec<String> {
        let Some(node) = self.graph.node(forward.to.host()) else { return Vec::new() };
        let mut found = Vec::new();
        match forward.to {
            Target::Within { .. } => {
                self.gather(vec![node], &mut Vec::new(), &mut found);
            }
            Target::Dialled { port, .. } => self.gather_dials(node, port, &mut found),
        }
        if !found.first().is_some_and(|set| self.is_least(forward, set.len())) {
            return Vec::new();
        }
        let told = self.explain(forward).help.into_iter().find(|text| text.starts_with(SMALLEST));
        let mut texts: Vec<String> = found.iter().map(|set| self.advice(set)).collect();
        // Two links between the same hosts read the same; so does what is advised already.
        let mut seen = Vec::new();
        texts.retain(|text| {
            let new = !seen.contains(text) && told.as_ref() != Some(text);
            seen.push(text.clone());
            new
        });
        let more = texts.len() > MOST;
        texts.truncate(MOST);
        let texts = texts.into_iter().map(|text| text.replacen(SMALLEST, "as small, and would do", 1));
        texts.chain(more.then(|| "there are more openings of that size".to_owned())).collect()
    }

    /// Starts with what dials the target.
    fn gather_dials(&self, node: NodeIndex, port: u16, found: &mut Vec<Vec<Closed>>) {
        let mut dials: Vec<_> = self.graph.into(node).collect();
        dials.sort_unstable_by_key(|&(_, id, _)| id);
        let size = |&(from, _, edge): &(NodeIndex, _, &Edge<'_>)| {
            self.openings(from).map(|openings| openings + usize::from(!edge.passes(port)))
        };
        // Or a session on its own host, which dials the port then.
        let own = self.graph.net[node].filter(|host| host.ssh).and_then(|_| self.openings(node));
        let Some(least) = dials.iter().filter_map(size).chain(own).min() else { return };
        dials.retain(|dial| size(dial) == Some(least));
        let (open, shut): (Vec<_>, Vec<_>) = dials.into_iter().partition(|(_, _, edge)| edge.passes(port));
        for (from, id, _) in shut {
            self.gather(vec![from], &mut vec![(id, port)], found);
        }
        self.gather(open.into_iter().map(|(from, ..)| from).collect(), &mut Vec::new(), found);
        if own == Some(least) {
            self.gather(vec![node], &mut Vec::new(), found);
        }
    }

    /// Goes back from these hosts, all of which need as many openings, to local; `taken` are the closed
    /// links on the way, the last first. Each step back needs one less, so no two ways give the same set.
    fn gather(&self, mut hosts: Vec<NodeIndex>, taken: &mut Vec<Closed>, found: &mut Vec<Vec<Closed>>) {
        let Some(level) = hosts.first().and_then(|&host| self.openings(host)) else { return };
        // One more than is told about the same size, one that is told anyway.
        if found.len() >= MOST + 2 {
            return;
        }
        if level == 0 {
            found.push(taken.iter().rev().copied().collect());
            return;
        }
        let mut seen = vec![false; self.graph.net.node_count()];
        let mut shut = Vec::new();
        while let Some(host) = hosts.pop() {
            if std::mem::replace(&mut seen[host.index()], true) {
                continue;
            }
            for (from, id, edge) in self.graph.into(host).filter(|(_, _, edge)| edge.server.ssh) {
                match self.openings(from) {
                    Some(openings) if edge.ssh && openings == level => hosts.push(from),
                    Some(openings) if !edge.ssh && openings + 1 == level => {
                        shut.push((id, from, edge.ssh_port));
                    }
                    _ => {}
                }
            }
        }
        shut.sort_unstable();
        for (id, from, port) in shut {
            taken.push((id, port));
            self.gather(vec![from], taken, found);
            taken.pop();
        }
    }

    fn advice(&self, set: &[Closed]) -> String {
        let closed: Vec<_> = set.iter().map(|&(id, port)| closed(&self.graph.net[id], port)).collect();
        crate::topology::escape(&opening(&closed))
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::fixture::empty;
    use crate::plan::{PlanOptions, explain};
    use crate::topology::Topology;

    fn help(topology: &Topology) -> Vec<String> {
        explain(topology, None, &PlanOptions::default())
            .errors
            .iter()
            .flat_map(|error| error.help())
            .collect()
    }

    #[test]
    fn every_opening_of_the_smallest_size_is_told() {
        let mut topology = empty("t").with_target("web").forward_to("web", "web", 80);
        for host in ["a", "b"] {
            topology =
                topology.with_host(host).with_link("local", host).with(host, "web", |link| link.only(443))
        }
        assert_eq!(
            help(&topology),
            [
                "the smallest opening that would do: port 80 on a -> web",
                "as small, and would do: port 80 on b -> web",
            ]
        );
    }

    #[test]
    fn larger_openings_are_not_told_and_many_are_bounded() {
        let mut topology = empty("t").with_host("in").with_target("web").with_link("in", "web");
        topology = topology.with("local", "web", |link| link.only(443)).forward_to("web", "web", 80);
        topology = topology.with_host("far").with("local", "far", |link| link.only(1));
        topology = topology.with("far", "web", |link| link.only(443));
        for n in 0..9 {
            let host = format!("h{n}");
            topology = topology.with_host(&host).with_link("local", &host);
            topology = topology.with(&host, "in", |link| link.only(80));
        }
        let help = help(&topology);
        assert_eq!(help.len(), 6, "{help:?}");
        assert_eq!(help[0], "the smallest opening that would do: port 80 on local -> web");
        assert!(help.iter().all(|text| !text.contains("far")), "{help:?}");
        assert_eq!(help[5], "there are more openings of that size");
    }
}
