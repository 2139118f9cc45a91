//! What the machine knows of one tunnel and of one forward, and what each event makes of it alone. What it
//! means for the others is in the rules.

use std::time::Duration;

use super::rest::Habit;
use super::ways::Ways;
use super::{Failure, ForwardState, TunnelState};
use crate::engine::backoff::Backoff;
use crate::topology::{Probe, Reconnect};

/// What becomes of something once nothing stands on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doom {
    /// It is closed, and built again.
    Rebuild,
    /// No forward takes a way over it: it is closed, and opened again once one does.
    Unwanted,
    /// It is closed for good.
    Gone,
}

/// How a forward is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// Its listener stays.
    Suspend,
    /// Nothing stays.
    Stop,
}

pub(super) struct Tunnel {
    /// What must be up before it.
    pub needs: Vec<usize>,
    /// Whether a way that is taken, or one that a forward shall go back to, stands on it.
    pub wanted: bool,
    pub state: TunnelState,
    pub doom: Option<Doom>,
    /// Up, as far as is known, and not asked yet since that was not known any more.
    pub doubted: bool,
    /// While it is being opened: it waits for a listener that another machine's hopper keeps.
    pub waits: bool,
    /// Whether something on it has waited so: it was open then, and nothing was wrong with it.
    pub waited_for: bool,
    /// Whether it may be left closed until somebody comes, and whether it is.
    pub may_rest: bool,
    pub rests: bool,
    /// Whether it is, or waits for one that is, and nothing is wrong; as of the last input.
    pub resting: bool,
    pub habit: Habit,
    /// Not to be opened earlier.
    pub not_before: Duration,
    pub backoff: Backoff,
    /// Why it broke last, until it is up again.
    pub cause: Option<Failure>,
    /// When it failed last, until it is up again.
    pub failed: Option<Duration>,
    /// When it was opened last.
    pub up_since: Duration,
    /// Times it was opened again.
    pub reconnects: u64,
    pub was_open: bool,
}

impl Tunnel {
    pub fn new(needs: Vec<usize>, terms: Reconnect, seed: u64) -> Self {
        Tunnel {
            needs,
            wanted: true,
            state: TunnelState::Pending,
            doom: None,
            doubted: false,
            waits: false,
            waited_for: false,
            may_rest: false,
            rests: false,
            resting: false,
            habit: Habit::default(),
            not_before: Duration::ZERO,
            backoff: Backoff::new(terms, seed),
            cause: None,
            failed: None,
            up_since: Duration::ZERO,
            reconnects: 0,
            was_open: false,
        }
    }

    /// It was opened; if it is doomed by now, that makes no difference any more.
    pub fn opened(&mut self, now: Duration) {
        if self.doom.is_some() || self.state != TunnelState::Connecting {
            return;
        }
        self.state = TunnelState::Up;
        (self.cause, self.failed, self.up_since) = (None, None, now);
        self.backoff.up(now);
        self.reconnects += u64::from(self.was_open);
        self.was_open = true;
    }

    /// It ends, and not because nobody used it.
    pub fn ends_otherwise(&mut self) {
        if self.state == TunnelState::Up {
            self.habit = Habit::default();
        }
    }

    /// Whether nothing but another machine's hopper keeps it from being open.
    pub fn is_waiting(&self) -> bool {
        self.state == TunnelState::Connecting && self.waits
    }

    /// It was closed.
    pub fn closed(&mut self) {
        self.state = match self.doom {
            Some(Doom::Rebuild | Doom::Unwanted) => {
                self.doom = None;
                TunnelState::Pending
            }
            _ if self.cause.is_some() => TunnelState::Failed,
            _ => TunnelState::Down,
        };
    }

    /// Whether something is there that stands on what it needs.
    pub fn stands(&self) -> bool {
        matches!(self.state, TunnelState::Connecting | TunnelState::Up | TunnelState::Closing)
    }
}

