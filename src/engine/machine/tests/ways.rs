//! A forward with a second way: when it is taken, what is closed and opened for it, when it goes back.

use super::*;

const EDGE: usize = 0;
const FIRST: usize = 1;
const SECOND: usize = 2;

/// An edge with two gates behind it. `deep` ends behind either gate and prefers the first, `side` rides the edge.
pub(super) fn two_gates(failover: &str) -> Timed {
    two_gates_and(failover, r#""jitter": 0"#)
}

fn two_gates_and(failover: &str, reconnect: &str) -> Timed {
    let text = format!(
        r#"{{ "hopper": 1, "name": "m",
             "hosts": {{ "edge": "u@e", "gate-1": "u@g", "gate-2": "u@h", "web": {{ "ssh": false }} }},
             "links": ["local -> edge -> gate-1 -> web", "edge -> gate-2 -> web"],
             "forwards": {{ "deep": {{ "listen": "auto", "to": "web:1" }},
                            "side": {{ "listen": "auto", "to": "edge/127.0.0.1:1" }} }},
             "policy": {{ "failover": {{ {failover} }}, "reconnect": {{ {reconnect} }} }} }}"#
    );
    let plan = plan::plan(&crate::topology::parse(&text, "m").unwrap(), &PlanOptions::default()).unwrap();
    Timed { machine: Machine::new(&plan, 7), now: Duration::ZERO }
}

fn up_on_two_gates(failover: &str) -> Timed {
    let mut machine = two_gates(failover);
    assert_eq!(machine.handle(Input::Start), [Action::Open(EDGE)]);
    assert_eq!(machine.handle(Input::Opened(EDGE)), [Action::Open(FIRST), Action::Prove(SIDE)]);
    machine.handle(Input::Proved(SIDE));
    assert_eq!(machine.handle(Input::Opened(FIRST)), [Action::Prove(DEEP)]);
    assert_eq!(machine.handle(Input::Proved(DEEP)), [Action::AnnounceUp]);
    assert_eq!(machine.machine.tunnel(SECOND), TunnelState::Standby);
    machine.later(60);
    machine
}

/// The first gate is lost, and refuses to come back.
fn first_gate_away(machine: &mut Timed) -> Failure {
    let lost = failure("gate-1 broke");
    assert_eq!(
        machine.handle(Input::TunnelFailed(FIRST, lost.clone())),
        [Action::AnnounceLost(FIRST, lost, 0), Action::Suspend(DEEP)]
    );
    assert_eq!(machine.handle(Input::Stopped(DEEP)), [Action::Close(FIRST)]);
    assert_eq!(machine.handle(Input::Closed(FIRST)), [Action::Open(FIRST)]);
    let refused = failure("refused");
    let said = machine.handle(Input::TunnelFailed(FIRST, refused.clone()));
    assert_eq!(said, [Action::AnnounceTunnelRetry(FIRST, refused.clone(), Duration::from_secs(1))]);
    refused
}

/// The same, and the second way is taken and works.
fn on_the_second(failover: &str) -> Timed {
    let mut machine = up_on_two_gates(failover);
    let refused = first_gate_away(&mut machine);
    assert_eq!(machine.wake(), [Action::Open(FIRST)], "tried again until then");
    machine.handle(Input::TunnelFailed(FIRST, refused.clone()));
    let moved = machine.wake();
    assert_eq!(moved, [Action::AnnounceFailedOver(DEEP, 0, 1, refused.clone()), Action::Open(SECOND)]);
    assert_eq!(machine.handle(Input::Opened(SECOND)), [Action::Prove(DEEP)]);
    assert!(matches!(machine.handle(Input::Proved(DEEP))[..], [Action::AnnounceRestored(_)]));
    assert_eq!((machine.state(), machine.machine.way(DEEP)), (RunState::Up, 1));
    assert_eq!(machine.machine.left_for(DEEP), Some(&refused));
    assert_eq!(machine.machine.forward(SIDE), ForwardState::Up, "was never touched");
    machine
}

