//! Why a run ended badly: which hop, which phase, what caused it, what to do next, which exit code.

use std::fmt;

use crate::plan::TunnelId;
use crate::topology::HostId;

/// The cause of a failed run, complete enough to act on. Foreign text in it is already escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Stable code; the list is in `docs/errors/`.
    pub code: &'static str,
    /// What the process exits with.
    pub exit: Exit,
    /// The step that failed.
    pub phase: Phase,
    /// One line, lower case, naming the host or forward and the cause.
    pub message: String,
    /// The hop to blame, 1 for the first, and how many the route has.
    pub hop: Option<(usize, usize)>,
    /// The host to blame.
    pub host: Option<HostId>,
    /// The tunnel to blame.
    pub tunnel: Option<TunnelId>,
    /// Facts worth seeing, as name and value: `offered`, `accepts`, `known`, `presented`, `cause` …
    pub facts: Vec<(&'static str, String)>,
    /// What to type next; each stands on its own.
    pub help: Vec<String>,
}

/// The step that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading and planning.
    Plan,
    /// Binding a local listener.
    Listen,
    /// Opening TCP or the carrier's channel.
    Connect,
    /// Waiting for the server's version line.
    Banner,
    /// Key exchange, or the judgement of the host key.
    Keys,
    /// Login.
    Login,
    /// Opening a forward's far end.
    Forward,
    /// Waiting for the far end to answer its check.
    Check,
    /// While up.
    Running,
    /// The control socket or the run's own files.
    Control,
}

impl Phase {
    /// The word machines read.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Plan => "plan",
            Phase::Listen => "listen",
            Phase::Connect => "connect",
            Phase::Banner => "banner",
            Phase::Keys => "keys",
            Phase::Login => "login",
            Phase::Forward => "forward",
            Phase::Check => "check",
            Phase::Running => "running",
            Phase::Control => "control",
        }
    }
}

/// The exit codes of hopper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Any failure that has no code of its own.
    Other = 1,
    /// Wrong usage.
    Usage = 2,
    /// The topology is not running.
    NotRunning = 3,
    /// Login failed, or input was needed and nobody could be asked.
    Login = 4,
    /// A host key was unknown, changed or revoked.
    HostKey = 5,
    /// Unreachable: name, refused, timeout, no banner.
    Unreachable = 6,
    /// A listen or a forward was refused.
    Forward = 7,
    /// Part of it is up.
    Degraded = 8,
    /// Control socket or lock: already running, not ours, wrong version.
    Control = 9,
    /// The topology is invalid or has no route.
    Topology = 10,
    /// A deadline of the whole command passed.
    Timeout = 124,
    /// Interrupted before it was up.
    Interrupted = 130,
    /// Terminated before it was up.
    Terminated = 143,
}

impl Exit {
    /// Every exit code.
    const ALL: [Exit; 14] = [
        Exit::Done,
        Exit::Other,
        Exit::Usage,
        Exit::NotRunning,
        Exit::Login,
        Exit::HostKey,
        Exit::Unreachable,
        Exit::Forward,
        Exit::Degraded,
        Exit::Control,
        Exit::Topology,
        Exit::Timeout,
        Exit::Interrupted,
        Exit::Terminated,
    ];

    /// The number the process exits with.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What another hopper's exit code means.
    pub fn of_code(code: i32) -> Self {
        Self::ALL.into_iter().find(|exit| i32::from(exit.code()) == code).unwrap_or(Exit::Other)
    }
}

impl Failure {
    /// Whether trying again can only do harm: a login that was refused would end in a ban, a host key is as
    /// wrong the next time, and a listener that is open to too many is so every time.
    pub fn is_final(&self) -> bool {
        matches!(self.exit, Exit::Login | Exit::HostKey) || self.code == "H0708"
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
