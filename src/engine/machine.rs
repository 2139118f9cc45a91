//! The pure part of the engine: what happened goes in, what to do now comes out.
//!
//! Building and tearing down are each one rule, applied after every input: open what stands on firm
//! ground, close what nothing stands on any more. It knows no socket, no clock and no task.

use super::{Failure, ForwardState, RunState, TunnelState};
use crate::plan::{Plan, TunnelId};

/// What happened. Numbers are places in the plan's lists.
#[derive(Debug, Clone)]
pub enum Input {
    /// The run begins.
    Start,
    /// A tunnel's session is logged in.
    Opened(usize),
    /// A tunnel could not be opened, or its session was lost.
    TunnelFailed(usize, Failure),
    /// A tunnel's session is gone after [`Action::Close`].
    Closed(usize),
    /// A forward's far end answered.
    Proved(usize),
    /// A forward could not be proved.
    ForwardFailed(usize, Failure),
    /// A forward is gone after [`Action::Stop`].
    Stopped(usize),
    /// Somebody wants the run to end.
    Leave,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Open this tunnel's session.
    Open(usize),
    /// End this tunnel's session, or stop opening it.
    Close(usize),
    /// Prove this forward's far end, then serve.
    Prove(usize),
    /// Stop serving or proving this forward.
    Stop(usize),
    /// Every required forward is up and the others are settled.
    AnnounceUp,
    /// Teardown of everything began.
    AnnounceClosing,
    /// A forward is given up, the run goes on.
    AnnounceForwardFailed(usize, Failure),
    /// Nothing is left.
    Finish,
}

/// The state of one run.
pub struct Machine {
    tunnels: Vec<Tunnel>,
    forwards: Vec<Forward>,
    parallel: usize,
    was_up: bool,
    leaving: bool,
    finished: bool,
    /// The first failure that ends the run: what comes after it follows from it.
    failure: Option<Failure>,
}

struct Tunnel {
    /// What must be up before it.
    needs: Vec<usize>,
    /// Whether a required forward stands on it.
    required: bool,
    state: TunnelState,
    /// To be closed as soon as nothing stands on it.
    condemned: bool,
    cause: Option<String>,
}

struct Forward {
    /// What must be up before it.
    needs: Vec<usize>,
    required: bool,
    state: ForwardState,
    condemned: bool,
    stopping: bool,
    /// Given up while it ran: once stopped, it counts as failed.
    given_up: bool,
}

impl Machine {
    /// The machine of a plan, before anything has happened.
    pub fn new(plan: &Plan) -> Self {
        let place = |id: &TunnelId| plan.place(id);
        let mut required = vec![false; plan.tunnels.len()];
        for forward in plan.forwards.iter().filter(|forward| forward.forward.required) {
            forward.needs().filter_map(place).for_each(|under| required[under] = true);
        }
        // Build order puts a tunnel after what it needs, so one pass from the end reaches all.
        for (t, tunnel) in plan.tunnels.iter().enumerate().rev() {
            if required[t] {
                tunnel.needs().filter_map(place).for_each(|under| required[under] = true);
            }
        }
        let tunnels = plan.tunnels.iter().zip(required).map(|(tunnel, required)| Tunnel {
            needs: tunnel.needs().filter_map(place).collect(),
            required,
            state: TunnelState::Pending,
            condemned: false,
            cause: None,
        });
        let forwards = plan.forwards.iter().map(|forward| Forward {
            needs: forward.needs().filter_map(place).collect(),
            required: forward.forward.required,
            state: ForwardState::Pending,
            condemned: false,
            stopping: false,
            given_up: false,
        });
        Machine {
            tunnels: tunnels.collect(),
            forwards: forwards.collect(),
            parallel: plan.parallel.max(1),
            was_up: false,
            leaving: false,
            finished: false,
            failure: None,
        }
    }

