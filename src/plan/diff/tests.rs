//! What a plan changes of another one.

use serde_json::json;

use super::*;
use crate::plan::fixture::vnc;
use crate::plan::{PlanOptions, plan};
use crate::topology::{CarrierKind, Topology};

fn planned(topology: &Topology, carrier: Option<CarrierKind>) -> Plan {
    plan(topology, &PlanOptions { carrier, ..PlanOptions::default() }).unwrap()
}

/// `+T1` and so on, with what changes.
fn steps(before: &Topology, after: &Topology) -> Vec<String> {
    let running = show::json(&planned(before, None));
    let found = diff(Some(&running), &planned(after, None)).unwrap();
    let sign = |part: &Part| {
        let changes: Vec<_> = part.changes.iter().map(|change| change.what.as_str()).collect();
        let sign = match part.step {
            Step::Open => '+',
            Step::Change => '~',
            Step::Close => '-',
            Step::Keep => '=',
        };
        format!("{sign}{} {}", part.id, changes.join(" ")).trim_end().to_owned()
    };
    found.tunnels.iter().chain(&found.forwards).map(sign).collect()
}

#[test]
fn the_same_plan_keeps_everything_and_no_run_opens_everything() {
    let topology = vnc();
    assert_eq!(steps(&topology, &topology), ["=T1", "=T2", "=T3", "=vnc"]);
    let found = diff(None, &planned(&topology, None)).unwrap();
    assert_eq!((found.count(Step::Open), found.is_none()), (4, false));
}

#[test]
fn another_user_means_another_session_and_all_that_ride_it() {
    let mut after = vnc();
    after.hosts[1].user = Some("bob".to_owned());
    assert_eq!(steps(&vnc(), &after), ["=T1", "+T2", "+T3", "-T3", "-T2", "~vnc via"]);
}

#[test]
fn a_tunnel_is_known_by_what_it_is_and_not_by_its_number() {
    let after = vnc().with_host("a-first").with_link("local", "a-first").with_link("a-first", "screen");
    let mut dear = vnc();
    dear.forwards[0].listen.port = 5902;
    // One cheap gate instead of three.
    assert_eq!(steps(&vnc(), &after), ["+T1", "-T3", "-T2", "-T1", "~vnc route"]);
    assert_eq!(steps(&vnc(), &dear), ["=T1", "=T2", "=T3", "~vnc listen"]);
    let more = vnc()
        .with_host("aside")
        .with_target("web")
        .with_link("local", "aside")
        .with_link("aside", "web")
        .forward_to("web", "web", 80);
    let running = show::json(&planned(&more, None));
    let found = diff(Some(&running), &planned(&vnc(), None)).unwrap();
    let was: Vec<_> = found.tunnels.iter().map(|part| (part.step, part.was.as_deref())).collect();
    assert_eq!(was.iter().filter(|(step, _)| *step == Step::Keep).count(), 3, "{was:?}");
    assert!(found.tunnels.iter().any(|part| part.step == Step::Keep && part.was.as_ref() != Some(&part.id)));
}

#[test]
fn settings_are_told_by_their_names() {
    let mut after = vnc();
    after.hosts[0].keepalive.max = 9;
    after.forwards[0].required = false;
    assert_eq!(steps(&vnc(), &after), ["~T1 keepalive", "~T2 through", "~T3 through", "~vnc via required"]);
}

#[test]
fn another_carrier_is_another_tunnel() {
    let (topology, port) = (vnc(), Some(CarrierKind::Port));
    let running = show::json(&planned(&topology, None));
    let found = diff(Some(&running), &planned(&topology, port)).unwrap();
    assert_eq!((found.count(Step::Open), found.count(Step::Close), found.count(Step::Keep)), (2, 2, 1));
}

#[test]
fn an_older_run_is_compared_as_far_as_it_tells() {
    let mut running = show::json(&planned(&vnc(), None));
    for tunnel in running["tunnels"].as_array_mut().unwrap() {
        tunnel.as_object_mut().unwrap().remove("settings");
    }
    assert!(diff(Some(&running), &planned(&vnc(), None)).unwrap().is_none());
    assert!(diff(Some(&json!({ "schema": "hopper.plan/2" })), &planned(&vnc(), None)).is_err());
}

#[test]
fn what_holds_for_the_whole_run_and_for_waiting_clients_is_compared() {
    let (before, mut after) = (vnc(), vnc());
    after.policy.reconnect.gate = Some(std::time::Duration::from_secs(30));
    after.policy.parallel = 2;
    after.forwards[0].on_down = crate::topology::OnDown::Refuse;
    let running = show::json(&planned(&before, None));
    let found = diff(Some(&running), &planned(&after, None)).unwrap();
    let policy = found.policy.as_ref().map(|policy| policy.changes.clone()).unwrap_or_default();
    let wanted = [("parallel", json!(8), json!(2)), ("reconnect.gate_ms", json!(null), json!(30000))];
    let wanted = wanted.map(|(what, from, to)| Change { what: what.to_owned(), from, to });
    assert_eq!(policy, wanted);
    assert_eq!(steps(&before, &after), ["=T1", "=T2", "=T3", "~vnc hold_ms"]);
    assert_eq!((found.count(Step::Change), found.is_none()), (2, false));
    // What an older hopper does not say is not known to differ.
    let mut older = running;
    older.as_object_mut().unwrap().shift_remove("policy");
    older["forwards"][0].as_object_mut().unwrap().shift_remove("hold_ms");
    assert!(diff(Some(&older), &planned(&after, None)).unwrap().is_none());
}

#[test]
fn ways_that_stand_by_and_when_they_are_taken_are_compared() {
    let mut wanted = crate::plan::fixture::empty("two")
        .with_host("a")
        .with_host("b")
        .with_target("web")
        .with_link("local", "a")
        .with("local", "b", |link| link.cost = 20)
        .with_link("a", "web")
        .with_link("b", "web")
        .forward_to("web", "web", 80);
    let before = show::json(&planned(&wanted, None));
    wanted.policy.failover = Some(crate::topology::Failover::default());
    let after = planned(&wanted, None);
    let diff = diff(Some(&before), &after).unwrap();
    let steps: Vec<Step> = diff.tunnels.iter().chain(&diff.forwards).map(|part| part.step).collect();
    assert_eq!(steps, [Step::Keep, Step::Open, Step::Change]);
    let changed: Vec<&str> = diff.forwards[0].changes.iter().map(|change| change.what.as_str()).collect();
    assert_eq!(changed, ["failover", "standby"]);
    let same = super::diff(Some(&show::json(&after)), &after).unwrap();
    assert!(same.is_none());
}
