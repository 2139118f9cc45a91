//! How the chain lives: settings that belong to no single host, link or forward.

use std::time::Duration;

/// Settings of the whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Where SSH clients run.
    pub strategy: Strategy,
    /// How many tunnels of one layer are opened at a time; at least 1.
    pub parallel: usize,
    /// How what broke is tried again.
    pub reconnect: Reconnect,
    /// How often far ends are asked again.
    pub probe: Probe,
    /// How long clients that are connected may go on once the run is to end; zero resets them at once.
    pub drain: Duration,
    /// Whether forwards take their next best route when theirs stays down; `None` is never.
    pub failover: Option<Failover>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            strategy: Strategy::Nested,
            parallel: 8,
            reconnect: Reconnect::default(),
            probe: Probe::default(),
            drain: Duration::ZERO,
            failover: None,
        }
    }
}

/// When a forward takes its next best route, and when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failover {
    /// How long what broke may stay so before the next route is taken.
    pub after: Duration,
    /// How long the first route must have been whole again before the forward goes back; `None` is never.
    pub back: Option<Duration>,
}

impl Failover {
    /// How long the first route must have been whole where the file only says that the forward goes back.
    pub const BACK: Duration = Duration::from_secs(60);
}

impl Default for Failover {
    fn default() -> Self {
        Failover { after: Duration::from_secs(30), back: None }
    }
}

/// How often far ends are asked again whether they are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Probe {
    /// How long one answer counts; `None` is as long as what carries the forward stands.
    pub every: Option<Duration>,
    /// How long one may take; `None` is as long as at first.
    pub timeout: Option<Duration>,
}

/// How what broke is tried again. What had held is tried at once; these are the waits after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconnect {
    /// The first wait.
    pub first: Duration,
    /// The longest wait, before chance is added.
    pub max: Duration,
    /// How much longer each wait is than the one before it; at least 1.
    pub factor: Ratio,
    /// By how much of itself chance makes a wait longer or shorter, at most; up to 1.
    pub jitter: Ratio,
    /// How long something is tried before it counts as failed; `None` is for ever.
    pub give_up: Option<Duration>,
}

impl Default for Reconnect {
    fn default() -> Self {
        Reconnect {
            first: Duration::from_secs(1),
            max: Duration::from_secs(60),
            factor: 2.0.into(),
            jitter: 0.3.into(),
            give_up: None,
        }
    }
}

/// A small number with up to three places after the point, kept exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio {
    thousandths: u32,
}

impl Ratio {
    /// As a plain number.
    pub fn as_f64(self) -> f64 {
        f64::from(self.thousandths) / 1000.0
    }
}

impl From<f64> for Ratio {
    /// Rounded to three places; what is negative, too large or no number ends at the nearest bound.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` ends at the bounds")]
    fn from(number: f64) -> Self {
        Ratio { thousandths: (number * 1000.0).round() as u32 }
    }
}

/// Where SSH clients run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Every client is local; each tunnel rides the one before it.
    #[default]
    Nested,
    /// Clients sit where they save tunnels: on hosts in between that allow it.
    Telescoped,
}

impl Strategy {
    /// The word the file and the plan use.
    pub fn as_str(self) -> &'static str {
        match self {
            Strategy::Nested => "nested",
            Strategy::Telescoped => "telescoped",
        }
    }
}
