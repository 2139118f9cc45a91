//! What a person would type: a password, and the answers to whatever the server asks (RFC 4256). What
//! the server says is escaped, and how much it may ask is bounded. A secret that did not fit is not sent
//! again.

use russh::client::{AuthResult, KeyboardInteractiveAuthResponse, Prompt};
use zeroize::Zeroize;

use super::{Attempt, Verdict};
use crate::ssh::login::LoginError;
use crate::ssh::question::{NoAnswer, Question};
use crate::ssh::secret::Secret;
use crate::topology::{AuthMethod, SecretPurpose, SecretSource, escape};

/// So often a person may type it wrong, before the server counts it as an attack.
const TRIES: usize = 3;
/// Questions that a server may ask at once.
const MOST_PROMPTS: usize = 4;
/// Rounds in which it may ask: a password, a code, and three for a password that has expired.
const MOST_ROUNDS: usize = 6;
/// Rounds in all: it may say something without asking.
const MOST_MESSAGES: usize = 12;

/// The answers to one round.
struct Answers {
    texts: Vec<String>,
    /// Whether a person typed all of them.
    typed: bool,
}

impl Attempt<'_> {
    pub(super) async fn password(&mut self) -> Result<Verdict, LoginError> {
        let remembered = self.login.password(&self.host.id).await;
        if let Some(password) = remembered.filter(|_| self.is_wanted("password")) {
            match self.offer_password(password).await? {
                Verdict::Next => self.login.remember(&self.host.id, None).await,
                verdict => return Ok(verdict),
            }
        }
        if self.taken.is_some() {
            return Ok(Verdict::Next);
        }
        let user = escape(&self.refusal.user);
        let question = Question {
            host: self.host.id.clone(),
            before: Vec::new(),
            wanted: format!("the password of {user}"),
            text: format!("{}: the password of {user}: ", self.host.id),
            hidden: true,
        };
        let kept = self.host.secrets_for(SecretPurpose::Password).next().cloned();
        let kept = kept.filter(|kept| kept.source != SecretSource::Prompt);
        for _ in 0..if kept.is_some() { 1 } else { TRIES } {
            if !self.takes(AuthMethod::Password) {
                break;
            }
            let had = match &kept {
                Some(kept) => self.login.secret(kept, question.clone()).await,
                None => self.login.ask(question.clone()).await,
            };
            let password = match had {
                Ok(password) => password,
                Err(why) => {
                    self.without("password".to_owned(), question.wanted, &why);
                    return Ok(Verdict::Next);
                }
            };
            match self.offer_password(password.clone()).await? {
                Verdict::Next => {}
                verdict => {
                    if kept.is_none() {
                        self.login.remember(&self.host.id, Some(password)).await;
                    }
                    // Where it is kept, fetching it may take a person.
                    self.attended |= kept.is_some();
                    return Ok(verdict);
                }
            }
        }
        Ok(Verdict::Next)
    }

    async fn offer_password(&mut self, password: Secret) -> Result<Verdict, LoginError> {
        self.refusal.was_asked = true;
        let (user, password) = (self.refusal.user.clone(), password.expose().to_owned());
        // russh wipes the copy that it is given.
        match self.handle.authenticate_password(user, password).await {
            Ok(result) => self.answered("password".to_owned(), result),
            Err(_) => Err(LoginError::Lost(String::new())),
        }
    }

    pub(super) async fn keyboard_interactive(&mut self) -> Result<Verdict, LoginError> {
        if self.taken.is_some() {
            return Ok(Verdict::Next);
        }
        self.attended = true;
        let mut used = vec![false; self.host.secrets.len()];
        for _ in 0..TRIES {
            if !self.takes(AuthMethod::KeyboardInteractive) {
                break;
            }
            let mut typed = true;
            match self.converse(&mut used, &mut typed).await? {
                // Whoever mistyped may try again; what is kept somewhere would be as wrong again.
                Verdict::Next if typed => {}
                verdict => return Ok(verdict),
            }
        }
        Ok(Verdict::Next)
    }

    /// One conversation, to the server's verdict.
    async fn converse(&mut self, used: &mut [bool], typed: &mut bool) -> Result<Verdict, LoginError> {
        const NAME: &str = "keyboard-interactive";
        let lost = |_| LoginError::Lost(String::new());
        self.refusal.was_asked = true;
        let user = self.refusal.user.clone();
        let mut reply =
            self.handle.authenticate_keyboard_interactive_start(user, None).await.map_err(lost)?;
        let (mut messages, mut rounds) = (0, 0);
        let mut before: Vec<String> = Vec::new();
        let mut asked = false;
        loop {
            let (name, instructions, prompts) = match reply {
                KeyboardInteractiveAuthResponse::Success => {
                    return self.answered(NAME.to_owned(), AuthResult::Success);
                }
                KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                    *typed &= asked;
                    let result = AuthResult::Failure { remaining_methods, partial_success };
                    return self.answered(NAME.to_owned(), result);
                }
                KeyboardInteractiveAuthResponse::InfoRequest { name, instructions, prompts } => {
                    (name, instructions, prompts)
                }
            };
            messages += 1;
            rounds += usize::from(!prompts.is_empty());
            if prompts.len() > MOST_PROMPTS || rounds > MOST_ROUNDS || messages > MOST_MESSAGES {
                let outcome = format!("it asks too much: {} questions in round {messages}", prompts.len());
                self.note(NAME.to_owned(), outcome);
                // russh hears nothing but answers now, so this session cannot try another way.
                return Ok(Verdict::Stop);
            }
            Question::hear(&mut before, &name);
            Question::hear(&mut before, &instructions);
            let said = if prompts.is_empty() { Vec::new() } else { std::mem::take(&mut before) };
            asked |= !prompts.is_empty();
            let answers = match self.answers(&prompts, said, used).await {
                Ok(answers) => answers,
                Err((wanted, why)) => {
                    self.without(NAME.to_owned(), wanted, &why);
                    return Ok(Verdict::Stop);
                }
            };
            *typed &= answers.typed;
            let answering = self.handle.authenticate_keyboard_interactive_respond(answers.texts);
            reply = answering.await.map_err(lost)?;
        }
    }

    /// An answer to each prompt: from where it is kept if the file says so, else the person's.
    async fn answers(
        &self,
        prompts: &[Prompt],
        before: Vec<String>,
        used: &mut [bool],
    ) -> Result<Answers, (String, NoAnswer)> {
        let mut answers = Answers { texts: Vec::new(), typed: true };
        for (at, prompt) in prompts.iter().enumerate() {
            let before = if at == 0 { before.clone() } else { Vec::new() };
            let question = Question::of_server(&self.host.id, before, &prompt.prompt, prompt.echo);
            let wanted = question.wanted.clone();
            let had = match self.kept_for(prompt, prompts.len() == 1, used) {
                Some(secret) => {
                    used[secret] = true;
                    let kept = &self.host.secrets[secret];
                    answers.typed &= kept.source == SecretSource::Prompt;
                    self.login.secret(kept, question).await
                }
                None => self.login.ask(question).await,
            };
            match had {
                Ok(answer) => answers.texts.push(answer.expose().to_owned()),
                Err(why) => {
                    answers.texts.iter_mut().for_each(Zeroize::zeroize);
                    return Err((wanted, why));
                }
            }
        }
        Ok(answers)
    }

    /// The place of the secret that answers this prompt, if any does that was not used yet.
    fn kept_for(&self, prompt: &Prompt, alone: bool, used: &[bool]) -> Option<usize> {
        let asked = prompt.prompt.to_lowercase();
        let fits = |answers: &Option<String>| match answers {
            Some(piece) => asked.contains(&piece.to_lowercase()),
            None => alone && !prompt.echo,
        };
        let free = |at: &usize| {
            let secret = &self.host.secrets[*at];
            secret.purpose == SecretPurpose::KeyboardInteractive && !used[*at]
        };
        let free: Vec<usize> = (0..used.len()).filter(free).collect();
        // One that names the question goes before one that takes any.
        let named = free
            .iter()
            .find(|at| self.host.secrets[**at].answers.is_some() && fits(&self.host.secrets[**at].answers));
        named.or_else(|| free.iter().find(|at| fits(&self.host.secrets[**at].answers))).copied()
    }
}
