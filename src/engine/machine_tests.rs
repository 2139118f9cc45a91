//! What the machine promises, whatever happens in whatever order.

use proptest::prelude::*;

use super::*;
use crate::engine::{Exit, Phase};
use crate::plan::{self, PlanOptions};
use crate::topology;

/// gate-a carries gate-b carries gate-c; `deep` rides all three, `side` only the first.
fn machine(side_required: bool) -> Machine {
    let text = format!(
        r#"{{ "hopper": 1, "name": "m",
             "hosts": {{ "a": "u@a", "b": "u@b", "c": "u@c" }},
             "links": ["local -> a -> b -> c"],
             "forwards": {{ "deep": {{ "listen": "auto", "to": "c/127.0.0.1:1" }},
                            "side": {{ "listen": "auto", "to": "a/127.0.0.1:1", "required": {side_required} }} }} }}"#
    );
    let topology = topology::parse(&text, "m").unwrap();
    Machine::new(&plan::plan(&topology, &PlanOptions::default()).unwrap())
}

fn failure(what: &str) -> Failure {
    Failure {
        code: "H0606",
        exit: Exit::Unreachable,
        phase: Phase::Running,
        message: what.to_owned(),
        hop: None,
        host: None,
        tunnel: None,
        facts: Vec::new(),
        help: Vec::new(),
    }
}

const DEEP: usize = 0;
const SIDE: usize = 1;

/// Up, with both forwards proved.
fn up() -> Machine {
    let mut machine = machine(true);
    assert_eq!(machine.handle(Input::Start), [Action::Open(0)]);
    assert_eq!(machine.handle(Input::Opened(0)), [Action::Open(1), Action::Prove(SIDE)]);
    assert_eq!(machine.handle(Input::Proved(SIDE)), []);
    assert_eq!(machine.handle(Input::Opened(1)), [Action::Open(2)]);
    assert_eq!(machine.handle(Input::Opened(2)), [Action::Prove(DEEP)]);
    assert_eq!(machine.handle(Input::Proved(DEEP)), [Action::AnnounceUp]);
    assert_eq!(machine.state(), RunState::Up);
    machine
}

#[test]
fn it_is_built_from_the_outside_in_and_taken_down_from_the_inside_out() {
    let mut machine = up();
    assert_eq!(
        machine.handle(Input::Leave),
        [Action::AnnounceClosing, Action::Stop(DEEP), Action::Stop(SIDE)]
    );
    assert_eq!(machine.handle(Input::Stopped(SIDE)), []);
    assert_eq!(machine.handle(Input::Stopped(DEEP)), [Action::Close(2)]);
    assert_eq!(machine.handle(Input::Closed(2)), [Action::Close(1)]);
    assert_eq!(machine.handle(Input::Closed(1)), [Action::Close(0)]);
    assert_eq!(machine.handle(Input::Closed(0)), [Action::Finish]);
    assert_eq!(machine.state(), RunState::Down);
    assert!(machine.was_up() && machine.into_failure().is_none());
}

#[test]
fn the_first_failure_is_the_one_that_is_told() {
    let mut machine = up();
    let actions = machine.handle(Input::TunnelFailed(1, failure("b broke")));
    assert_eq!(actions[0], Action::AnnounceClosing);
    machine.handle(Input::TunnelFailed(2, failure("c broke because b did")));
    assert_eq!(machine.tunnel(1).1, Some("b broke"));
    assert_eq!(machine.into_failure().unwrap().message, "b broke");
}

#[test]
fn what_is_being_opened_is_called_off_when_it_is_no_longer_wanted() {
    let mut machine = machine(true);
    machine.handle(Input::Start);
    machine.handle(Input::Opened(0));
    let actions = machine.handle(Input::Leave);
    assert_eq!(actions, [Action::AnnounceClosing, Action::Stop(SIDE), Action::Close(1)]);
    assert_eq!(machine.handle(Input::Opened(1)), [], "too late to matter");
    assert_eq!(machine.handle(Input::Closed(1)), []);
    assert_eq!(machine.handle(Input::Stopped(SIDE)), [Action::Close(0)]);
    assert_eq!(machine.handle(Input::Closed(0)), [Action::Finish]);
}

