//! Laws that hold for plans of either strategy.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::property::written;
use super::property_telescope::telescoped;
use super::{Plan, PlanError, PlanOptions, TunnelId, plan};
use crate::topology::{Strategy as Placement, Topology, parse};

const STRATEGIES: [Placement; 2] = [Placement::Nested, Placement::Telescoped];

fn options(strategy: Placement) -> PlanOptions {
    PlanOptions { strategy: Some(strategy), ..PlanOptions::default() }
}

/// Whether it is only the ports of listeners that do not suffice for all forwards together.
fn too_few_ports(errors: &[PlanError]) -> bool {
    errors.iter().all(|error| matches!(error, PlanError::NoPort(_)))
}

/// Keeps only the forwards that have a route.
fn reachable(topology: &Topology, strategy: Placement) -> Topology {
    let mut topology = topology.clone();
    let forwards = std::mem::take(&mut topology.forwards);
    for forward in forwards {
        let alone = Topology { forwards: vec![forward.clone()], ..topology.clone() };
        if plan(&alone, &options(strategy)).is_ok() {
            topology.forwards.push(forward);
        }
    }
    topology
}

/// Whether every forward still works when these tunnels are not built, nor anything that needs them.
fn all_work_without(plan: &Plan, gone: &TunnelId) -> bool {
    let mut down: BTreeSet<&TunnelId> = BTreeSet::from([gone]);
    for tunnel in &plan.tunnels {
        if tunnel.needs().any(|under| down.contains(under)) {
            down.insert(&tunnel.id);
        }
    }
    plan.forwards.iter().all(|planned| planned.via.as_ref().is_none_or(|via| !down.contains(via)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn without_any_one_tunnel_something_declared_is_unreachable(topology in telescoped()) {
        for strategy in STRATEGIES {
            let plan = match plan(&reachable(&topology, strategy), &options(strategy)) {
                Ok(plan) => plan,
                Err(errors) => {
                    prop_assert!(too_few_ports(&errors), "{errors:?}");
                    continue;
                }
            };
            for tunnel in &plan.tunnels {
                prop_assert!(!all_work_without(&plan, &tunnel.id), "{strategy:?}: {} is for nothing", tunnel.id);
            }
        }
    }

    #[test]
    fn the_order_of_keys_and_hosts_does_not_matter(topology in telescoped()) {
        for strategy in STRATEGIES {
            let topology = reachable(&topology, strategy);
            let told = |turn: fn(&mut [String])| {
                let file = written(&topology, turn);
                parse(&file, "random").map(|topology| plan(&topology, &options(strategy)))
            };
            let plain = told(|_| {});
            prop_assert_eq!(&plain, &told(<[String]>::reverse));
            prop_assert_eq!(&plain, &told(|keys| keys.rotate_left(keys.len() / 2)));
            let planned = plain.unwrap();
            prop_assert!(planned.as_ref().err().is_none_or(|errors| too_few_ports(errors)), "{planned:?}");
        }
    }
}