    /// Takes in what happened and says what to do now.
    pub fn handle(&mut self, input: Input) -> Vec<Action> {
        let mut actions = Vec::new();
        match input {
            Input::Start => {}
            Input::Opened(t) if self.tunnels[t].condemned => {}
            Input::Opened(t) => self.tunnels[t].state = TunnelState::Up,
            Input::TunnelFailed(t, failure) => self.tunnel_failed(t, failure, &mut actions),
            Input::Closed(t) => {
                let tunnel = &mut self.tunnels[t];
                tunnel.state = if tunnel.cause.is_some() { TunnelState::Failed } else { TunnelState::Down };
            }
            Input::Proved(f) | Input::ForwardFailed(f, _) if self.forwards[f].condemned => {}
            Input::Proved(f) => self.forwards[f].state = ForwardState::Up,
            Input::ForwardFailed(f, failure) => {
                self.forwards[f].state = ForwardState::Failed;
                self.give_up(f, failure, &mut actions);
            }
            Input::Stopped(f) => {
                let forward = &mut self.forwards[f];
                forward.stopping = false;
                forward.state = if forward.given_up { ForwardState::Failed } else { ForwardState::Down };
            }
            Input::Leave => self.leave(&mut actions),
        }
        self.close_what_is_condemned(&mut actions);
        self.open_what_is_ready(&mut actions);
        self.settle(&mut actions);
        actions
    }

    /// The whole run.
    pub fn state(&self) -> RunState {
        match () {
            () if self.finished => RunState::Down,
            () if self.leaving => RunState::Closing,
            () if !self.was_up => RunState::Connecting,
            () if self.forwards.iter().any(|forward| forward.given_up) => RunState::Degraded,
            () => RunState::Up,
        }
    }

    /// A tunnel's state, and why it is not up.
    pub fn tunnel(&self, t: usize) -> (TunnelState, Option<&str>) {
        (self.tunnels[t].state, self.tunnels[t].cause.as_deref())
    }

    /// A forward's state.
    pub fn forward(&self, f: usize) -> ForwardState {
        self.forwards[f].state
    }

    /// Whether the run was ever up.
    pub fn was_up(&self) -> bool {
        self.was_up
    }

    /// Whether something broke that ends the run.
    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Whether a tunnel is being given up, so that its end is expected.
    pub fn is_condemned(&self, t: usize) -> bool {
        self.tunnels[t].condemned
    }

    /// Why the run ended badly, once it has.
    pub fn into_failure(self) -> Option<Failure> {
        self.failure
    }

    fn tunnel_failed(&mut self, t: usize, failure: Failure, actions: &mut Vec<Action>) {
        let tunnel = &mut self.tunnels[t];
        if tunnel.state == TunnelState::Connecting {
            // Nothing of it is left, so there is nothing to close.
            tunnel.state = TunnelState::Failed;
        }
        if tunnel.condemned {
            return;
        }
        tunnel.cause = Some(failure.message.clone());
        if tunnel.required {
            self.fail(failure, actions);
        } else {
            self.condemn_subtree(t, &failure, actions);
        }
    }

    fn give_up(&mut self, f: usize, failure: Failure, actions: &mut Vec<Action>) {
        let forward = &mut self.forwards[f];
        forward.condemned = true;
        forward.given_up = true;
        if forward.state == ForwardState::Pending {
            forward.state = ForwardState::Failed;
        }
        if forward.required {
            self.fail(failure, actions);
        } else {
            actions.push(Action::AnnounceForwardFailed(f, failure));
        }
    }

    fn fail(&mut self, failure: Failure, actions: &mut Vec<Action>) {
        self.failure.get_or_insert(failure);
        self.leave(actions);
    }

    fn leave(&mut self, actions: &mut Vec<Action>) {
        if !self.leaving {
            self.leaving = true;
            actions.push(Action::AnnounceClosing);
        }
        self.tunnels.iter_mut().for_each(|tunnel| tunnel.condemned = true);
        self.forwards.iter_mut().for_each(|forward| forward.condemned = true);
    }

