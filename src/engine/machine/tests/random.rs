//! Whatever happens, in whatever order: the machine comes to rest, whole or with nothing left.

use proptest::prelude::*;

use super::*;

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
    /// A tunnel that is up is ended by its server, since nobody used it.
    Unused(usize),
    /// Somebody wants to know.
    Doubt,
    /// Somebody waits to be served by this forward.
    Want(usize),
    /// Nobody is connected to this forward.
    Idle(usize),
    /// Time passes, in milliseconds.
    Wait(u64),
}

fn chances(leave: bool) -> impl Strategy<Value = Vec<Chance>> {
    let one = prop_oneof![
        30 => (0..8usize, prop::bool::weighted(0.9)).prop_map(|(which, good)| Chance::Answer { which, good }),
        4 => (0..3usize).prop_map(Chance::Lose),
        4 => (0..3usize).prop_map(Chance::Unused),
        1 => Just(Chance::Doubt),
        1 => (0..2usize).prop_map(Chance::Want),
        1 => (0..2usize).prop_map(Chance::Idle),
        6 => (0..20_000u64).prop_map(Chance::Wait),
    ];
    // Not with a weight of nothing: a failing row is made shorter whatever the weights.
    let one = if leave { prop_oneof![45 => one, 1 => Just(Chance::Leave)].boxed() } else { one.boxed() };
    prop::collection::vec(one, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    /// No tunnel closes under one that stands on it, none for a failure above it, no action is asked for
    /// twice, and asked to leave it always ends with nothing left.
    #[test]
    fn it_always_comes_to_rest(chances in chances(true), side_required: bool) {
        let mut world = World::new(machine(side_required));
        world.begin();
        chances.into_iter().for_each(|chance| world.meet(chance));
        world.tell(Input::Leave);
        world.settle();
        prop_assert!(world.finished);
        prop_assert_eq!(world.machine.state(), RunState::Down);
    }

    /// Once it was up: left in peace after anything that happened it is as after a fresh start.
    #[test]
    fn it_always_comes_back(chances in chances(false)) {
        let mut world = World::new(machine(true));
        world.begin();
        world.settle();
        prop_assert_eq!(world.machine.state(), RunState::Up);
        chances.into_iter().for_each(|chance| world.meet(chance));
        world.settle();
        prop_assert_eq!(world.machine.state(), RunState::Up);
        prop_assert!((0..3).all(|t| world.machine.machine.tunnel(t) == TunnelState::Up));
        prop_assert!(world.machine.machine.tunnel_cause(0).is_none());
        prop_assert_eq!(world.machine.machine.wakes_at(world.machine.now), None);
    }

    /// The same with a second way: it is on one of the two, and on the first where it shall go back; nothing
    /// unwanted stays open. Left at any time it ends with nothing left.
    #[test]
    fn it_is_on_one_of_its_ways(chances in chances(false), back: bool, begun: bool) {
        let mut world = World::new(ways::two_gates(if back { r#""back": "20s""# } else { r#""back": false"# }));
        world.begin();
        if begun {
            world.settle();
            prop_assert_eq!(world.machine.state(), RunState::Up);
        }
        chances.into_iter().for_each(|chance| world.meet(chance));
        world.settle();
        if !world.leaving {
            let machine = &world.machine.machine;
            prop_assert_eq!(machine.state(), RunState::Up);
            prop_assert_eq!(machine.wakes_at(world.machine.now), None);
            prop_assert!(!back || machine.way(DEEP) == 0 || machine.left_for(DEEP).is_some());
            let [taken, other] = if machine.way(DEEP) == 0 { [1, 2] } else { [2, 1] };
            prop_assert_eq!(machine.tunnel(taken), TunnelState::Up);
            prop_assert!(other == 1 && back || machine.tunnel(other) == TunnelState::Standby);
            prop_assert_eq!(machine.tunnel(0), TunnelState::Up);
        }
        world.tell(Input::Leave);
        world.settle();
        prop_assert!(world.finished);
    }

    /// However often things break: what a host sees of us is bounded by what broke below and at it.
    #[test]
    fn nothing_makes_a_storm(chances in chances(false), ways: bool) {
        let mut world = World::new(if ways { ways::two_gates(r#""after": "2s""#) } else { machine(true) });
        world.begin();
        world.settle();
        chances.into_iter().for_each(|chance| world.meet(chance));
        world.settle();
        for t in 0..3 {
            // Six tries in ten seconds for each tunnel that it needs, and for itself.
            let most = 6 * (t + 1) + 1;
            let tries: Vec<_> = world.opened.iter().filter(|(open, _)| *open == t).map(|(_, at)| *at).collect();
            let burst = tries.windows(most).find(|tries| tries[most - 1] - tries[0] < Duration::from_secs(10));
            prop_assert_eq!(burst, None, "tunnel {}", t);
        }
    }
}

/// What the machine asked for and was not answered yet.
struct World {
    machine: Timed,
    open: Vec<Action>,
    finished: bool,
    /// The lowest tunnel that broke since all was well.
    broken: usize,
    leaving: bool,
    opened: Vec<(usize, Duration)>,
}

impl World {
    fn new(machine: Timed) -> Self {
        World {
            machine,
            open: Vec::new(),
            finished: false,
            broken: usize::MAX,
            leaving: false,
            opened: Vec::new(),
        }
    }

    fn begin(&mut self) {
        self.tell(Input::Start);
    }

    fn tell(&mut self, input: Input) {
        if let Input::TunnelFailed(t, _) | Input::EndedUnused(t, ..) = input {
            self.broken = self.broken.min(t);
        }
        let actions = self.machine.handle(input);
        self.leaving |= actions.contains(&Action::AnnounceClosing);
        self.take(actions);
    }

    fn meet(&mut self, chance: Chance) {
        match chance {
            Chance::Leave => self.tell(Input::Leave),
            Chance::Answer { which, good } => self.answer(which, good),
            Chance::Lose(t) if self.machine.machine.tunnel(t) == TunnelState::Up => {
                self.tell(Input::TunnelFailed(t, failure("lost")));
            }
            Chance::Unused(t) if self.machine.machine.tunnel(t) == TunnelState::Up => {
                self.tell(Input::EndedUnused(t, Duration::from_secs(5), failure("closed")));
            }
            Chance::Lose(_) | Chance::Unused(_) => {}
            Chance::Want(f) => self.tell(Input::Wanted(f)),
            Chance::Doubt => self.tell(Input::Doubt),
            Chance::Idle(f) => self.tell(Input::Idle(f)),
            Chance::Wait(ms) => {
                let until = self.machine.now + Duration::from_millis(ms);
                while let Some(wake) = self.machine.machine.wakes_at(self.machine.now)
                    && wake <= until
                {
                    self.machine.now = wake;
                    self.tell(Input::Tick);
                }
                self.machine.now = until;
                self.tell(Input::Tick);
            }
        }
    }

    /// Whether a tunnel stands on this one.
    fn stands_on(&self, above: usize, t: usize) -> bool {
        let needs = &self.machine.machine.tunnels[above].needs;
        needs.iter().any(|&below| below == t || self.stands_on(below, t))
    }

    /// Everything goes well until nothing is asked for any more, and somebody comes to what rests.
    fn settle(&mut self) {
        let back = self.machine.machine.failover.and_then(|terms| terms.back);
        loop {
            let away = (0..2).find(|&f| self.machine.machine.way(f) != 0);
            if !self.open.is_empty() {
                self.answer(0, true);
            } else if let (Some(f), Some(back), true) = (away, back, self.machine.state() == RunState::Up) {
                self.machine.now += back;
                self.tell(Input::Idle(f));
            } else if let Some(wake) = self.machine.machine.wakes_at(self.machine.now) {
                self.machine.now = wake;
                self.tell(Input::Tick);
            } else if let Some(f) = (0..2).find(|&f| self.machine.machine.rests(f)) {
                self.tell(Input::Wanted(f));
            } else {
                return;
            }
        }
    }

    fn take(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Finish => {
                    assert!(!self.finished, "finished twice");
                    assert!(self.open.is_empty(), "finished before {:?}", self.open);
                    self.finished = true;
                }
                Action::Close(t) => {
                    let wanted = self.machine.machine.tunnels[t].wanted;
                    assert!(self.leaving || !wanted || t >= self.broken, "closes {t} for {}", self.broken);
                    let above = |other: &Action| matches!(other, Action::Close(o) | Action::Open(o) if self.stands_on(*o, t));
                    assert!(!self.open.iter().any(above), "closes {t} under {:?}", self.open);
                    // Calling off answers what is called off.
                    self.open.retain(|other| ![Action::Open(t), Action::Probe(t)].contains(other));
                    self.push(Action::Close(t));
                }
                Action::Stop(f) | Action::Suspend(f) => {
                    self.open.retain(|other| ![Action::Prove(f), Action::Verify(f)].contains(other));
                    self.push(action);
                }
                Action::Open(t) => {
                    assert!(self.machine.machine.tunnels[t].wanted, "opens {t}, which nobody wants");
                    self.opened.push((t, self.machine.now));
                    self.push(Action::Open(t));
                }
                Action::Prove(_) | Action::Probe(_) | Action::Verify(_) => self.push(action),
                // What is laid to rest is no break, and is still being closed.
                Action::AnnounceRestored(_)
                    if self.machine.machine.tunnels.iter().all(|it| it.doom.is_none()) =>
                {
                    self.broken = usize::MAX;
                }
                _ => {}
            }
        }
    }

    fn push(&mut self, action: Action) {
        assert!(!self.open.contains(&action), "asks twice for {action:?}");
        self.open.push(action);
    }

    fn answer(&mut self, which: usize, good: bool) {
        if self.open.is_empty() {
            return;
        }
        let action = self.open.remove(which % self.open.len());
        self.tell(answer(action, good));
    }
}
