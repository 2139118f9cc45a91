//! Who runs hopper: their name, home, agent and terminal.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustix::termios::{self, OptionalActions, Termios};
use zeroize::Zeroizing;

use super::trouble;
use crate::engine::{Exit, Failure, Phase};
use crate::plan::Plan;
use crate::ssh::{Ask, Login, Question, Secret, Trust};
use crate::topology::HostId;

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

/// The person's login name on this machine.
fn login_name() -> Result<String, Failure> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let own = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let listed = own
        .filter(|fields| fields.get(2) == Some(&uid.as_str()))
        .find_map(|fields| fields.first().map(ToString::to_string));
    let told = || {
        ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty())
    };
    listed.or_else(told).ok_or_else(|| {
        let message = format!("cannot tell the login name of user id {uid}");
        trouble("H0301", Exit::Other, Phase::Login, message, "set USER, or give each host a \"user\"")
    })
}

/// Clears the way for a question, runs it, and puts back what was there.
pub type Aside = Arc<dyn Fn(&mut dyn FnMut()) + Send + Sync>;

/// The number of each host's hop: a person who is asked wants to know how far along it is.
pub type Hops = Arc<HashMap<HostId, usize>>;

/// The hops of a plan.
pub fn hops(plan: &Plan) -> Hops {
    Arc::new(plan.tunnels.iter().map(|tunnel| (tunnel.server.id.clone(), tunnel.hop)).collect())
}

/// Asks on the person's terminal, `aside` from whatever is shown there.
pub fn ask_on_terminal(terminal: Terminal, aside: Aside, hops: Hops) -> Ask {
    Arc::new(move |question: Question| {
        let (terminal, aside, text) = (terminal.clone(), aside.clone(), in_words(&question, &hops));
        Box::pin(async move {
            let asking = tokio::task::spawn_blocking(move || {
                let mut answer = None;
                aside(&mut || answer = terminal.ask(&text, question.hidden));
                answer
            });
            asking.await.unwrap_or_default()
        })
    })
}

/// A question as a person reads it: what the host said, and what it asks, after the number of its hop.
pub fn in_words(question: &Question, hops: &HashMap<HostId, usize>) -> String {
    let hop = hops.get(&question.host).map(|hop| format!("hop {hop}, ")).unwrap_or_default();
    let said = question.before.iter().map(|line| format!("{hop}{} says: {line}\n", question.host));
    format!("{}{hop}{}", said.collect::<String>(), question.text)
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

fn home() -> Option<PathBuf> {
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

    #[test]
    fn a_question_names_the_hop() {
        let question = Question {
            host: HostId::new("gate-b"),
            before: vec!["Welcome".to_owned()],
            wanted: String::new(),
            text: "gate-b asks: \"Code:\" ".to_owned(),
            hidden: true,
        };
        let hops = HashMap::from([(HostId::new("gate-b"), 2)]);
        let wanted = "hop 2, gate-b says: Welcome\nhop 2, gate-b asks: \"Code:\" ";
        assert_eq!(in_words(&question, &hops), wanted);
    }
}
