//! Servers that end what nobody uses, and tunnels that rest therefore.

use super::*;

const MINUTES: Duration = Duration::from_secs(300);

/// The last tunnel's server ends it after nobody used it for so long; what is asked for then, until it is closed.
fn ended(machine: &mut Timed, unused: Duration) -> Vec<Action> {
    machine.later(unused.as_secs());
    let mut actions = machine.handle(Input::EndedUnused(2, unused, failure("closed")));
    actions.extend(machine.handle(Input::Stopped(DEEP)));
    actions.extend(machine.handle(Input::Closed(2)));
    actions
}

fn lost() -> Vec<Action> {
    vec![
        Action::AnnounceLost(2, failure("closed"), 0),
        Action::Suspend(DEEP),
        Action::Close(2),
        Action::Open(2),
    ]
}

fn rests(unused: Duration) -> Vec<Action> {
    vec![Action::AnnounceRests(2, unused), Action::Suspend(DEEP), Action::Close(2)]
}

/// It is opened again, and proved.
fn back(machine: &mut Timed) {
    assert_eq!(machine.handle(Input::Opened(2)), [Action::Prove(DEEP)]);
    machine.handle(Input::Proved(DEEP));
    assert_eq!(machine.state(), RunState::Up);
}

fn resting() -> Timed {
    let mut machine = up();
    for _ in 0..2 {
        assert_eq!(ended(&mut machine, MINUTES), lost());
        back(&mut machine);
    }
    assert_eq!(ended(&mut machine, MINUTES), rests(MINUTES));
    machine
}

#[test]
fn what_its_server_ends_again_and_again_rests_until_somebody_comes() {
    let mut machine = resting();
    assert_eq!(machine.state(), RunState::Resting);
    assert_eq!(machine.machine.tunnel(2), TunnelState::Resting);
    assert_eq!(machine.machine.forward(DEEP), ForwardState::Resting);
    assert_eq!(machine.machine.wakes_at(machine.now), None);
    machine.later(3600);
    assert_eq!(machine.handle(Input::Wanted(SIDE)), [], "that one does not stand on it");
    assert_eq!(machine.handle(Input::Wanted(DEEP)), [Action::Open(2)]);
    assert_eq!(machine.state(), RunState::Degraded);
    back(&mut machine);
    // The habit is known by now.
    assert_eq!(ended(&mut machine, MINUTES), rests(MINUTES));
    assert_eq!(
        machine.handle(Input::Leave),
        [Action::AnnounceClosing, Action::Stop(DEEP), Action::Stop(SIDE), Action::Close(1)]
    );
    machine.handle(Input::Stopped(SIDE));
    machine.handle(Input::Stopped(DEEP));
    machine.handle(Input::Closed(1));
    assert_eq!(machine.handle(Input::Closed(0)), [Action::Finish]);
    assert_eq!(machine.machine.tunnel(2), TunnelState::Down);
}

#[test]
fn ends_at_other_times_or_for_other_reasons_are_no_habit() {
    let mut machine = up();
    for unused in [300, 200, 300, 300, 250, 300].map(Duration::from_secs) {
        assert_eq!(ended(&mut machine, unused), lost());
        back(&mut machine);
    }
    assert_eq!(ended(&mut machine, MINUTES), lost());
    back(&mut machine);
    machine.later(300);
    machine.handle(Input::TunnelFailed(2, failure("silent")));
    machine.handle(Input::Stopped(DEEP));
    machine.handle(Input::Closed(2));
    back(&mut machine);
    assert_eq!(ended(&mut machine, MINUTES), lost());
    let mut machine = up();
    for _ in 0..5 {
        // Killed as soon as it was there, over and over.
        assert_eq!(ended(&mut machine, Duration::from_millis(1900))[..3], lost()[..3]);
        machine.later(60);
        machine.handle(Input::Tick);
        back(&mut machine);
    }
}

