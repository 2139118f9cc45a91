//! Who runs hopper: their name, home, agent and terminal.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustix::termios::{self, OptionalActions, Termios};
use zeroize::Zeroizing;

use super::trouble;
use crate::engine::{Exit, Failure, Phase};
use crate::plan::Plan;
use crate::ssh::{Ask, Login, Trust};

/// What the person can log in with, where the plan leads. `ask` is how they are asked.
///
/// # Errors
/// H0301 when a host has no `user`, and the person's own login name cannot be found out.
pub fn login(plan: &Plan, ask: Ask) -> Result<Login, Failure> {
    let own_name_needed = plan.tunnels.iter().any(|tunnel| tunnel.server.user.is_none());
    let user = if own_name_needed { login_name()? } else { String::new() };
    let agent = std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(PathBuf::from);
    Ok(Login::of_person(user, home(), agent, ask))
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

/// Clears the way for a question, runs it, and puts back what was there.
pub type Aside = Arc<dyn Fn(&mut dyn FnMut()) + Send + Sync>;

/// Asks on the person's terminal, `aside` from whatever is shown there.
pub fn ask_on_terminal(terminal: Terminal, aside: Aside) -> Ask {
    Arc::new(move |question: String| {
        let (terminal, aside) = (terminal.clone(), aside.clone());
        Box::pin(async move {
            let asking = tokio::task::spawn_blocking(move || {
                let mut answer = None;
                aside(&mut || answer = terminal.ask(&question));
                answer
            });
            asking.await.unwrap_or_default()
        })
    })
}

/// Asks nobody.
pub fn ask_nobody() -> Ask {
    Arc::new(|_| Box::pin(async { None }))
}

/// The controlling terminal, put back as it was when the process ends in the middle of a question.
#[derive(Clone, Default)]
pub struct Terminal {
    before: Arc<Mutex<Option<Termios>>>,
}

impl Terminal {
    fn ask(&self, question: &str) -> Option<Zeroizing<String>> {
        let tty = std::fs::File::open("/dev/tty").ok()?;
        if let (Ok(now), Ok(mut before)) = (termios::tcgetattr(&tty), self.before.lock()) {
            *before = Some(now);
        }
        let answer = rpassword::prompt_password(question).ok().map(Zeroizing::new);
        if let Ok(mut before) = self.before.lock() {
            *before = None;
        }
        answer
    }

    /// Undoes an unfinished question: without this the person's shell would not echo any more.
    pub fn restore(&self) {
        let Ok(before) = self.before.lock() else { return };
        if let (Some(before), Ok(tty)) = (before.as_ref(), std::fs::File::open("/dev/tty")) {
            // Nothing more can be done for a terminal that is gone.
            let _ = termios::tcsetattr(&tty, OptionalActions::Now, before);
        }
    }
}

/// Where `~/` leads.
pub fn home() -> Option<PathBuf> {
    etcetera::home_dir().ok()
}