    /// Gives up a tunnel that no required forward rides, and everything that stands on it.
    fn condemn_subtree(&mut self, root: usize, failure: &Failure, actions: &mut Vec<Action>) {
        self.tunnels[root].condemned = true;
        // Build order puts a tunnel after the one it rides, so one pass reaches all.
        for t in root + 1..self.tunnels.len() {
            if self.tunnels[t].needs.iter().any(|&under| self.tunnels[under].condemned) {
                self.tunnels[t].condemned = true;
            }
        }
        for f in 0..self.forwards.len() {
            let rides = self.forwards[f].needs.iter().any(|&under| self.tunnels[under].condemned);
            if rides && !self.forwards[f].condemned {
                self.give_up(f, failure.clone(), actions);
            }
        }
    }

    /// From the inside out: forwards first, then each tunnel once nothing stands on it.
    fn close_what_is_condemned(&mut self, actions: &mut Vec<Action>) {
        for (f, forward) in self.forwards.iter_mut().enumerate() {
            if !forward.condemned || forward.stopping {
                continue;
            }
            match forward.state {
                ForwardState::Pending => forward.state = ForwardState::Down,
                ForwardState::Checking | ForwardState::Up => {
                    forward.stopping = true;
                    actions.push(Action::Stop(f));
                }
                ForwardState::Failed | ForwardState::Down => {}
            }
        }
        for t in (0..self.tunnels.len()).rev() {
            if !self.tunnels[t].condemned || self.is_stood_on(t) {
                continue;
            }
            match self.tunnels[t].state {
                TunnelState::Pending => self.tunnels[t].state = TunnelState::Down,
                TunnelState::Connecting | TunnelState::Up => {
                    self.tunnels[t].state = TunnelState::Closing;
                    actions.push(Action::Close(t));
                }
                TunnelState::Closing | TunnelState::Failed | TunnelState::Down => {}
            }
        }
    }

    fn is_stood_on(&self, t: usize) -> bool {
        let alive = |tunnel: &Tunnel| !matches!(tunnel.state, TunnelState::Failed | TunnelState::Down);
        self.tunnels.iter().any(|above| above.needs.contains(&t) && alive(above))
            || self.forwards.iter().any(|forward| {
                forward.needs.contains(&t)
                    && (forward.stopping
                        || !matches!(forward.state, ForwardState::Failed | ForwardState::Down))
            })
    }

    fn open_what_is_ready(&mut self, actions: &mut Vec<Action>) {
        let mut opening =
            self.tunnels.iter().filter(|tunnel| tunnel.state == TunnelState::Connecting).count();
        for t in 0..self.tunnels.len() {
            let tunnel = &self.tunnels[t];
            let ready = tunnel.state == TunnelState::Pending
                && !tunnel.condemned
                && tunnel.needs.iter().all(|&under| self.is_firm(under));
            if ready && opening < self.parallel {
                self.tunnels[t].state = TunnelState::Connecting;
                opening += 1;
                actions.push(Action::Open(t));
            }
        }
        for f in 0..self.forwards.len() {
            let forward = &self.forwards[f];
            let ready = forward.state == ForwardState::Pending
                && !forward.condemned
                && forward.needs.iter().all(|&under| self.is_firm(under));
            if ready {
                self.forwards[f].state = ForwardState::Checking;
                actions.push(Action::Prove(f));
            }
        }
    }

    /// Whether a tunnel is up, and stays so.
    fn is_firm(&self, t: usize) -> bool {
        self.tunnels[t].state == TunnelState::Up && !self.tunnels[t].condemned
    }

    fn settle(&mut self, actions: &mut Vec<Action>) {
        if self.leaving {
            if self.all_gone() && !self.finished {
                self.finished = true;
                actions.push(Action::Finish);
            }
            return;
        }
        let settled = |forward: &Forward| forward.given_up || forward.state == ForwardState::Up;
        if !self.was_up && self.forwards.iter().all(settled) {
            self.was_up = true;
            actions.push(Action::AnnounceUp);
        }
    }

    fn all_gone(&self) -> bool {
        self.tunnels.iter().all(|tunnel| matches!(tunnel.state, TunnelState::Failed | TunnelState::Down))
            && self.forwards.iter().all(|forward| {
                !forward.stopping && matches!(forward.state, ForwardState::Failed | ForwardState::Down)
            })
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
