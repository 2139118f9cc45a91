//! What the machine promises, whatever happens in whatever order.

mod doubt;
mod knobs;
mod random;
mod rest;
mod waiting;
mod ways;

use super::answer::{answer, failure};
use super::*;
use crate::engine::Exit;
use crate::plan::{self, PlanOptions};

/// A machine and what time it is.
struct Timed {
    machine: Machine,
    now: Duration,
}

impl Timed {
    fn handle(&mut self, input: Input) -> Vec<Action> {
        self.machine.handle(input, self.now)
    }

    /// Waits for as long as the machine wants to.
    fn wake(&mut self) -> Vec<Action> {
        self.now = self.machine.wakes_at(self.now).expect("it waits for something");
        self.handle(Input::Tick)
    }

    fn later(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    fn state(&self) -> RunState {
        self.machine.state()
    }
}

/// gate-a carries gate-b carries gate-c; `deep` rides all three, `side` only the first.
fn machine(side_required: bool) -> Timed {
    with_policy(side_required, "")
}

fn with_policy(side_required: bool, policy: &str) -> Timed {
    Timed { machine: Machine::new(&plan_of(side_required, "", policy), 7), now: Duration::ZERO }
}

/// `deep` has more to say than where it leads.
fn plan_of(side_required: bool, deep: &str, policy: &str) -> Plan {
    let text = format!(
        r#"{{ "hopper": 1, "name": "m",
             "hosts": {{ "a": "u@a", "b": "u@b", "c": "u@c" }},
             "links": ["local -> a -> b -> c"],
             "forwards": {{ "deep": {{ "listen": "auto", {deep} "to": "c/127.0.0.1:1" }},
                            "side": {{ "listen": "auto", "to": "a/127.0.0.1:1", "required": {side_required} }} }},
             "policy": {{ {policy} }} }}"#
    );
    let topology = crate::topology::parse(&text, "m").unwrap();
    plan::plan(&topology, &PlanOptions::default()).unwrap()
}

fn wrong_key() -> Failure {
    Failure { code: "H0502", exit: Exit::HostKey, ..failure("another key") }
}

const DEEP: usize = 0;
const SIDE: usize = 1;

/// Up, with both forwards proved.
fn up() -> Timed {
    brought_up(machine(true))
}

fn brought_up(mut machine: Timed) -> Timed {
    assert_eq!(machine.handle(Input::Start), [Action::Open(0)]);
    assert_eq!(machine.handle(Input::Opened(0)), [Action::Open(1), Action::Prove(SIDE)]);
    assert_eq!(machine.handle(Input::Proved(SIDE)), []);
    assert_eq!(machine.handle(Input::Opened(1)), [Action::Open(2)]);
    assert_eq!(machine.handle(Input::Opened(2)), [Action::Prove(DEEP)]);
    assert_eq!(machine.handle(Input::Proved(DEEP)), [Action::AnnounceUp]);
    assert_eq!(machine.state(), RunState::Up);
    machine.later(60);
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
    assert!(machine.machine.was_up() && machine.machine.into_failure().is_none());
}

