//! One login at one host: which ways are tried, in which order, and what the server said to each. A way
//! that the file does not allow is never tried, whatever the server would take.

mod keys;
mod shown;
mod typed;

use russh::client::{AuthResult, Handle};
use russh::{MethodKind, MethodSet};

use super::gatekeeper::Gatekeeper;
use super::login::{LoggedIn, Login, LoginError, LoginRefusal};
use super::question::NoAnswer;
use super::signer::FileSigner;
use crate::topology::{AuthMethod, Host};
use shown::Shown;

/// One login at one host.
pub(super) struct Attempt<'a> {
    login: &'a Login,
    handle: &'a mut Handle<Gatekeeper>,
    host: &'a Host,
    refusal: LoginRefusal,
    /// What the server takes next, as far as it said.
    accepts: Option<MethodSet>,
    /// Public keys and certificates offered already, as they are sent: none is offered twice.
    tried: Vec<Vec<u8>>,
    /// Ways that have nothing more to offer.
    spent: Vec<AuthMethod>,
    /// What the server took in an earlier login, which is repeated without a person.
    taken: Option<&'a [String]>,
    /// Whether a person had a hand in it, in a way that is not remembered.
    attended: bool,
}

/// What came of a way to log in.
enum Verdict {
    /// Logged in.
    In,
    /// Taken, and the server wants more.
    Partial,
    /// Nothing came of it; another way may do.
    Next,
    /// No other way can be tried any more.
    Stop,
}

/// So many times a server may want more. Two is usual.
const MOST_PARTS: usize = 8;

impl<'a> Attempt<'a> {
    pub fn new(
        login: &'a Login,
        handle: &'a mut Handle<Gatekeeper>,
        host: &'a Host,
        user: String,
        taken: Option<&'a [String]>,
    ) -> Self {
        let refusal = LoginRefusal { user, ..LoginRefusal::default() };
        let (tried, spent) = (Vec::new(), Vec::new());
        Attempt { login, handle, host, refusal, accepts: None, tried, spent, taken, attended: false }
    }

    /// Tries one way after the other until the server lets us in.
    pub async fn run(&mut self) -> Result<LoggedIn, LoginError> {
        if let Some(key) = self.login.only.clone() {
            let mut signer = FileSigner::open(key.clone());
            let shown = Shown::Key(key.public_key().clone());
            if let Verdict::In = self.offer("key", shown, &mut signer).await? {
                return Ok(self.logged_in());
            }
            return Err(self.refused());
        }
        let files = self.key_files().await;
        for _ in 0..MOST_PARTS {
            let mut more = false;
            for method in self.host.auth.clone() {
                if self.spent.contains(&method) || !self.takes(method) {
                    continue;
                }
                let verdict = match method {
                    AuthMethod::Agent => self.offer_agent(&files).await?,
                    AuthMethod::Key => self.offer_files(&files, true).await?,
                    AuthMethod::Certificate => self.offer_files(&files, false).await?,
                    AuthMethod::Password => self.password().await?,
                    AuthMethod::KeyboardInteractive => self.keyboard_interactive().await?,
                    AuthMethod::None => self.nothing().await?,
                };
                match verdict {
                    Verdict::In => return Ok(self.logged_in()),
                    // From the first way on again: one that was not taken before may be now.
                    Verdict::Partial => {
                        self.spent.clear();
                        more = true;
                        break;
                    }
                    Verdict::Next => self.spent.push(method),
                    Verdict::Stop => return Err(self.refused()),
                }
            }
            if !more {
                break;
            }
        }
        if !self.refusal.was_asked && self.taken.is_none() {
            self.ask_what_it_takes().await;
        }
        Err(self.refused())
    }

    /// Whether this may be offered: anything, but what was taken before where that is repeated.
    fn is_wanted(&self, what: &str) -> bool {
        self.taken.is_none_or(|taken| taken.iter().any(|one| one == what))
    }

    /// Whether the server takes this method, as far as it said.
    fn takes(&self, method: AuthMethod) -> bool {
        let wanted = method.on_the_wire();
        let takes = |set: &MethodSet| set.iter().any(|kind| <&str>::from(kind) == wanted);
        // No server lists this one.
        method == AuthMethod::None || self.accepts.as_ref().is_none_or(takes)
    }

    async fn nothing(&mut self) -> Result<Verdict, LoginError> {
        if !self.is_wanted("none") {
            return Ok(Verdict::Next);
        }
        self.refusal.was_asked = true;
        match self.handle.authenticate_none(self.refusal.user.clone()).await {
            Ok(result) => self.answered("none".to_owned(), result),
            Err(_) => Err(LoginError::Lost(String::new())),
        }
    }

    /// Nothing could be offered. The server says what it takes when asked for nothing, and the person
    /// wants to know.
    async fn ask_what_it_takes(&mut self) {
        match self.handle.authenticate_none(self.refusal.user.clone()).await {
            Ok(AuthResult::Failure { remaining_methods, .. }) => self.hear(remaining_methods),
            Ok(AuthResult::Success) => {
                let outcome = "it lets in anybody; say \"auth\": [\"none\"] if that is right".to_owned();
                self.note("none".to_owned(), outcome);
            }
            Err(error) => tracing::debug!(%error, "the server does not say what it takes"),
        }
    }

    /// What the server's answer to `what` means.
    fn answered(&mut self, what: String, result: AuthResult) -> Result<Verdict, LoginError> {
        let AuthResult::Failure { remaining_methods, partial_success } = result else {
            self.refusal.accepted.push(what);
            return Ok(Verdict::In);
        };
        // russh reports a broken connection as a refusal that leaves no method.
        if remaining_methods.is_empty() && self.handle.is_closed() {
            self.note(what, "the server hung up".to_owned());
            self.refusal.hung_up = true;
            return Err(self.refused());
        }
        self.hear(remaining_methods);
        if partial_success {
            let wants = self.refusal.accepts.join(" or ");
            self.note(what.clone(), format!("taken; now it wants {wants}"));
            self.refusal.accepted.push(what);
            return Ok(Verdict::Partial);
        }
        self.note(what, "refused".to_owned());
        Ok(Verdict::Next)
    }

    fn hear(&mut self, remaining: MethodSet) {
        self.refusal.accepts =
            remaining.iter().map(|method: &MethodKind| <&str>::from(method).to_owned()).collect();
        self.accepts = Some(remaining);
    }

    /// Notes that a secret could not be had, and why. `wanted` is what it is.
    fn without(&mut self, what: String, wanted: String, why: &NoAnswer) {
        match why {
            NoAnswer::Nobody => self.refusal.needed.push(wanted),
            NoAnswer::Wrong => {
                self.refusal.needed.push(wanted);
                self.refusal.wrong_answer = true;
            }
            NoAnswer::NotHad(_) => self.refusal.secret_missing = true,
        }
        self.note(what, format!("not offered: {why}"));
    }

    fn note(&mut self, what: String, outcome: String) {
        self.refusal.offered.push((what, outcome));
    }

    fn logged_in(&self) -> LoggedIn {
        LoggedIn { accepted: self.refusal.accepted.clone(), unattended: !self.attended }
    }

    fn refused(&mut self) -> LoginError {
        LoginError::Refused(std::mem::take(&mut self.refusal))
    }
}
