//! What a run does while another machine's hopper is not there yet.

use super::*;

const B: usize = 2;
const C: usize = 1;

/// `a` carries `b`; `c` is beside them. `deep` rides b, `side` rides c.
fn branches(policy: &str, deep_required: bool) -> Timed {
    let text = format!(
        r#"{{ "hopper": 1, "name": "m", "hosts": {{ "a": "u@a", "b": "u@b", "c": "u@c" }},
             "links": ["local -> a -> b", "local -> c"],
             "forwards": {{ "deep": {{ "listen": "auto", "to": "b/127.0.0.1:1", "required": {deep_required} }},
                            "side": {{ "listen": "auto", "to": "c/127.0.0.1:1" }} }},
             "policy": {{ {policy} }} }}"#
    );
    let plan = plan::plan(&crate::topology::parse(&text, "m").unwrap(), &PlanOptions::default()).unwrap();
    let order: Vec<_> = plan.tunnels.iter().map(|tunnel| tunnel.server.id.as_str()).collect();
    assert_eq!(order, ["a", "c", "b"]);
    Timed { machine: Machine::new(&plan, 7), now: Duration::ZERO }
}

#[test]
fn what_waits_takes_no_turn_from_others() {
    let mut machine = branches(r#""parallel": 1"#, true);
    assert_eq!(machine.handle(Input::Start), [Action::Open(0)]);
    assert_eq!(machine.handle(Input::TunnelWaits(0)), [Action::Open(C)]);
    assert_eq!(machine.machine.tunnel(0), TunnelState::Waiting);
    assert_eq!(machine.handle(Input::Opened(0)), [], "the turn is taken by now");
    assert_eq!(machine.handle(Input::Opened(C)), [Action::Open(B), Action::Prove(SIDE)]);
}

#[test]
fn what_is_lost_while_something_on_it_waits_is_rebuilt_before_the_run_was_up() {
    let mut machine = branches(r#""reconnect": {"jitter": 0}"#, true);
    machine.handle(Input::Start);
    machine.handle(Input::Opened(0));
    machine.handle(Input::TunnelWaits(B));
    let lost = failure("a broke");
    let actions = machine.handle(Input::TunnelFailed(0, lost.clone()));
    assert_eq!(actions, [Action::AnnounceLost(0, lost, 1), Action::Close(B)]);
    assert_eq!(machine.handle(Input::Closed(B)), [Action::Close(0)]);
    machine.handle(Input::Closed(0));
    // It had not stood for long, and stays away for a while.
    let refused = failure("refused");
    machine.later(60);
    machine.handle(Input::Tick);
    let actions = machine.handle(Input::TunnelFailed(0, refused.clone()));
    assert!(matches!(actions[..], [Action::AnnounceTunnelRetry(0, ..)]), "{actions:?}");
    assert_eq!(machine.state(), RunState::Connecting);
    // The other one never carried anybody who waits: its failure ends the run as ever.
    assert_eq!(machine.handle(Input::TunnelFailed(C, failure("c")))[0], Action::AnnounceClosing);
}

#[test]
fn nobody_waits_for_an_absent_branch_that_is_not_required() {
    let mut machine = branches("", false);
    machine.handle(Input::Start);
    machine.handle(Input::Opened(0));
    machine.handle(Input::Opened(C));
    assert_eq!(machine.handle(Input::Proved(SIDE)), [], "it may come up at any moment");
    assert_eq!(machine.handle(Input::TunnelWaits(B)), [Action::AnnounceUp]);
    assert_eq!((machine.state(), machine.machine.has_broken()), (RunState::Degraded, false));
    assert_eq!(machine.handle(Input::Opened(B)), [Action::Prove(DEEP)]);
    machine.handle(Input::Proved(DEEP));
    assert_eq!(machine.state(), RunState::Up);
}

#[test]
fn a_required_branch_is_waited_for_and_so_is_a_listener_that_is_dialled_plainly() {
    let mut machine = branches("", true);
    machine.handle(Input::Start);
    machine.handle(Input::Opened(0));
    machine.handle(Input::Opened(C));
    machine.handle(Input::Proved(SIDE));
    assert_eq!(machine.handle(Input::TunnelWaits(B)), []);
    let mut machine = branches("", false);
    machine.handle(Input::Start);
    (0..3).for_each(|t| drop(machine.handle(Input::Opened(t))));
    machine.handle(Input::Proved(SIDE));
    assert_eq!(machine.handle(Input::ForwardWaits(DEEP)), [Action::AnnounceUp]);
}
