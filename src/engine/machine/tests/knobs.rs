//! What a policy may ask beyond trying again: a gate, a number of starts, a lifetime, a first question of its own.

use super::*;

const GATE: &str = r#""reconnect": {"gate": "30s", "jitter": 0}"#;
const OPEN_GATE: &str = r#""reconnect": {"gate": "0s", "jitter": 0}"#;

/// Up for this long.
fn up_for(seconds: u64, side_required: bool, policy: &str) -> Timed {
    let mut machine = brought_up(with_policy(side_required, policy));
    machine.now = Duration::from_secs(seconds);
    machine
}

#[test]
fn what_is_lost_inside_the_gate_ends_the_run_and_outside_it_is_rebuilt() {
    let mut machine = up_for(29, true, GATE);
    let actions = machine.handle(Input::TunnelFailed(1, failure("b broke")));
    assert_eq!(actions[0], Action::AnnounceClosing);
    let failure_told = machine.machine.into_failure().unwrap();
    assert_eq!(failure_told.message, "b broke");
    let told = "it had been up for 29 s, and gate is 30 s".to_owned();
    assert_eq!(failure_told.facts, [("too soon", told)]);
    let mut machine = up_for(30, true, GATE);
    let actions = machine.handle(Input::TunnelFailed(1, failure("b broke")));
    assert!(matches!(actions[0], Action::AnnounceLost(1, _, 1)), "{actions:?}");
}

#[test]
fn what_is_not_required_may_be_lost_inside_the_gate() {
    let text = r#"{ "hopper": 1, "hosts": { "a": "u@a", "b": "u@b" }, "links": ["local -> a", "local -> b"],
                    "forwards": { "f": { "listen": "auto", "to": "a/127.0.0.1:1" },
                                  "g": { "listen": "auto", "to": "b/127.0.0.1:1", "required": false } },
                    "policy": { "reconnect": { "gate": "30s" } } }"#;
    let plan = plan::plan(&crate::topology::parse(text, "m").unwrap(), &PlanOptions::default()).unwrap();
    let mut machine = Machine::new(&plan, 7);
    let mut at = |input| machine.handle(input, Duration::ZERO);
    at(Input::Start);
    at(Input::Opened(0));
    at(Input::Opened(1));
    at(Input::Proved(0));
    assert_eq!(at(Input::Proved(1)), [Action::AnnounceUp]);
    assert!(matches!(at(Input::TunnelFailed(1, failure("b")))[0], Action::AnnounceLost(1, ..)));
    assert_eq!(at(Input::TunnelFailed(0, failure("a")))[0], Action::AnnounceClosing);
}

#[test]
fn with_a_gate_of_nothing_even_the_first_attempt_is_tried_again() {
    let mut machine = with_policy(true, OPEN_GATE);
    machine.handle(Input::Start);
    let away = failure("no network yet");
    let retry = |wait| Action::AnnounceTunnelRetry(0, failure("no network yet"), Duration::from_secs(wait));
    assert_eq!(machine.handle(Input::TunnelFailed(0, away.clone())), [retry(0), Action::Open(0)]);
    assert_eq!(machine.handle(Input::TunnelFailed(0, away.clone())), [], "told once");
    assert_eq!(machine.wake(), [Action::Open(0)]);
    assert_eq!(machine.now, Duration::from_secs(1));
    assert_eq!(machine.state(), RunState::Connecting);
    machine.handle(Input::Opened(0));
    // A far end that is not there yet, and a tunnel that is lost again before the run is up.
    let dead = failure("nobody listens");
    let said = machine.handle(Input::ForwardFailed(SIDE, dead.clone()));
    assert!(said.contains(&Action::AnnounceForwardRetry(SIDE, dead, Duration::ZERO)), "{said:?}");
    machine.handle(Input::Opened(1));
    let said = machine.handle(Input::TunnelFailed(0, failure("lost")));
    assert!(matches!(said[0], Action::AnnounceLost(0, _, 2)), "{said:?}");
    machine.handle(Input::Stopped(SIDE));
    machine.handle(Input::Closed(2));
    machine.handle(Input::Closed(1));
    machine.handle(Input::Closed(0));
    machine.later(60);
    assert_eq!(machine.handle(Input::Tick), [Action::Open(0)]);
    for t in 0..3 {
        machine.handle(Input::Opened(t));
    }
    machine.handle(Input::Proved(SIDE));
    assert_eq!(machine.handle(Input::Proved(DEEP)), [Action::AnnounceUp]);
    // And a loss right after that is rebuilt: there is no gate.
    assert!(matches!(machine.handle(Input::TunnelFailed(1, failure("b")))[0], Action::AnnounceLost(..)));
}