#[test]
fn before_it_was_up_the_first_failure_ends_it_and_is_the_one_that_is_told() {
    let mut machine = machine(true);
    machine.handle(Input::Start);
    machine.handle(Input::Opened(0));
    machine.handle(Input::Opened(1));
    let actions = machine.handle(Input::TunnelFailed(1, failure("b broke")));
    assert_eq!(actions[0], Action::AnnounceClosing);
    machine.handle(Input::TunnelFailed(2, failure("c broke because b did")));
    assert_eq!(machine.machine.tunnel_cause(1).unwrap().message, "b broke");
    assert_eq!(machine.machine.into_failure().unwrap().message, "b broke");
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

/// The middle tunnel is lost and everything above it is closed.
fn lost_in_the_middle(machine: &mut Timed) {
    let lost = failure("b broke");
    assert_eq!(
        machine.handle(Input::TunnelFailed(1, lost.clone())),
        [Action::AnnounceLost(1, lost, 1), Action::Suspend(DEEP)]
    );
    assert_eq!(machine.state(), RunState::Degraded);
    assert_eq!(machine.handle(Input::Stopped(DEEP)), [Action::Close(2)]);
    assert_eq!(machine.handle(Input::Closed(2)), [Action::Close(1)]);
}

#[test]
fn what_is_lost_is_rebuilt_with_what_stands_on_it_and_nothing_else() {
    let mut machine = up();
    lost_in_the_middle(&mut machine);
    assert_eq!(machine.handle(Input::Closed(1)), [Action::Open(1)], "at once: it had held");
    assert_eq!(machine.handle(Input::Opened(1)), [Action::Open(2)]);
    assert_eq!(machine.handle(Input::Opened(2)), [Action::Prove(DEEP)]);
    machine.later(3);
    let away = Duration::from_secs(3);
    assert_eq!(machine.handle(Input::Proved(DEEP)), [Action::AnnounceRestored(away)]);
    assert_eq!(machine.state(), RunState::Up);
    assert_eq!([0, 1, 2].map(|t| machine.machine.reconnects(t)), [0, 1, 1]);
    assert_eq!(machine.machine.tunnel_cause(1), None);
    assert_eq!(machine.machine.forward(SIDE), ForwardState::Up, "was never touched");
}

#[test]
fn what_follows_from_a_loss_is_no_loss_of_its_own() {
    let mut machine = up();
    machine.handle(Input::TunnelFailed(1, failure("b broke")));
    assert_eq!(machine.handle(Input::TunnelFailed(2, failure("c broke because b did"))), []);
    assert_eq!(machine.handle(Input::TunnelFailed(1, failure("told twice"))), []);
    // A lower one breaks while the upper ones are being closed.
    let lower = failure("a broke");
    assert_eq!(
        machine.handle(Input::TunnelFailed(0, lower.clone())),
        [Action::AnnounceLost(0, lower, 2), Action::Suspend(SIDE)]
    );
    machine.handle(Input::Stopped(SIDE));
    machine.handle(Input::Stopped(DEEP));
    machine.handle(Input::Closed(2));
    assert_eq!(machine.handle(Input::Closed(1)), [Action::Close(0)]);
    assert_eq!(machine.handle(Input::Closed(0)), [Action::Open(0)]);
}

#[test]
fn what_stays_away_is_tried_ever_later_and_told_once() {
    let mut machine = up();
    lost_in_the_middle(&mut machine);
    assert_eq!(machine.handle(Input::Closed(1)), [Action::Open(1)]);
    let refused = failure("refused");
    let said = machine.handle(Input::TunnelFailed(1, refused.clone()));
    let waits = machine.machine.wakes_at(machine.now).unwrap() - machine.now;
    assert_eq!(said, [Action::AnnounceTunnelRetry(1, refused.clone(), waits)]);
    let mut longest = waits;
    for _ in 0..10 {
        assert_eq!(machine.wake(), [Action::Open(1)]);
        assert_eq!(machine.handle(Input::TunnelFailed(1, refused.clone())), [], "told once");
        longest = longest.max(machine.machine.wakes_at(machine.now).unwrap() - machine.now);
    }
    assert!(waits < Duration::from_secs(2) && longest > Duration::from_secs(40), "{waits:?} {longest:?}");
    assert_eq!((machine.machine.tunnel(1), machine.state()), (TunnelState::Pending, RunState::Degraded));
    assert_eq!(
        (machine.wake(), machine.handle(Input::Opened(1))),
        (vec![Action::Open(1)], vec![Action::Open(2)])
    );
}

#[test]
fn a_wrong_host_key_is_final_and_the_rest_goes_on() {
    let mut machine = up();
    lost_in_the_middle(&mut machine);
    machine.handle(Input::Closed(1));
    let wrong = wrong_key();
    assert_eq!(
        machine.handle(Input::TunnelFailed(1, wrong.clone())),
        [
            Action::AnnounceTunnelFailed(1, wrong.clone()),
            Action::AnnounceForwardFailed(DEEP, wrong.clone()),
            Action::Stop(DEEP),
        ]
    );
    assert_eq!(machine.handle(Input::Stopped(DEEP)), []);
    assert_eq!(machine.machine.wakes_at(machine.now), None, "nothing is tried again");
    assert_eq!(machine.state(), RunState::Degraded);
    assert_eq!(machine.machine.tunnel(1), TunnelState::Failed);
    assert_eq!([DEEP, SIDE].map(|f| machine.machine.forward(f)), [ForwardState::Failed, ForwardState::Up]);
    // Nothing is left to do once the other one goes the same way.
    let actions = machine.handle(Input::TunnelFailed(0, wrong.clone()));
    assert!(actions.contains(&Action::AnnounceClosing), "{actions:?}");
    assert_eq!(machine.handle(Input::Stopped(SIDE)), [Action::Close(0)]);
    assert_eq!(machine.handle(Input::Closed(0)), [Action::Finish]);
    assert_eq!(machine.machine.into_failure(), Some(wrong));
}

#[test]
fn a_far_end_that_does_not_come_back_is_asked_again() {
    let mut machine = up();
    lost_in_the_middle(&mut machine);
    machine.handle(Input::Closed(1));
    machine.handle(Input::Opened(1));
    machine.handle(Input::Opened(2));
    let dead = failure("no answer");
    let said = machine.handle(Input::ForwardFailed(DEEP, dead.clone()));
    let at_once = Action::AnnounceForwardRetry(DEEP, dead, Duration::ZERO);
    assert_eq!(said, [at_once, Action::Prove(DEEP)], "it had held");
    assert_eq!(machine.handle(Input::ForwardFailed(DEEP, failure("no answer"))), []);
    assert_eq!(machine.wake(), [Action::Prove(DEEP)]);
    assert!(matches!(machine.handle(Input::Proved(DEEP))[..], [Action::AnnounceRestored(_)]));
}

#[test]
fn it_can_be_left_at_any_point_of_a_rebuild() {
    // While the forward is being suspended: it is stopped next, since its listener stayed.
    let mut machine = up();
    machine.handle(Input::TunnelFailed(1, failure("b broke")));
    assert_eq!(machine.handle(Input::Leave), [Action::AnnounceClosing, Action::Stop(SIDE)]);
    assert_eq!(machine.handle(Input::Stopped(DEEP)), [Action::Stop(DEEP)]);
    assert_eq!(machine.handle(Input::Stopped(DEEP)), [Action::Close(2)]);
    // While it waits for the next try.
    let mut machine = up();
    lost_in_the_middle(&mut machine);
    machine.handle(Input::Closed(1));
    machine.handle(Input::TunnelFailed(1, failure("refused")));
    assert_eq!(
        machine.handle(Input::Leave),
        [Action::AnnounceClosing, Action::Stop(DEEP), Action::Stop(SIDE)]
    );
    machine.handle(Input::Stopped(DEEP));
    assert_eq!(machine.handle(Input::Stopped(SIDE)), [Action::Close(0)]);
    assert_eq!(machine.handle(Input::Closed(0)), [Action::Finish]);
    assert!(machine.machine.into_failure().is_none(), "somebody asked for it");
}