/// What did not hold for long is opened again ever later; but not for somebody who comes.
#[test]
fn whoever_comes_waits_for_nothing_but_the_opening_and_rest_is_no_start_too_many() {
    let mut machine = brought_up(with_policy(true, r#""reconnect": { "max_starts": 4 }"#));
    let soon = Duration::from_secs(5);
    for nth in 0..2 {
        assert_eq!(ended(&mut machine, soon)[..3], lost()[..3]);
        if nth > 0 {
            assert_eq!(machine.wake(), [Action::Open(2)]);
        }
        back(&mut machine);
    }
    for _ in 0..8 {
        assert_eq!(ended(&mut machine, soon), rests(soon));
        assert_eq!(machine.handle(Input::Wanted(DEEP)), [Action::Open(2)]);
        back(&mut machine);
    }
}

#[test]
fn what_ended_with_something_under_it_shows_no_habit() {
    let mut machine = up();
    for _ in 0..5 {
        assert_eq!(ended(&mut machine, MINUTES), lost());
        back(&mut machine);
        machine.later(300);
        machine.handle(Input::TunnelFailed(1, failure("lost")));
        machine.handle(Input::Stopped(DEEP));
        machine.handle(Input::Closed(2));
        assert_eq!(machine.handle(Input::Closed(1)), [Action::Open(1)]);
        assert_eq!(machine.handle(Input::Opened(1)), [Action::Open(2)]);
        back(&mut machine);
    }
}

#[test]
fn what_breaks_under_it_is_broken_and_what_is_doubted_is_opened() {
    let mut machine = resting();
    machine.handle(Input::TunnelFailed(1, failure("lost")));
    assert_eq!((machine.state(), machine.machine.forward(DEEP)), (RunState::Degraded, ForwardState::Pending));
    assert_eq!(machine.handle(Input::Closed(1)), [Action::Open(1)]);
    assert!(matches!(machine.handle(Input::Opened(1))[..], [Action::AnnounceRestored(_)]));
    assert_eq!(machine.state(), RunState::Resting);
    let actions = machine.handle(Input::Doubt);
    assert!(actions.contains(&Action::Open(2)), "{actions:?}");
}

#[test]
fn where_a_client_would_be_refused_or_a_fault_must_be_known_nothing_rests() {
    let refuses = plan_of(true, r#""on_down": "refuse","#, "");
    let refuses = Timed { machine: Machine::new(&refuses, 7), now: Duration::ZERO };
    for mut machine in [refuses, with_policy(true, r#""probe": { "every": "1h" }"#)].map(brought_up) {
        for _ in 0..5 {
            assert_eq!(ended(&mut machine, MINUTES), lost());
            back(&mut machine);
        }
    }
}

#[test]
fn what_is_new_on_it_opens_it() {
    let mut machine = resting();
    let plan = plan_of(true, "", "");
    let places = crate::plan::Succession {
        tunnels: vec![Some(0), Some(1), Some(2)],
        forwards: vec![None, Some(SIDE)],
    };
    machine.handle(Input::Shed(places.clone()));
    machine.handle(Input::Stopped(DEEP));
    machine.machine.take_over(&plan, &places, 7, machine.now);
    assert_eq!(machine.handle(Input::TakenOver(Vec::new())), [Action::Open(2)]);
}

#[test]
fn a_long_chain_rests_layer_by_layer() {
    const LAST: usize = 59;
    let hosts = (0..=LAST).map(|n| format!("h{n}")).collect::<Vec<_>>();
    let listed = hosts.iter().map(|id| format!("\"{id}\": {{}}")).collect::<Vec<_>>().join(", ");
    let text = format!(
        r#"{{ "hopper": 1, "name": "m", "hosts": {{ {listed} }}, "links": ["local -> {}"],
             "forwards": {{ "f": "auto -> h{LAST}/127.0.0.1:1" }} }}"#,
        hosts.join(" -> ")
    );
    let topology = crate::topology::parse(&text, "m").unwrap();
    let plan = plan::plan(&topology, &PlanOptions::default()).unwrap();
    let mut machine = Timed { machine: Machine::new(&plan, 7), now: Duration::ZERO };
    machine.handle(Input::Start);
    (0..=LAST).for_each(|t| drop(machine.handle(Input::Opened(t))));
    machine.handle(Input::Proved(0));
    for t in (0..=LAST).rev() {
        for nth in 1..=3 {
            assert_eq!(machine.machine.tunnel(t), TunnelState::Up);
            machine.later(300);
            machine.handle(Input::EndedUnused(t, MINUTES, failure("closed")));
            machine.handle(Input::Stopped(0));
            machine.handle(Input::Closed(t));
            if nth < 3 {
                machine.handle(Input::Opened(t));
                machine.handle(Input::Proved(0));
            }
        }
        assert_eq!(machine.state(), RunState::Resting);
        assert_eq!(machine.machine.tunnel(LAST), TunnelState::Resting);
    }
    assert_eq!(machine.handle(Input::Wanted(0)), [Action::Open(0)]);
}
