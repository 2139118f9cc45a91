//! Who runs hopper: their name, home, agent and terminal.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustix::termios::{self, OptionalActions, Termios};
use zeroize::Zeroizing;

use super::trouble;
use crate::engine::{Exit, Failure, Phase};
use crate::plan::Plan;
use crate::ssh::{Ask, Login, Notice, Secret, Trust};
use crate::topology::{SecretSource, Topology};

/// What the person can log in with, where the plan leads. No program that is run for a secret is told those that any host
/// of the topology has in the environment, though no route leads there. `ask` is how they are asked, `notice` how they are
/// told what is waited for.
///
/// # Errors
/// H0301 when a host has no `user`, and the person's own login name cannot be found out.
pub fn login(topology: &Topology, plan: &Plan, ask: Ask, notice: Notice) -> Result<Login, Failure> {
    let own_name_needed = plan.tunnels.iter().any(|tunnel| tunnel.server.user.is_none());
    let user = if own_name_needed { login_name()? } else { String::new() };
    let agent = std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(PathBuf::from);
    let secrets = topology.hosts.iter().flat_map(|host| &host.secrets);
    let kept_in_environment = secrets
        .filter_map(|secret| match &secret.source {
            SecretSource::Env(name) => Some(name.clone()),
            _ => None,
        })
        .collect();
    let mut login = Login::of_person(user, home(), agent, ask);
    (login.notice, login.kept_in_environment) = (notice, kept_in_environment);
    Ok(login)
}

/// Which host keys the person trusts.
pub fn trust() -> Trust {
    Trust::of_person(home().as_deref())
}

/// A field of the person's own line in the list of users.
fn listed(field: usize) -> Option<String> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let all = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut own = all.filter(|fields| fields.get(2) == Some(&uid.as_str()));
    own.find_map(|fields| fields.get(field).map(ToString::to_string))
}

/// The person's home as the system has it, whatever `HOME` says.
pub fn passwd_home() -> Option<PathBuf> {
    listed(5).map(PathBuf::from)
}

/// The person's login name on this machine.
///
/// # Errors
/// H0301 when nobody knows it.
pub fn login_name() -> Result<String, Failure> {
    let told = || {
        ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty())
    };
    listed(0).or_else(told).ok_or_else(|| {
        let uid = rustix::process::getuid().as_raw();
        let message = format!("cannot tell the login name of user id {uid}");
        trouble("H0301", Exit::Other, Phase::Login, message, "set USER, or give each host a \"user\"")
    })
}

/// The controlling terminal, put back as it was when the process ends in the middle of a question.
#[derive(Clone, Default)]
pub struct Terminal {
    before: Arc<Mutex<Option<Termios>>>,
}

impl Terminal {
    /// Whether there is one.
    pub fn is_there(&self) -> bool {
        File::open("/dev/tty").is_ok()
    }

    /// Asks, and reads one line; `hidden` shows nothing of it. `None` without a terminal, or when its
    /// end was typed.
    pub fn ask(&self, question: &str, hidden: bool) -> Option<Secret> {
        let tty = File::options().read(true).write(true).open("/dev/tty").ok()?;
        if !hidden {
            return seen(&tty, question).ok().flatten();
        }
        if let (Ok(now), Ok(mut before)) = (termios::tcgetattr(&tty), self.before.lock()) {
            *before = Some(now);
        }
        let answer = rpassword::prompt_password(question).ok().map(Secret::new);
        if let Ok(mut before) = self.before.lock() {
            *before = None;
        }
        answer
    }

    /// Undoes an unfinished question: without this the person's shell would not echo any more.
    pub fn restore(&self) {
        let Ok(before) = self.before.lock() else { return };
        if let (Some(before), Ok(tty)) = (before.as_ref(), File::open("/dev/tty")) {
            // Nothing more can be done for a terminal that is gone.
            let _ = termios::tcsetattr(&tty, OptionalActions::Now, before);
        }
    }
}

/// Where `~/` leads.
pub fn home() -> Option<PathBuf> {
    etcetera::home_dir().ok()
}

/// An answer that may be seen while it is typed.
fn seen(mut tty: &File, question: &str) -> io::Result<Option<Secret>> {
    tty.write_all(question.as_bytes())?;
    let mut line = Zeroizing::new(String::new());
    if BufReader::new(tty).read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(Secret::new(line.trim_end_matches(['\r', '\n']).to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::asker;
    use crate::plan::{PlanOptions, plan};

    #[test]
    fn what_any_host_of_the_file_has_in_the_environment_is_kept() {
        let file = r#"{ "hopper": 1,
            "hosts": { "a": { "user": "u", "secret": { "env": "OF_A" } }, "b": { "user": "u", "secret": { "env": "OF_B" } } },
            "links": ["local -> a", "local -> b"],
            "forwards": { "web": "8080 -> a/127.0.0.1:80" } }"#;
        let topology = crate::topology::parse(file, "f").unwrap();
        let plan = plan(&topology, &PlanOptions::default()).unwrap();
        assert_eq!(plan.tunnels.len(), 1, "no route leads to b");
        let login = login(&topology, &plan, asker::nobody(), Arc::new(|_| {})).unwrap();
        assert_eq!(login.kept_in_environment, ["OF_A", "OF_B"]);
    }
}