#[test]
fn a_login_that_fails_is_final_whatever_the_gate() {
    let mut machine = with_policy(true, OPEN_GATE);
    machine.handle(Input::Start);
    let actions = machine.handle(Input::TunnelFailed(0, wrong_key()));
    assert!(actions.contains(&Action::AnnounceClosing), "{actions:?}");
    assert_eq!(machine.machine.into_failure(), Some(wrong_key()));
}

#[test]
fn a_tunnel_that_was_opened_as_often_as_it_may_be_is_given_up() {
    let mut machine = brought_up(with_policy(true, r#""reconnect": {"max_starts": 3}"#));
    for _ in 0..2 {
        machine.later(3600);
        lost_in_the_middle(&mut machine);
        assert_eq!(machine.handle(Input::Closed(1)), [Action::Open(1)]);
        machine.handle(Input::Opened(1));
        machine.handle(Input::Opened(2));
        machine.handle(Input::Proved(DEEP));
    }
    machine.later(3600);
    let actions = machine.handle(Input::TunnelFailed(1, failure("b broke")));
    let Action::AnnounceTunnelFailed(1, told) = &actions[0] else { panic!("{actions:?}") };
    assert_eq!(told.facts, [("given up", "it was opened max_starts times".to_owned())]);
    assert_eq!(machine.machine.forward(SIDE), ForwardState::Up, "does not need it");
}

#[test]
fn what_was_opened_again_only_for_what_it_rides_is_not_counted() {
    let mut machine = brought_up(with_policy(true, r#""reconnect": {"max_starts": 2}"#));
    machine.handle(Input::TunnelFailed(0, failure("a broke")));
    machine.handle(Input::Stopped(DEEP));
    machine.handle(Input::Stopped(SIDE));
    for t in [2, 1, 0] {
        machine.handle(Input::Closed(t));
    }
    for t in 0..3 {
        machine.handle(Input::Opened(t));
    }
    machine.later(60);
    let actions = machine.handle(Input::TunnelFailed(1, failure("b broke")));
    assert!(matches!(actions[0], Action::AnnounceLost(1, ..)), "{actions:?}");
}

#[test]
fn a_run_ends_in_order_when_its_lifetime_is_over() {
    let mut machine = brought_up(with_policy(true, r#""lifetime": "1h""#));
    assert_eq!(
        machine.wake(),
        [Action::AnnounceExpired, Action::AnnounceClosing, Action::Stop(DEEP), Action::Stop(SIDE)]
    );
    assert_eq!(machine.now, Duration::from_secs(3600));
    assert_eq!(machine.handle(Input::Tick), [], "told once");
    machine.handle(Input::Stopped(DEEP));
    machine.handle(Input::Stopped(SIDE));
    for t in [2, 1, 0] {
        machine.handle(Input::Closed(t));
    }
    assert_eq!((machine.state(), machine.machine.into_failure()), (RunState::Down, None));
}

#[test]
fn the_first_question_has_a_time_of_its_own_after_each_proof() {
    let policy = r#""probe": {"every": "60s", "first": "5s"}"#;
    let mut machine = with_policy(true, policy);
    machine.handle(Input::Start);
    (0..3).for_each(|t| drop(machine.handle(Input::Opened(t))));
    machine.handle(Input::Proved(DEEP));
    machine.handle(Input::Proved(SIDE));
    assert_eq!(machine.wake(), [Action::Verify(DEEP), Action::Verify(SIDE)]);
    assert_eq!(machine.now, Duration::from_secs(5));
    machine.handle(Input::Verified(DEEP));
    machine.handle(Input::Verified(SIDE));
    assert_eq!(machine.wake(), [Action::Verify(DEEP), Action::Verify(SIDE)]);
    assert_eq!(machine.now, Duration::from_secs(65));
}

#[test]
fn a_tunnel_is_given_up_after_the_time_that_the_file_says() {
    let mut machine = brought_up(with_policy(true, r#""reconnect": {"give_up": "10s", "jitter": 0}"#));
    lost_in_the_middle(&mut machine);
    assert_eq!(machine.handle(Input::Closed(1)), [Action::Open(1)]);
    let mut opened = 1;
    let begun = machine.now;
    let given_up = loop {
        let actions = machine.handle(Input::TunnelFailed(1, failure("refused")));
        if actions.iter().any(|action| matches!(action, Action::AnnounceTunnelFailed(..))) {
            break machine.now - begun;
        }
        assert_eq!(machine.wake(), [Action::Open(1)]);
        opened += 1;
    };
    assert_eq!((given_up, opened), (Duration::from_secs(10), 5));
}
