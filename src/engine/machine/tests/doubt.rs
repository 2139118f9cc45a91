//! What was up and may not be so any more: asked again while it serves on.

use super::*;

/// Everything is asked.
fn doubted() -> Timed {
    let mut machine = up();
    assert_eq!(
        machine.handle(Input::Doubt),
        [Action::Probe(0), Action::Probe(1), Action::Probe(2), Action::Verify(DEEP), Action::Verify(SIDE)]
    );
    assert_eq!(machine.state(), RunState::Verifying);
    machine
}

#[test]
fn after_sleep_it_is_not_up_until_everything_has_answered() {
    let mut machine = doubted();
    assert_eq!(machine.handle(Input::Doubt), [], "already asked");
    machine.handle(Input::Answered(0));
    machine.handle(Input::Answered(1));
    machine.handle(Input::Verified(SIDE));
    machine.handle(Input::Verified(DEEP));
    assert_eq!(machine.state(), RunState::Verifying);
    machine.later(2);
    let asked = Duration::from_secs(2);
    assert_eq!(machine.handle(Input::Answered(2)), [Action::AnnounceVerified(asked)]);
    assert_eq!(machine.state(), RunState::Up);
    assert_eq!(machine.machine.wakes_at(machine.now), None, "nothing is asked again by itself");
}

#[test]
fn what_does_not_answer_after_sleep_is_rebuilt_like_anything_that_is_lost() {
    let mut machine = doubted();
    machine.handle(Input::Answered(0));
    machine.handle(Input::Verified(SIDE));
    let silent = failure("b stopped answering");
    assert_eq!(
        machine.handle(Input::TunnelFailed(1, silent.clone())),
        [Action::AnnounceLost(1, silent, 1), Action::Suspend(DEEP)]
    );
    assert_eq!(machine.state(), RunState::Degraded);
    assert_eq!(machine.handle(Input::Verified(DEEP)), [], "too late to matter");
    machine.handle(Input::Stopped(DEEP));
    machine.handle(Input::Closed(2));
    machine.handle(Input::Closed(1));
    machine.handle(Input::Opened(1));
    machine.handle(Input::Opened(2));
    let told = machine.handle(Input::Proved(DEEP));
    assert!(matches!(told[..], [Action::AnnounceRestored(_), Action::AnnounceVerified(_)]), "{told:?}");
    assert_eq!(machine.state(), RunState::Up);
}

#[test]
fn what_waits_for_its_next_try_is_tried_at_once() {
    let mut machine = up();
    lost_in_the_middle(&mut machine);
    machine.handle(Input::Closed(1));
    for _ in 0..4 {
        machine.handle(Input::TunnelFailed(1, failure("refused")));
        machine.wake();
    }
    machine.handle(Input::TunnelFailed(1, failure("refused")));
    assert!(machine.machine.wakes_at(machine.now).is_some());
    let asked = machine.handle(Input::Doubt);
    assert_eq!(asked, [Action::Probe(0), Action::Open(1), Action::Verify(SIDE)]);
}

#[test]
fn a_far_end_is_asked_as_often_as_the_file_says_and_serves_on_when_it_is_silent() {
    let mut machine = brought_up(with_policy(true, r#""probe": {"every": "30s"}"#));
    // Brought up at once, and a minute has passed.
    assert_eq!(machine.handle(Input::Tick), [Action::Verify(DEEP), Action::Verify(SIDE)]);
    assert_eq!(machine.state(), RunState::Up, "it is asked, and was proved not long ago");
    machine.handle(Input::Verified(SIDE));
    let silent = failure("no answer");
    let said = machine.handle(Input::ForwardFailed(DEEP, silent.clone()));
    assert_eq!(said[0], Action::AnnounceForwardRetry(DEEP, silent, Duration::ZERO));
    assert_eq!(said[1..], [Action::Verify(DEEP)], "and nothing is suspended");
    assert_eq!(machine.state(), RunState::Degraded);
    assert_eq!(machine.machine.forward(DEEP), ForwardState::Checking);
    machine.handle(Input::ForwardFailed(DEEP, failure("no answer")));
    assert_eq!(machine.wake(), [Action::Verify(DEEP)]);
    assert!(matches!(machine.handle(Input::Verified(DEEP))[..], [Action::AnnounceRestored(_)]));
    assert_eq!(machine.state(), RunState::Up);
    let next = machine.machine.wakes_at(machine.now).unwrap() - machine.now;
    assert!(next <= Duration::from_secs(30), "{next:?}");
}
