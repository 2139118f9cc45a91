//! Whichever plan follows whichever, at whatever moment: the run ends as if it had been started with the last one, and
//! what both have is left alone.

mod world;

use proptest::prelude::*;

use super::*;
use crate::engine::RunState;
use crate::engine::machine::Input;
use crate::engine::machine::answer::{answer, failure};
use crate::plan::{self, PlanOptions, succession};
use crate::topology;
use world::World;

/// Three hosts in a line, each kept alive in its own way, and a forward to each that has a port.
fn line(alive: [u8; 3], ports: [u16; 3]) -> Plan {
    let host =
        |at: usize| format!(r#""{0}": {{ "keepalive": {{ "max": {1} }} }}"#, ["a", "b", "c"][at], alive[at]);
    let forward = |at: usize| {
        format!(
            r#""to-{0}": {{ "listen": "auto", "to": "{0}/127.0.0.1:{1}" }}"#,
            ["a", "b", "c"][at],
            ports[at]
        )
    };
    let forwards = (0..3).filter(|&at| ports[at] > 0).map(forward).collect::<Vec<_>>().join(", ");
    let hosts = [0, 1, 2].map(host).join(", ");
    let text = format!(
        r#"{{ "hopper": 1, "name": "m", "hosts": {{ {hosts} }}, "links": ["local -> a -> b -> c"],
             "forwards": {{ {forwards} }} }}"#
    );
    let topology = topology::parse(&text, "m").unwrap();
    plan::plan(&topology, &PlanOptions::default()).unwrap()
}

#[test]
fn a_forward_that_is_added_uses_the_sessions_that_are_there() {
    let mut world = World::up(line([3, 3, 3], [0, 0, 1]));
    world.reload(line([3, 3, 3], [0, 1, 1]));
    assert_eq!(world.open, [Action::Prove(0)], "nothing had to go first");
    assert_eq!(world.machine.state(), RunState::Degraded, "not everything is up");
    assert!(!world.machine.has_broken(), "but nothing broke");
    world.settle();
    assert_eq!((world.reloaded, world.machine.state()), (1, RunState::Up));
    assert_eq!((world.opened, world.closed, world.stopped), Default::default());
}

#[test]
fn a_forward_that_is_removed_takes_along_what_only_it_needed() {
    let mut world = World::up(line([3, 3, 3], [1, 0, 1]));
    world.reload(line([3, 3, 3], [1, 0, 0]));
    assert_eq!(world.open, [Action::Stop(1)], "from the inside out");
    assert!(!world.machine.has_broken(), "whoever is connected may drain");
    world.settle();
    assert_eq!(
        (world.closed, world.stopped),
        (vec!["c".to_owned(), "b".to_owned()], vec!["to-c".to_owned()])
    );
    assert_eq!((world.reloaded, world.machine.state()), (1, RunState::Up));
}

#[test]
fn a_host_that_changed_is_opened_anew_with_what_stands_on_it_and_nothing_below() {
    let mut world = World::up(line([3, 3, 3], [1, 0, 1]));
    world.reload(line([3, 9, 3], [1, 0, 1]));
    world.settle();
    assert_eq!(world.closed, ["c", "b"]);
    assert_eq!(world.opened, ["b", "c"]);
    assert_eq!(world.stopped, ["to-c"]);
    assert_eq!((world.reloaded, world.machine.state()), (1, RunState::Up));
}

#[test]
fn what_is_new_and_fails_leaves_the_rest_as_it_is() {
    let mut world = World::up(line([3, 3, 3], [1, 0, 0]));
    world.reload(line([3, 3, 3], [1, 1, 0]));
    assert_eq!(world.open, [Action::Open(1)]);
    world.answer(0, false);
    assert_eq!((world.reloaded, world.machine.state()), (1, RunState::Degraded), "known to be away");
    assert_eq!(world.machine.what_is_missing(), [(failure("refused"), false)], "it is tried again");
    world.settle();
    assert_eq!((world.reloaded, world.machine.state()), (1, RunState::Up));

    world.reload(line([3, 3, 3], [1, 1, 1]));
    world.answer(0, true);
    assert_eq!(world.open, [Action::Prove(2)]);
    world.answer(0, false);
    assert_eq!((world.reloaded, world.machine.state()), (2, RunState::Degraded));
    assert_eq!(world.machine.what_is_missing(), [(failure("no answer"), true)], "it is given up");
    world.settle();
    world.reload(line([3, 3, 3], [1, 1, 1]));
    world.settle();
    assert_eq!(
        (world.reloaded, world.machine.state()),
        (3, RunState::Up),
        "the same file gives it another chance"
    );
}

