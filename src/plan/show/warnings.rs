//! What a plan warns of: sessions that may use algorithms that are broken or nearly so.

use super::{and, fold};
use crate::plan::Plan;
use crate::topology::escape;

/// One warning a line, folded to so many columns; nothing when there is nothing to warn of. Hosts that may use
/// the same algorithms share one.
pub fn warnings(plan: &Plan, width: usize) -> String {
    let mut shared: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
    for tunnel in &plan.tunnels {
        let (weak, id) = (tunnel.server.algorithms.weak(), escape(tunnel.server.id.as_str()));
        match shared.iter_mut().find(|(known, _)| *known == weak) {
            _ if weak.is_empty() => {}
            Some((_, hosts)) if hosts.contains(&id) => {}
            Some((_, hosts)) => hosts.push(id),
            None => shared.push((weak, vec![id])),
        }
    }
    let lines = shared.into_iter().map(|(weak, hosts)| {
        let warning = format!(
            "warning: {} may use algorithms that are broken or nearly so: {}",
            and(&hosts),
            weak.join(", ")
        );
        fold(&warning, 0, 9, width).join("\n") + "\n"
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::line;
    use crate::plan::{PlanOptions, plan};

    #[test]
    fn a_host_that_takes_the_old_set_is_warned_of_by_name() {
        let mut topology = line(3);
        let plain = plan(&topology, &PlanOptions::default()).unwrap();
        assert_eq!(warnings(&plain, 80), "");
        topology.hosts[0].algorithms.legacy = true;
        topology.hosts[1].algorithms.legacy = true;
        let shown = warnings(&plan(&topology, &PlanOptions::default()).unwrap(), 80);
        assert!(shown.starts_with("warning: h1 and h2 may use algorithms that are broken or nearly so:\n"));
        assert!(shown.contains("diffie-hellman-group1-sha1,") && shown.contains("aes128-cbc,"), "{shown}");
        assert_eq!(shown.matches("warning").count(), 1);
    }
}
