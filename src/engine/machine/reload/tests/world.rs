//! What stands around a machine that is tested: it answers what is asked for, and lets plans take over as the driver does.

use super::*;

/// A run, and what its machine asked for and was not answered yet.
pub(super) struct World {
    pub machine: Machine,
    pub plan: Plan,
    pub next: Option<Plan>,
    /// What cannot listen in the next plan.
    pub unbound: Vec<(usize, Failure)>,
    pub now: Duration,
    pub open: Vec<Action>,
    /// The hosts whose tunnels were opened, and those whose were closed.
    pub opened: Vec<String>,
    pub closed: Vec<String>,
    pub stopped: Vec<String>,
    pub reloaded: usize,
    pub up: usize,
    pub finished: bool,
}

impl World {
    pub fn new(plan: Plan) -> World {
        let mut world = World {
            machine: Machine::new(&plan, 7),
            plan,
            next: None,
            unbound: Vec::new(),
            now: Duration::ZERO,
            open: Vec::new(),
            opened: Vec::new(),
            closed: Vec::new(),
            stopped: Vec::new(),
            reloaded: 0,
            up: 0,
            finished: false,
        };
        world.tell(Input::Start);
        world
    }

    pub fn up(plan: Plan) -> World {
        let mut world = World::new(plan);
        world.settle();
        assert_eq!(world.machine.state(), RunState::Up);
        world.opened.clear();
        world
    }

    pub fn reload(&mut self, plan: Plan) {
        let kept = succession(&self.plan, &plan);
        self.next = Some(plan);
        self.tell(Input::Shed(kept));
    }

    pub fn tell(&mut self, input: Input) {
        let actions = self.machine.handle(input, self.now);
        let last = actions.len().saturating_sub(1);
        for (at, action) in actions.into_iter().enumerate() {
            match action {
                Action::TakeOver => {
                    assert_eq!(at, last, "what comes later would mean the new plan");
                    return self.take_over();
                }
                Action::AnnounceReloaded(_) => self.reloaded += 1,
                Action::AnnounceUp => self.up += 1,
                Action::Finish => self.finished = true,
                Action::Open(t) => {
                    self.opened.push(self.host(t));
                    self.ask(action);
                }
                Action::Close(t) => {
                    self.closed.push(self.host(t));
                    self.open.retain(|other| ![Action::Open(t), Action::Probe(t)].contains(other));
                    self.ask(action);
                }
                Action::Stop(f) | Action::Suspend(f) => {
                    self.stopped.push(self.plan.forwards[f].forward.id.0.clone());
                    self.open.retain(|other| ![Action::Prove(f), Action::Verify(f)].contains(other));
                    self.ask(action);
                }
                Action::Prove(_) | Action::Probe(_) | Action::Verify(_) => self.ask(action),
                _ => {}
            }
        }
    }

    pub fn host(&self, t: usize) -> String {
        self.plan.tunnels[t].server.id.to_string()
    }

    pub fn ask(&mut self, action: Action) {
        assert!(!self.open.contains(&action), "asks twice for {action:?}");
        self.open.push(action);
    }

    /// As the driver does it: what is still under way is under way at its new place.
    pub fn take_over(&mut self) {
        let plan = self.next.take().expect("a plan that waits");
        let kept = succession(&self.plan, &plan);
        let tunnel = |t: usize| kept.tunnels.iter().position(|was| *was == Some(t)).expect("it goes on");
        let forward = |f: usize| kept.forwards.iter().position(|was| *was == Some(f)).expect("it goes on");
        for action in &mut self.open {
            *action = match *action {
                Action::Open(t) => Action::Open(tunnel(t)),
                Action::Close(t) => Action::Close(tunnel(t)),
                Action::Probe(t) => Action::Probe(tunnel(t)),
                Action::Prove(f) => Action::Prove(forward(f)),
                Action::Verify(f) => Action::Verify(forward(f)),
                Action::Stop(f) => Action::Stop(forward(f)),
                Action::Suspend(f) => Action::Suspend(forward(f)),
                ref other => unreachable!("{other:?} takes no answer"),
            };
        }
        self.machine.take_over(&plan, &kept, 11, self.now);
        self.plan = plan;
        let unbound = std::mem::take(&mut self.unbound);
        self.tell(Input::TakenOver(unbound));
    }

    /// Everything goes well until nothing is asked for any more.
    pub fn settle(&mut self) {
        loop {
            if !self.open.is_empty() {
                self.answer(0, true);
            } else if let Some(wake) = self.machine.wakes_at(self.now) {
                self.now = wake;
                self.tell(Input::Tick);
            } else {
                return;
            }
        }
    }

    pub fn answer(&mut self, which: usize, good: bool) {
        if self.open.is_empty() {
            return;
        }
        let action = self.open.remove(which % self.open.len());
        self.tell(answer(action, good));
    }
}
