//! Turns what went wrong at one place into a [`Failure`] that a person can act on: which hop, which
//! phase, what caused it, what to type next. Decides nothing else.

use std::io;
use std::time::Duration;

use super::{Exit, Failure, Phase};
use crate::forward::CheckError;
use crate::plan::{Plan, PlannedForward, Tunnel};
use crate::ssh::{DialError, HostKeyRefusal, LoginError, LoginRefusal, OpenError, Step};
use crate::topology::{Listen, escape};

/// Blames the hop that a tunnel ends.
pub struct TunnelBlame<'a> {
    /// The plan the tunnel is part of.
    pub plan: &'a Plan,
    /// The tunnel.
    pub tunnel: &'a Tunnel,
}

impl TunnelBlame<'_> {
    fn failure(&self, code: &'static str, exit: Exit, phase: Phase, message: String) -> Failure {
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
        let rides = |forward: &&PlannedForward| forward.tunnels.contains(&self.tunnel.id);
        self.plan.forwards.iter().filter(rides).map(|forward| forward.route.len() - 1).max().unwrap_or(1)
    }

    fn server(&self) -> &str {
        self.tunnel.server.id.as_str()
    }

    /// Who dials the server: local, or the host of the tunnel below.
    fn dialler(&self) -> &str {
        self.below().map_or("local", |below| below.server.id.as_str())
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

    /// A session could not be opened.
    pub fn open(&self, error: OpenError) -> Failure {
        let server = self.server();
        match error {
            OpenError::ClosedSilently => {
                let message = format!("{server} closed the connection before it said a word");
                let mut failure = self.failure("H0604", Exit::Unreachable, Phase::Banner, message);
                let cause = "no SSH server there, or one that refuses this address for a while (MaxStartups, \
                             PerSourcePenalties)";
                failure.facts.push(("cause", cause.to_owned()));
                failure.help.push("wait a minute before the next try".to_owned());
                failure
            }
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
                let message = format!("{server}: no session: {what}");
                let mut failure = self.failure("H0605", Exit::Unreachable, phase, message);
                failure.help.push(format!("is {} really an SSH server?", self.tunnel.target));
                failure
            }
            OpenError::HostKey(refusal) => self.host_key(&refusal),
            OpenError::Login(LoginError::Refused(refusal)) => self.login(refusal),
            OpenError::Login(LoginError::Lost) => {
                let message = format!("{server} closed the connection during login");
                self.failure("H0607", Exit::Unreachable, Phase::Login, message)
            }
            OpenError::Login(LoginError::TimedOut) => {
                let message = format!("{server} stopped answering during login");
                let mut failure = self.failure("H0607", Exit::Unreachable, Phase::Login, message);
                failure.facts.push(("waited", seconds(self.tunnel.server.timeout.login)));
                failure
            }
        }
    }

    /// The session ended while it was needed.
    pub fn lost(&self, ending: &str) -> Failure {
        let message = format!("the session to {} was lost: {ending}", self.server());
        let mut failure = self.failure("H0606", Exit::Unreachable, Phase::Running, message);
        failure.help.push(format!("hopper up {}", self.plan.topology));
        failure
    }

    /// A host key was not accepted.
    pub fn host_key(&self, refusal: &HostKeyRefusal) -> Failure {
        let server = self.server();
        let make = |code, message| self.failure(code, Exit::HostKey, Phase::Keys, message);
        let seen = format!("from {}, dialled by {}", self.tunnel.target, self.dialler());
        let mut failure = match refusal {
            HostKeyRefusal::Changed { presented, known, file, line } => {
                let mut failure = make("H0501", format!("{server} shows a different host key than before"));
                failure.facts.push(("known", format!("{known}   {}:{line}", file.display())));
                failure.facts.push(("presented", format!("{presented}   {seen}")));
                failure.facts.push((
                    "meaning",
                    format!("{server} was reinstalled, or something answers in its place"),
                ));
                failure.help.push(format!(
                    "read the real fingerprint on {server}'s console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
                ));
                failure.help.push(format!(
                    "only if it is {}, correct {}:{line}",
                    presented.sha256,
                    file.display()
                ));
                failure
            }
            HostKeyRefusal::Unknown { presented, line, names, files } => {
                let mut failure = make("H0502", format!("the host key of {server} is not known"));
                failure.facts.push(("presented", format!("{presented}   {seen}")));
                failure.facts.push(("looked up", names.join(", ")));
                failure.help.push(format!(
                    "compare it on {server}'s console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
                ));
                failure.help.push(format!(
                    "if it is the same, pin it in the file: \"{server}\": {{ …, \"host_key\": {{ \"fingerprint\": \"{}\" }} }}",
                    presented.sha256
                ));
                if let (Some(file), Some(name)) = (files.first(), names.first()) {
                    failure.help.push(format!("or add this line to {}: {name} {line}", file.display()));
                }
                failure
            }
            HostKeyRefusal::Revoked { presented, file, line } => {
                let mut failure = make("H0503", format!("{server} shows a host key that was revoked"));
                failure.facts.push(("presented", format!("{presented}   {seen}")));
                failure.facts.push(("revoked", format!("{}:{line}", file.display())));
                failure.help.push(format!("ask whoever runs {server}; a revoked key is never accepted"));
                failure
            }
            HostKeyRefusal::NotPinned { presented, pins } => {
                let mut failure =
                    make("H0504", format!("{server} does not show the host key that the file pins"));
                failure.facts.push(("pinned", escape(&pins.join(", "))));
                failure.facts.push(("presented", format!("{presented}   {seen}")));
                failure.help.push(format!(
                    "read the real fingerprint on {server}'s console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
                ));
                failure
            }
            HostKeyRefusal::Unreadable { file, cause } => {
                let mut failure = make("H0505", format!("cannot tell whether {server} is the right host"));
                failure.facts.push(("cause", format!("{}: {cause}", file.display())));
                failure.help.push(format!("make {} readable, or remove it", file.display()));
                failure
            }
            HostKeyRefusal::ChangedInSession { presented } => {
                let mut failure = make("H0506", format!("{server} changed its host key within the session"));
                failure.facts.push(("presented", format!("{presented}   {seen}")));
                failure
            }
            HostKeyRefusal::Certificate => {
                make("H0507", format!("{server} shows a host certificate, which hopper did not ask for"))
            }
        };
        failure.facts.push(("sent", format!("nothing was sent to {server}: no name, no key, no password")));
        failure
    }

    fn login(&self, refusal: LoginRefusal) -> Failure {
        let server = self.server();
        let LoginRefusal { user, offered, accepts, nobody_to_ask } = refusal;
        let message = match offered.len() {
            0 => format!("there is no key to offer to {server}"),
            _ => format!("{server} refused every way to log in"),
        };
        let code = if nobody_to_ask { "H0402" } else { "H0401" };
        let mut failure = self.failure(code, Exit::Login, Phase::Login, message);
        failure.facts.push(("as", escape(&user)));
        for (what, outcome) in offered {
            failure.facts.push(("offered", format!("{what}   {outcome}")));
        }
        if !accepts.is_empty() {
            failure.facts.push(("accepts", escape(&accepts.join(", "))));
        }
        if nobody_to_ask {
            failure
                .help
                .push("run it in a terminal to be asked, or load the key first: ssh-add FILE".to_owned());
        }
        failure.help.push(format!(
            "name the key for this host: \"{server}\": {{ …, \"identities\": [\"~/.ssh/KEY\"] }}"
        ));
        failure.help.push(format!("or have {server}'s authorized_keys take one of the keys offered"));
        failure
    }
}

