//! Blame for the hop that a tunnel ends: its connection, its session, its login.

use std::io;
use std::time::Duration;

use super::{prohibited_help, said_or, seconds};
use crate::engine::{Exit, Failure, Phase};
use crate::plan::{Plan, PlannedForward, Tunnel};
use crate::ssh::{DialError, LoginError, OpenError, Step};
use crate::topology::escape;

/// Blames the hop that a tunnel ends.
pub struct TunnelBlame<'a> {
    /// The plan the tunnel is part of.
    pub plan: &'a Plan,
    /// The tunnel.
    pub tunnel: &'a Tunnel,
}

impl TunnelBlame<'_> {
    pub(super) fn failure(&self, code: &'static str, exit: Exit, phase: Phase, message: String) -> Failure {
        Failure {
            code,
            exit,
            phase,
            message,
            hop: Some((self.tunnel.hop, self.of())),
            host: Some(self.tunnel.server.id.clone()),
            tunnel: Some(self.tunnel.id.clone()),
            facts: Vec::new(),
            help: Vec::new(),
        }
    }

    /// The hops of the longest route that this tunnel is part of.
    fn of(&self) -> usize {
        let hops = |forward: &PlannedForward| {
            let near = forward.listener.as_ref().filter(|near| near.tunnels.contains(&self.tunnel.id));
            let far = Some(forward).filter(|forward| forward.tunnels.contains(&self.tunnel.id));
            near.map(|near| near.route.len() - 1).max(far.map(|far| far.route.len() - 1))
        };
        self.plan.forwards.iter().flat_map(PlannedForward::ways).filter_map(hops).max().unwrap_or(1)
    }

    pub(super) fn server(&self) -> &str {
        self.tunnel.server.id.as_str()
    }

    /// Who dials the server: local, or the host of the tunnel below.
    pub(super) fn dialler(&self) -> &str {
        self.below().map_or(self.tunnel.client.name(), |below| below.server.id.as_str())
    }

    fn below(&self) -> Option<&Tunnel> {
        self.tunnel.through.as_ref().and_then(|id| self.plan.tunnel(id))
    }

    fn firewalls(&self) -> Vec<String> {
        let names: Vec<_> = self.tunnel.firewalls.iter().map(ToString::to_string).collect();
        match names.as_slice() {
            [] => Vec::new(),
            names => vec![format!("ask whether {} lets {} through", names.join(" and "), self.tunnel.target)],
        }
    }

    /// Local could not open TCP.
    pub fn unreachable(&self, error: &io::Error) -> Failure {
        let target = &self.tunnel.target;
        let what = match error.kind() {
            io::ErrorKind::ConnectionRefused => format!("nothing listens at {target}"),
            _ => format!("cannot connect to {target}"),
        };
        let mut failure =
            self.failure("H0601", Exit::Unreachable, Phase::Connect, format!("{}: {what}", self.server()));
        failure.facts.push(("cause", escape(&error.to_string())));
        failure.help = self.firewalls();
        failure.help.push(format!("check the address of {} in the file", self.server()));
        failure
    }

    /// Nothing came of connecting in time.
    pub fn connect_timed_out(&self, limit: Duration) -> Failure {
        let message = format!(
            "{}: no connection to {} from {} within {}",
            self.server(),
            self.tunnel.target,
            self.dialler(),
            seconds(limit)
        );
        let mut failure = self.failure("H0602", Exit::Unreachable, Phase::Connect, message);
        failure.facts.push(("cause", "silence: a firewall that drops, or a host that is down".to_owned()));
        failure.help = self.firewalls();
        failure.help.push(format!(
            "see from {} itself: nc -vz {} {}",
            self.dialler(),
            self.tunnel.target.host,
            self.tunnel.target.port
        ));
        failure
    }

    /// The host below could not, or would not, connect.
    pub fn dial(&self, error: &DialError) -> Failure {
        let (server, dialler, target) = (self.server(), self.dialler(), &self.tunnel.target);
        match error {
            DialError::TimedOut => self.connect_timed_out(self.tunnel.server.timeout.connect),
            DialError::SessionLost => self.lost("the connection was closed"),
            DialError::Prohibited(said) => {
                let message = format!("{dialler} will not open {target} for us");
                let mut failure = self.failure("H0702", Exit::Forward, Phase::Connect, message);
                if let Some(below) = self.below() {
                    failure.host = Some(below.server.id.clone());
                    failure.hop = Some((below.hop, self.of()));
                    failure.tunnel = Some(below.id.clone());
                }
                failure.facts.push(("cause", said_or(said, "administratively prohibited")));
                failure.help = prohibited_help(dialler, &target.to_string());
                failure
            }
            DialError::Failed(said) | DialError::Refused(said) => {
                let message = format!("{server}: {dialler} cannot connect to {target}");
                let mut failure = self.failure("H0601", Exit::Unreachable, Phase::Connect, message);
                failure.facts.push(("cause", said_or(said, "the server gave no reason")));
                failure.help = self.firewalls();
                failure
                    .help
                    .push(format!("see from {dialler} itself: nc -vz {} {}", target.host, target.port));
                failure
            }
        }
    }

    /// It said something else than its version, and closed the connection.
    fn said_otherwise(&self, words: &str) -> Failure {
        /// What sshd says to whom it does not let in for now, before 9.8 and since.
        const LATER: [&str; 2] = ["Exceeded MaxStartups", "Not allowed at this time"];
        let (server, said) = (self.server(), format!("\"{words}\""));
        if LATER.iter().any(|later| words.starts_with(later)) {
            let message = format!("{server} lets nobody in from there for now: it said {said}");
            let cause = "too many others are at its door (MaxStartups), or too many logins failed from that address \
                         (PerSourcePenalties)";
            return self.closed_at_once(message, cause);
        }
        self.no_session(Phase::Banner, &format!("it said {said} and closed the connection"))
    }

    fn closed_at_once(&self, message: String, cause: &str) -> Failure {
        let mut failure = self.failure("H0604", Exit::Unreachable, Phase::Banner, message);
        failure.facts.push(("cause", cause.to_owned()));
        failure.help.push("wait a minute before the next try".to_owned());
        failure
    }

    fn no_session(&self, phase: Phase, what: &str) -> Failure {
        let message = format!("{}: no session: {what}", self.server());
        let mut failure = self.failure("H0605", Exit::Unreachable, phase, message);
        failure.help.push(format!("is {} really an SSH server?", self.tunnel.target));
        failure
    }

    /// A session could not be opened.
    pub fn open(&self, error: OpenError) -> Failure {
        let server = self.server();
        match error {
            OpenError::ClosedSilently => {
                let message = format!("{server} closed the connection before it said a word");
                let cause = "no SSH server there, or one that refuses this address for a while (MaxStartups, \
                             PerSourcePenalties)";
                self.closed_at_once(message, cause)
            }
            OpenError::SaidOtherwise(words) => self.said_otherwise(&words),
            OpenError::TimedOut(step) => {
                let (phase, message) = match step {
                    Step::Banner => (Phase::Banner, format!("{server} took the connection and says nothing")),
                    _ => (Phase::Keys, format!("{server} stopped answering during the key exchange")),
                };
                let mut failure = self.failure("H0603", Exit::Unreachable, phase, message);
                failure.facts.push(("waited", seconds(self.tunnel.server.timeout.banner)));
                failure.help.push(format!("is {} really an SSH server?", self.tunnel.target));
                failure
            }
            OpenError::Protocol(step, what) => {
                let phase = if step == Step::Banner { Phase::Banner } else { Phase::Keys };
                self.no_session(phase, &what)
            }
            OpenError::NothingInCommon { kind, offered } => self.nothing_in_common(kind, &offered),
            OpenError::HostKey(refusal) => self.host_key(&refusal),
            OpenError::Login(LoginError::Refused(refusal)) => self.login(refusal),
            OpenError::Login(LoginError::Lost(ending)) => {
                let message = format!("{server} closed the connection during login");
                let mut failure = self.failure("H0607", Exit::Unreachable, Phase::Login, message);
                failure.facts.push(("cause", said_or(&ending, "it gave no reason")));
                failure.help.push(format!("look at {server}'s sshd log, or wait a minute and try again"));
                failure
            }
            OpenError::Login(LoginError::TimedOut) => {
                let message = format!("{server} stopped answering during login");
                let mut failure = self.failure("H0607", Exit::Unreachable, Phase::Login, message);
                failure.facts.push(("waited", seconds(self.tunnel.server.timeout.login)));
                failure.help.push(format!(
                    "give it more time: \"{server}\": {{ …, \"timeout\": {{ \"login\": \"60s\" }} }}"
                ));
                failure
            }
        }
    }

    /// The session ended while it was needed.
    pub fn lost(&self, ending: &str) -> Failure {
        let message = match self.tunnel.client.host() {
            None => format!("the session to {} was lost: {ending}", self.server()),
            Some(client) => format!("the ssh of {client} to {} ended: {ending}", self.server()),
        };
        let mut failure = self.failure("H0606", Exit::Unreachable, Phase::Running, message);
        failure.help.push(format!("hopper up {}", self.plan.topology));
        failure
    }
}