pub(super) struct Forward {
    /// What must be up before it, on the way that it takes.
    pub needs: Vec<usize>,
    pub ways: Ways,
    pub required: bool,
    pub state: ForwardState,
    pub doom: Option<Doom>,
    pub stopping: Option<Halt>,
    /// Given up: once stopped, it counts as failed.
    pub given_up: bool,
    /// While it is being proved: it waits for a listener that another machine's hopper keeps.
    pub waits: bool,
    /// Whether it has been served: then it holds a listener, also while it is suspended.
    pub serving: bool,
    /// Like that of a tunnel.
    pub doubted: bool,
    /// Whether it is being asked while it is served.
    pub asking: bool,
    /// Whether it did not answer when it was asked last.
    pub missed: bool,
    /// When to ask it again.
    pub due: Option<Duration>,
    /// Came with another plan, and nothing is known of it yet: it neither works nor is it broken.
    pub is_new: bool,
    /// How long a proof counts.
    pub probe: Probe,
    /// Not to be proved earlier.
    pub not_before: Duration,
    pub backoff: Backoff,
    /// Why it could not be proved last, until it is up again.
    pub cause: Option<Failure>,
    /// When that was.
    pub failed: Option<Duration>,
}

impl Forward {
    pub fn new(ways: Ways, required: bool, terms: Reconnect, probe: Probe, seed: u64) -> Self {
        Forward {
            needs: ways.needs().to_vec(),
            ways,
            required,
            state: ForwardState::Pending,
            doom: None,
            stopping: None,
            given_up: false,
            waits: false,
            serving: false,
            doubted: false,
            asking: false,
            missed: false,
            due: None,
            is_new: false,
            probe,
            not_before: Duration::ZERO,
            // What is opened is counted, and not what is proved.
            backoff: Backoff::new(Reconnect { max_starts: None, ..terms }, seed),
            cause: None,
            failed: None,
        }
    }

    /// It was proved and is served; if it is doomed by now, that makes no difference any more.
    pub fn proved(&mut self, now: Duration) {
        if self.doom.is_some() || self.state != ForwardState::Checking {
            return;
        }
        self.state = ForwardState::Up;
        self.serving = true;
        self.answered(now);
        self.due = self.probe.every.map(|every| now + self.probe.first.unwrap_or(every));
    }

    /// It was proved again while it was served.
    pub fn verified(&mut self, now: Duration) {
        if self.doom.is_none() && self.asking {
            self.answered(now);
        }
    }

    fn answered(&mut self, now: Duration) {
        self.unask();
        (self.cause, self.failed) = (None, None);
        self.due = self.probe.every.map(|every| now + every);
        self.backoff.up(now);
    }

    /// Nothing is asked of it, and nothing is held against it.
    pub fn unask(&mut self) {
        (self.asking, self.doubted, self.missed, self.due) = (false, false, false, None);
    }

    /// Whether it is served and nobody asks it at this moment.
    pub fn may_be_asked(&self) -> bool {
        self.state == ForwardState::Up && self.doom.is_none() && !self.asking
    }

    /// It was stopped or suspended.
    pub fn stopped(&mut self) {
        match self.stopping.take() {
            Some(Halt::Suspend) => {
                self.state = ForwardState::Pending;
                self.unask();
                self.doom = self.doom.filter(|&doom| doom == Doom::Gone);
            }
            Some(Halt::Stop) => {
                self.serving = false;
                self.state = self.end();
            }
            None => {}
        }
    }

    /// Whether it was proved, and nothing has broken since.
    pub fn is_up(&self) -> bool {
        self.state == ForwardState::Up && self.doom.is_none() && !self.missed
    }

    /// Whether it is closed for a plan that does not have it.
    pub fn is_shed(&self) -> bool {
        self.doom == Some(Doom::Gone) && !self.given_up
    }

    /// What it is once it is gone.
    pub fn end(&self) -> ForwardState {
        if self.given_up { ForwardState::Failed } else { ForwardState::Down }
    }

    /// Whether it waits, and for nothing but its ground and its time.
    pub fn is_pending(&self) -> bool {
        self.state == ForwardState::Pending && self.doom.is_none() && self.stopping.is_none()
    }

    /// Whether something is there that stands on what it needs.
    pub fn stands(&self) -> bool {
        self.stopping.is_some() || matches!(self.state, ForwardState::Checking | ForwardState::Up)
    }

    /// Whether nothing of it is left.
    pub fn is_gone(&self) -> bool {
        self.stopping.is_none()
            && !self.serving
            && matches!(self.state, ForwardState::Failed | ForwardState::Down)
    }
}