/// A local listener could not be bound.
pub fn listen(what: &str, listen: Listen, error: &io::Error) -> Failure {
    let taken = error.kind() == io::ErrorKind::AddrInUse;
    let cause = if taken { "already in use".to_owned() } else { error.to_string() };
    let mut help = Vec::new();
    if taken {
        help.push(format!("see who has it: ss -ltnp 'sport = :{}'", listen.port));
        help.push("or let hopper choose: \"listen\": \"auto\"".to_owned());
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        help.push("ports below 1024 need root; take a higher one".to_owned());
    }
    Failure {
        code: if taken { "H0701" } else { "H0705" },
        exit: Exit::Forward,
        phase: Phase::Listen,
        message: format!("cannot listen on {listen} for {what}: {cause}"),
        hop: None,
        host: None,
        tunnel: None,
        facts: vec![("contacted", "nobody yet".to_owned())],
        help,
    }
}

/// A forward's far end could not be proved.
pub fn check(forward: &PlannedForward, error: &CheckError) -> Failure {
    let (id, target) = (&forward.forward.id, &forward.target);
    let hops = forward.route.len() - 1;
    // The host that dials: the one before the target, or the target's own host when dialled within.
    let dialler = match forward.forward.to {
        crate::topology::Target::Dialled { .. } => &forward.route[hops - 1],
        crate::topology::Target::Within { .. } => &forward.route[hops],
    };
    let (code, exit, phase, message, cause) = match error {
        CheckError::Dial(DialError::Prohibited(said)) => (
            "H0702",
            Exit::Forward,
            Phase::Forward,
            format!("{dialler} will not open {target} for forward \"{id}\""),
            said_or(said, "administratively prohibited"),
        ),
        CheckError::Dial(error) => (
            "H0703",
            Exit::Forward,
            Phase::Forward,
            format!("{dialler} cannot connect to {target} for forward \"{id}\""),
            match error {
                DialError::Failed(said) | DialError::Refused(said) => {
                    said_or(said, "the server gave no reason")
                }
                other => other.to_string(),
            },
        ),
        CheckError::Answer(what) => (
            "H0704",
            Exit::Forward,
            Phase::Check,
            format!("{target} does not answer as forward \"{id}\" expects"),
            what.clone(),
        ),
    };
    let help = match error {
        CheckError::Dial(DialError::Prohibited(_)) => prohibited_help(dialler.as_str(), &target.to_string()),
        CheckError::Dial(_) => vec![format!("is the service running? see from {dialler} itself")],
        CheckError::Answer(_) => vec![format!("correct \"check\" of forward \"{id}\", or the target")],
    };
    Failure {
        code,
        exit,
        phase,
        message,
        hop: Some((hops, hops)),
        host: Some(forward.forward.to.host().clone()),
        tunnel: None,
        facts: vec![("cause", cause)],
        help,
    }
}

fn prohibited_help(dialler: &str, target: &str) -> Vec<String> {
    vec![
        format!("look at {dialler}'s sshd: AllowTcpForwarding no, PermitOpen, or a restricted key"),
        format!("ask for: PermitOpen {target}"),
    ]
}

fn said_or(said: &str, otherwise: &str) -> String {
    if said.is_empty() { otherwise.to_owned() } else { said.to_owned() }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f32())
}