#[test]
fn a_forward_that_is_not_required_fails_alone() {
    let mut machine = machine(false);
    machine.handle(Input::Start);
    machine.handle(Input::Opened(0));
    let refused = failure("no");
    let actions = machine.handle(Input::ForwardFailed(SIDE, refused.clone()));
    assert_eq!(actions, [Action::AnnounceForwardFailed(SIDE, refused)]);
    machine.handle(Input::Opened(1));
    machine.handle(Input::Opened(2));
    assert_eq!(machine.handle(Input::Proved(DEEP)), [Action::AnnounceUp]);
    assert_eq!(machine.state(), RunState::Degraded);
}

#[derive(Debug, Clone)]
enum Chance {
    Leave,
    /// Answers one open action, well or badly.
    Answer {
        which: usize,
        good: bool,
    },
    /// A tunnel that is up is lost.
    Lose(usize),
}

fn chances() -> impl Strategy<Value = Vec<Chance>> {
    let one = prop_oneof![
        1 => Just(Chance::Leave),
        20 => (0..8usize, prop::bool::weighted(0.9)).prop_map(|(which, good)| Chance::Answer { which, good }),
        2 => (0..3usize).prop_map(Chance::Lose),
    ];
    prop::collection::vec(one, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    /// Whatever happens, and in whatever order: no tunnel closes under one that stands on it, no
    /// action is asked for twice, and asked to leave it always ends with nothing left.
    #[test]
    fn it_always_comes_to_rest(chances in chances(), side_required: bool) {
        let mut machine = machine(side_required);
        let mut world = World::default();
        world.take(machine.handle(Input::Start));
        for chance in chances {
            match chance {
                Chance::Leave => world.take(machine.handle(Input::Leave)),
                Chance::Answer { which, good } => world.answer(&mut machine, which, good),
                Chance::Lose(t) if machine.tunnel(t).0 == TunnelState::Up => {
                    world.take(machine.handle(Input::TunnelFailed(t, failure("lost"))));
                }
                Chance::Lose(_) => {}
            }
        }
        world.take(machine.handle(Input::Leave));
        while !world.open.is_empty() {
            world.answer(&mut machine, 0, true);
        }
        prop_assert!(world.finished);
        prop_assert_eq!(machine.state(), RunState::Down);
    }
}

/// What the machine asked for and was not answered yet.
#[derive(Default)]
struct World {
    open: Vec<Action>,
    finished: bool,
}

impl World {
    fn take(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Finish => {
                    assert!(!self.finished, "finished twice");
                    assert!(self.open.is_empty(), "finished before {:?}", self.open);
                    self.finished = true;
                }
                Action::Close(t) => {
                    let above =
                        |other: &Action| matches!(other, Action::Close(o) | Action::Open(o) if *o > t);
                    assert!(!self.open.iter().any(above), "closes {t} under {:?}", self.open);
                    // Calling off answers what is called off.
                    self.open.retain(|other| *other != Action::Open(t));
                    self.push(Action::Close(t));
                }
                Action::Stop(f) => {
                    self.open.retain(|other| *other != Action::Prove(f));
                    self.push(Action::Stop(f));
                }
                action @ (Action::Open(_) | Action::Prove(_)) => self.push(action),
                Action::AnnounceUp | Action::AnnounceClosing | Action::AnnounceForwardFailed(..) => {}
            }
        }
    }

    fn push(&mut self, action: Action) {
        assert!(!self.open.contains(&action), "asks twice for {action:?}");
        self.open.push(action);
    }

    fn answer(&mut self, machine: &mut Machine, which: usize, good: bool) {
        if self.open.is_empty() {
            return;
        }
        let input = match self.open.remove(which % self.open.len()) {
            Action::Open(t) if good => Input::Opened(t),
            Action::Open(t) => Input::TunnelFailed(t, failure("refused")),
            Action::Prove(f) if good => Input::Proved(f),
            Action::Prove(f) => Input::ForwardFailed(f, failure("no answer")),
            Action::Close(t) => Input::Closed(t),
            Action::Stop(f) => Input::Stopped(f),
            other => unreachable!("{other:?} takes no answer"),
        };
        self.take(machine.handle(input));
    }
}
