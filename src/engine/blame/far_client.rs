//! Blame for a client that another host runs for us, and for the listeners that such clients keep.

use std::io;

use super::TunnelBlame;
use crate::engine::far_client::{FarError, TAKEN};
use crate::engine::{Exit, Failure, Phase};
use crate::plan::{Entry, Unfit};
use crate::ssh::ExecError;
use crate::topology::escape;

impl TunnelBlame<'_> {
    /// A client on another host did not come up.
    pub fn far_client(&self, error: &FarError) -> Failure {
        let (client, server) = (self.tunnel.client.name(), self.server());
        match error {
            FarError::Exec(ExecError::SessionLost) => self.lost("the session to that host was lost"),
            FarError::Exec(ExecError::NoAgent) => {
                let message = format!("{client} lets no ssh there use your agent");
                let mut failure = self.failure("H0609", Exit::Unreachable, Phase::Connect, message);
                failure
                    .help
                    .push(format!("have {client} pass on agents: AllowAgentForwarding in sshd_config"));
                failure.help.push(format!("or leave \"forward_agent\" of {client} out"));
                failure
            }
            FarError::Exec(error) => {
                let message = format!("{client} runs no command for us, so no ssh from there to {server}");
                let mut failure = self.failure("H0609", Exit::Unreachable, Phase::Connect, message);
                failure.facts.push(("cause", error.to_string()));
                failure.help.push(format!("have {client} let this account run commands"));
                failure.help.push("or plan with --strategy nested".to_owned());
                failure
            }
            FarError::NoClient(said) => {
                let message = format!("{client} has no SSH client to reach {server} with");
                let mut failure = self.failure("H0609", Exit::Unreachable, Phase::Connect, message);
                failure.facts.push(("it said", said.clone()));
                failure.help.push(format!("install ssh or dbclient on {client}"));
                failure.help.push("or plan with --strategy nested".to_owned());
                failure
            }
            FarError::TimedOut(said) => {
                let message = format!("the ssh of {client} to {server} does not come up in time");
                let mut failure = self.failure("H0609", Exit::Unreachable, Phase::Connect, message);
                failure.facts.extend(said.iter().map(|line| ("it said", line.clone())));
                failure.help.push(self.try_it_there());
                failure
            }
            FarError::Ended(said) => self.complaint(said),
        }
    }

    /// What a client said before it ended.
    fn complaint(&self, said: &[String]) -> Failure {
        let (client, server) = (self.tunnel.client.name(), self.server());
        let heard = |words: &[&str]| said.iter().any(|line| words.iter().any(|word| line.contains(word)));
        let (code, exit, phase) = match () {
            () if heard(&["Host key verification failed", "HOST IDENTIFICATION", "host key"]) => {
                ("H0508", Exit::HostKey, Phase::Keys)
            }
            () if heard(&["Permission denied", "Too many authentication", "No auth methods"]) => {
                ("H0403", Exit::Login, Phase::Login)
            }
            () if heard(&["cannot listen", TAKEN, "Could not request local"]) => {
                ("H0706", Exit::Forward, Phase::Forward)
            }
            () => ("H0609", Exit::Unreachable, Phase::Connect),
        };
        let message = match exit {
            Exit::Forward => format!("the ssh of {client} cannot listen for what goes to {server}"),
            _ => format!("the ssh of {client} does not get to {server}"),
        };
        let mut failure = self.failure(code, exit, phase, message);
        failure.facts.extend(said.iter().map(|line| ("it said", line.clone())));
        if said.is_empty() {
            failure.facts.push(("it said", "nothing".to_owned()));
        }
        failure.help.push(self.try_it_there());
        failure
    }

    fn try_it_there(&self) -> String {
        let (client, target) = (self.tunnel.client.name(), &self.tunnel.target);
        let user = self.tunnel.server.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        format!("see on {client} itself: ssh -p {} {user}{}", target.port, target.host)
    }

    /// The client cannot be told what the file asks for.
    pub fn unfit(&self, unfit: &Unfit) -> Failure {
        let (client, server) = (self.tunnel.client.name(), self.server());
        let message = format!("the client of {client} cannot be told how to reach {server}: {unfit}");
        let mut failure = self.failure("H0609", Exit::Unreachable, Phase::Connect, message);
        failure.help.push(format!("install OpenSSH's ssh on {client}, or plan with --strategy nested"));
        failure
    }

    /// The listener that another host keeps for this tunnel cannot be dialled.
    pub fn entry(&self, entry: &Entry, error: &io::Error) -> Failure {
        let message = format!("cannot connect to the listener {} on {}", entry.dial, entry.host);
        let mut failure = self.failure("H0601", Exit::Unreachable, Phase::Connect, message);
        failure.facts.push(("cause", escape(&error.to_string())));
        failure.facts.push(("it leads", format!("to {}", self.server())));
        let walls: Vec<_> = entry.firewalls.iter().map(ToString::to_string).collect();
        if !walls.is_empty() {
            failure.help.push(format!("ask whether {} lets {} through", walls.join(" and "), entry.dial));
        }
        failure.help.push(format!(
            "see whether it listens: on {}, ss -ltn sport = {}",
            entry.host,
            entry.port()
        ));
        failure
    }
}
