//! What a plan warns of: sessions that may use algorithms that are broken or nearly so, and an agent that is lent.

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
    lines.collect::<String>() + &lent_agents(plan, width)
}

/// Who may use the person's agent, and what that means; and where the file lends it to nobody.
fn lent_agents(plan: &Plan, width: usize) -> String {
    let lends = plan.tunnels.iter().filter(|tunnel| tunnel.server.forward_agent);
    let lines = lends.map(|tunnel| {
        let host = escape(tunnel.server.id.as_str());
        let run = plan.tunnels.iter().filter(|other| other.client.control() == Some(&tunnel.id));
        let clients: Vec<String> = run.map(|other| other.id.to_string()).collect();
        let warning = match clients.is_empty() {
            true => format!(
                "warning: forward_agent of {host} has no effect: no command runs there. It is for a host that runs an \
                 SSH client for others (\"client\": \"exec\")"
            ),
            false => format!(
                "warning: {host} may use your ssh-agent while it runs {}: whoever is root there can log in with your \
                 keys meanwhile, wherever they are taken",
                and(&clients)
            ),
        };
        fold(&warning, 0, 9, width).join("\n") + "\n"
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::line;
    use crate::plan::{PlanOptions, plan};
    use crate::topology::Strategy;

    #[test]
    fn an_agent_is_lent_where_a_client_runs_and_nowhere_else() {
        let mut topology = line(4).with_clients_everywhere();
        topology.hosts[0].forward_agent = true;
        let telescoped = PlanOptions { strategy: Some(Strategy::Telescoped), ..PlanOptions::default() };
        let shown = warnings(&plan(&topology, &telescoped).unwrap(), 80);
        assert!(shown.starts_with("warning: h1 may use your ssh-agent while it runs T2: "), "{shown}");
        let nested = warnings(&plan(&topology, &PlanOptions::default()).unwrap(), 80);
        assert!(nested.starts_with("warning: forward_agent of h1 has no effect: no command"), "{nested}");
        assert!(nested.lines().all(|line| line.len() <= 80), "{nested}");
    }

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