#[test]
fn a_forward_that_cannot_listen_is_given_up_alone() {
    let mut world = World::up(line([3, 3, 3], [1, 0, 0]));
    world.unbound.push((1, failure("taken")));
    world.reload(line([3, 3, 3], [1, 2, 0]));
    world.settle();
    assert_eq!((world.reloaded, world.machine.state()), (1, RunState::Degraded));
    assert_eq!(world.machine.what_is_missing(), [(failure("taken"), true)]);
    assert_eq!(world.machine.forward(0), ForwardState::Up);
}

#[derive(Debug, Clone)]
enum Chance {
    Answer { which: usize, good: bool },
    Lose(usize),
    Doubt,
    Wait(u64),
    Reload([u8; 3], [u16; 3]),
}

fn plans() -> impl Strategy<Value = ([u8; 3], [u16; 3])> {
    let ports = [0..3u16, 0..3u16, 0..3u16]
        .prop_filter("something is wanted", |ports| ports.iter().any(|&port| port > 0));
    ([3..5u8, 3..5u8, 3..5u8], ports)
}

fn chances() -> impl Strategy<Value = Vec<Chance>> {
    let one = prop_oneof![
        30 => (0..8usize, prop::bool::weighted(0.9)).prop_map(|(which, good)| Chance::Answer { which, good }),
        2 => (0..3usize).prop_map(Chance::Lose),
        1 => Just(Chance::Doubt),
        4 => (0..20_000u64).prop_map(Chance::Wait),
        4 => plans().prop_map(|(alive, ports)| Chance::Reload(alive, ports)),
    ];
    prop::collection::vec(one, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1500, ..ProptestConfig::default() })]

    /// Whatever happens on the way: it ends as a run that was started with the last plan, or by itself when nothing
    /// was left of it.
    #[test]
    fn it_ends_as_a_fresh_run_of_the_last_plan(first in plans(), chances in chances(), last in plans()) {
        let mut world = World::new(line(first.0, first.1));
        for chance in chances {
            match chance {
                Chance::Answer { which, good } => world.answer(which, good),
                Chance::Lose(t) if t < world.plan.tunnels.len()
                    && world.machine.tunnel(t) == TunnelState::Up
                    && !world.machine.is_doomed(t) =>
                {
                    world.tell(Input::TunnelFailed(t, failure("lost")));
                }
                Chance::Lose(_) => {}
                Chance::Doubt => world.tell(Input::Doubt),
                Chance::Wait(ms) => {
                    world.now += Duration::from_millis(ms);
                    world.tell(Input::Tick);
                }
                Chance::Reload(alive, ports) => world.reload(line(alive, ports)),
            }
        }
        let alone = world.machine.state() == RunState::Closing || world.finished;
        world.reload(line(last.0, last.1));
        world.settle();
        if alone {
            prop_assert!(world.finished);
            return Ok(());
        }
        prop_assert_eq!(&world.plan, &line(last.0, last.1));
        prop_assert_eq!(world.machine.state(), RunState::Up);
        prop_assert_eq!(world.up, 1, "it came up once");
        prop_assert!(world.next.is_none() && world.reloaded > 0);
        prop_assert!((0..world.plan.tunnels.len()).all(|t| world.machine.tunnel(t) == TunnelState::Up));
        prop_assert_eq!(world.machine.what_is_missing(), vec![]);
        prop_assert_eq!(world.machine.wakes_at(world.now), None);
        world.tell(Input::Leave);
        world.settle();
        prop_assert!(world.finished);
    }

    /// Between two plans, when nothing else happens: what goes on is never touched, what does not is closed once.
    #[test]
    fn what_goes_on_is_left_alone(first in plans(), second in plans()) {
        let (old, new) = (line(first.0, first.1), line(second.0, second.1));
        let kept = succession(&old, &new);
        let mut world = World::up(old.clone());
        world.reload(new.clone());
        world.settle();
        let host = |plan: &Plan, t: usize| plan.tunnels[t].server.id.to_string();
        let gone = (0..old.tunnels.len()).rev().filter(|&t| !kept.tunnels.contains(&Some(t)));
        prop_assert_eq!(&world.closed, &gone.map(|t| host(&old, t)).collect::<Vec<_>>());
        let fresh = (0..new.tunnels.len()).filter(|&t| kept.tunnels[t].is_none());
        prop_assert_eq!(&world.opened, &fresh.map(|t| host(&new, t)).collect::<Vec<_>>());
        let ended = (0..old.forwards.len()).filter(|&f| !kept.forwards.contains(&Some(f)));
        prop_assert_eq!(&world.stopped, &ended.map(|f| old.forwards[f].forward.id.0.clone()).collect::<Vec<_>>());
    }
}