#[test]
fn what_stays_down_for_so_long_is_left_for_the_next_way() {
    let machine = on_the_second(r#""after": "2s""#);
    assert_eq!(machine.now, Duration::from_secs(62));
    assert_eq!(machine.machine.tunnel(FIRST), TunnelState::Standby, "nobody wants it any more");
    assert_eq!(machine.machine.wakes_at(machine.now), None, "nor is it tried again");
}

#[test]
fn what_comes_back_in_time_is_not_left() {
    let mut machine = up_on_two_gates(r#""after": "3s""#);
    first_gate_away(&mut machine);
    machine.wake();
    machine.handle(Input::Opened(FIRST));
    assert!(matches!(machine.handle(Input::Proved(DEEP))[..], [Action::AnnounceRestored(_)]));
    assert_eq!((machine.machine.way(DEEP), machine.machine.wakes_at(machine.now)), (0, None));
}

#[test]
fn what_is_final_is_left_at_once_and_never_taken_again() {
    let mut machine = up_on_two_gates(r#""back": "5s""#);
    machine.handle(Input::TunnelFailed(FIRST, failure("gate-1 broke")));
    machine.handle(Input::Stopped(DEEP));
    machine.handle(Input::Closed(FIRST));
    let wrong = wrong_key();
    assert_eq!(
        machine.handle(Input::TunnelFailed(FIRST, wrong.clone())),
        [
            Action::AnnounceFailedOver(DEEP, 0, 1, wrong.clone()),
            Action::AnnounceTunnelFailed(FIRST, wrong.clone()),
            Action::Open(SECOND),
        ]
    );
    machine.handle(Input::Opened(SECOND));
    machine.handle(Input::Proved(DEEP));
    machine.later(60);
    assert!(!machine.machine.would_go_back(DEEP, machine.now));
    // With the last way it is given up.
    let actions = machine.handle(Input::TunnelFailed(SECOND, wrong.clone()));
    assert!(actions.contains(&Action::AnnounceForwardFailed(DEEP, wrong)), "{actions:?}");
    assert_eq!(machine.machine.forward(SIDE), ForwardState::Up);
}

#[test]
fn with_an_open_gate_the_first_way_is_left_before_the_run_was_up_too() {
    let mut machine = two_gates_and(r#""after": "2s""#, r#""jitter": 0, "gate": "0s""#);
    machine.handle(Input::Start);
    machine.handle(Input::Opened(EDGE));
    machine.handle(Input::Proved(SIDE));
    let refused = failure("refused");
    machine.handle(Input::TunnelFailed(FIRST, refused.clone()));
    while machine.machine.way(DEEP) == 0 {
        machine.wake();
        machine.handle(Input::TunnelFailed(FIRST, refused.clone()));
        assert!(machine.now <= Duration::from_secs(2), "it stays where it is");
    }
    machine.handle(Input::Opened(SECOND));
    assert_eq!(machine.handle(Input::Proved(DEEP)), [Action::AnnounceUp]);
}

#[test]
fn a_way_that_waits_for_another_machine_is_left_like_one_that_is_broken() {
    let mut machine = up_on_two_gates(r#""after": "2s""#);
    let refused = first_gate_away(&mut machine);
    machine.wake();
    machine.handle(Input::TunnelFailed(FIRST, refused.clone()));
    machine.wake();
    assert_eq!(machine.machine.way(DEEP), 1);
    machine.handle(Input::TunnelWaits(SECOND));
    let back = machine.wake();
    assert_eq!(back[0], Action::AnnounceFailedOver(DEEP, 1, 0, refused));
    assert!(back.contains(&Action::Close(SECOND)) && back.contains(&Action::Open(FIRST)), "{back:?}");
    assert_eq!(machine.now, Duration::from_secs(64));
}

#[test]
fn what_every_way_stands_on_is_waited_for() {
    let mut machine = up_on_two_gates(r#""after": "3s""#);
    machine.handle(Input::TunnelFailed(EDGE, failure("edge broke")));
    machine.handle(Input::Stopped(DEEP));
    machine.handle(Input::Closed(FIRST));
    machine.handle(Input::Stopped(SIDE));
    assert_eq!(machine.handle(Input::Closed(EDGE)), [Action::Open(EDGE)]);
    for _ in 0..5 {
        machine.handle(Input::TunnelFailed(EDGE, failure("refused")));
        assert_eq!(machine.wake(), [Action::Open(EDGE)]);
    }
    assert_eq!(machine.machine.way(DEEP), 0);
}

#[test]
fn it_goes_back_when_asked_once_the_first_way_was_whole_for_so_long_and_nobody_is_connected() {
    let mut machine = on_the_second(r#""after": "2s", "back": "20s""#);
    assert_eq!(machine.wake(), [Action::Open(FIRST)], "still tried: it is wanted back");
    assert_eq!(machine.handle(Input::Opened(FIRST)), []);
    machine.later(19);
    assert_eq!(machine.handle(Input::Idle(DEEP)), [], "too early");
    machine.later(1);
    assert!(machine.machine.would_go_back(DEEP, machine.now));
    assert_eq!(machine.handle(Input::Idle(DEEP)), [Action::Suspend(DEEP)]);
    assert_eq!(machine.handle(Input::Stopped(DEEP)), [Action::Close(SECOND), Action::Prove(DEEP)]);
    let said = machine.handle(Input::Proved(DEEP));
    assert!(matches!(said[..], [Action::AnnounceWentBack(DEEP), Action::AnnounceRestored(_)]), "{said:?}");
    machine.handle(Input::Closed(SECOND));
    assert_eq!(machine.machine.tunnel(SECOND), TunnelState::Standby);
    assert_eq!((machine.machine.way(DEEP), machine.machine.left_for(DEEP)), (0, None));
}

#[test]
fn a_first_way_that_is_whole_and_does_not_work_is_left_again_at_once() {
    let mut machine = on_the_second(r#""after": "2s", "back": "20s""#);
    machine.wake();
    machine.handle(Input::Opened(FIRST));
    machine.later(20);
    machine.handle(Input::Idle(DEEP));
    machine.handle(Input::Stopped(DEEP));
    let dead = failure("no answer");
    let said = machine.handle(Input::ForwardFailed(DEEP, dead.clone()));
    assert_eq!(said[1], Action::AnnounceFailedOver(DEEP, 0, 1, dead), "{said:?}");
    assert_eq!(machine.handle(Input::Closed(SECOND)), [Action::Open(SECOND)]);
    machine.handle(Input::Opened(SECOND));
    machine.handle(Input::Proved(DEEP));
    machine.later(19);
    assert!(!machine.machine.would_go_back(DEEP, machine.now), "and not tried before as long again");
    machine.later(1);
    assert!(machine.machine.would_go_back(DEEP, machine.now));
}

#[test]
fn at_the_start_the_next_way_is_taken_at_once_and_the_first_failure_is_told_when_none_is_left() {
    let start = || {
        let mut machine = two_gates(r#""after": "30s""#);
        machine.handle(Input::Start);
        machine.handle(Input::Opened(EDGE));
        machine.handle(Input::Proved(SIDE));
        let away = failure("gate-1 is away");
        let said = machine.handle(Input::TunnelFailed(FIRST, away.clone()));
        assert_eq!(said[0], Action::AnnounceFailedOver(DEEP, 0, 1, away));
        assert!(said.contains(&Action::Open(SECOND)), "{said:?}");
        machine
    };
    let mut machine = start();
    machine.handle(Input::Opened(SECOND));
    assert_eq!(machine.handle(Input::Proved(DEEP)), [Action::AnnounceUp]);
    let mut machine = start();
    let said = machine.handle(Input::TunnelFailed(SECOND, failure("gate-2 is away")));
    assert!(said.contains(&Action::AnnounceClosing), "{said:?}");
    machine.handle(Input::Stopped(SIDE));
    machine.handle(Input::Closed(EDGE));
    assert_eq!(machine.machine.into_failure().unwrap().message, "gate-1 is away");
}

#[test]
fn what_both_ways_need_ends_a_start_and_so_does_a_far_end_that_no_way_reaches() {
    let mut machine = two_gates("");
    machine.handle(Input::Start);
    assert!(machine.handle(Input::TunnelFailed(EDGE, failure("away"))).contains(&Action::AnnounceClosing));
    let mut machine = two_gates("");
    machine.handle(Input::Start);
    machine.handle(Input::Opened(EDGE));
    machine.handle(Input::Opened(FIRST));
    let said = machine.handle(Input::ForwardFailed(DEEP, failure("no answer by gate-1")));
    assert!(said.contains(&Action::Open(SECOND)) && said.contains(&Action::Close(FIRST)), "{said:?}");
    machine.handle(Input::Opened(SECOND));
    let said = machine.handle(Input::ForwardFailed(DEEP, failure("no answer by gate-2")));
    assert!(said.contains(&Action::AnnounceClosing), "{said:?}");
    assert_eq!(machine.machine.into_failure().unwrap().message, "no answer by gate-1");
}

#[test]
fn it_can_be_left_in_the_middle_of_a_move() {
    let mut machine = up_on_two_gates(r#""after": "3s""#);
    first_gate_away(&mut machine);
    machine.later(3);
    assert!(machine.handle(Input::Tick).contains(&Action::Open(SECOND)));
    let said = machine.handle(Input::Leave);
    assert_eq!(said, [Action::AnnounceClosing, Action::Stop(DEEP), Action::Stop(SIDE)]);
    assert_eq!(machine.handle(Input::Stopped(DEEP)), [Action::Close(SECOND)]);
    machine.handle(Input::Closed(SECOND));
    machine.handle(Input::Stopped(SIDE));
    assert_eq!(machine.handle(Input::Closed(EDGE)), [Action::Finish]);
}
