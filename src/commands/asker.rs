//! Who is asked when a host wants to know something: the person at the terminal; without one, whoever
//! says `hopper unlock`, where the run may wait for that; else nobody.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::person::Terminal;
use crate::control::{Asked, Questions};
use crate::plan::Plan;
use crate::ssh::{Ask, Notice, Question, Secret};
use crate::topology::HostId;

/// Clears the way for a question, runs it, and puts back what was there.
pub type Aside = Arc<dyn Fn(&mut dyn FnMut()) + Send + Sync>;

/// How long a run in the background waits for `hopper unlock`.
const IN_BACKGROUND: Duration = Duration::from_secs(600);

/// A Ctrl-C at a question ends the question, and is a signal too, which may come a moment later: then it must not
/// look as if nobody had been there.
pub const A_MOMENT: Duration = Duration::from_millis(200);

/// Asks for one run.
#[derive(Clone)]
pub struct Asker {
    /// Where the person sits, if anywhere.
    pub terminal: Terminal,
    /// How to get out of the way of what is shown there.
    pub aside: Aside,
    /// The number of each host's hop: a person who is asked wants to know how far along it is.
    pub hops: HashMap<HostId, usize>,
    /// The run's name.
    pub name: String,
    /// Where questions wait for `hopper unlock`.
    pub questions: Questions,
    /// How long they may wait while the run is being brought up.
    pub unlock_within: Duration,
    /// Whether the run has let go of its terminal.
    pub in_background: Arc<AtomicBool>,
}

/// Asks nobody.
pub fn nobody() -> Ask {
    Arc::new(|_| Box::pin(async { None }))
}

/// The hops of a plan.
pub fn hops(plan: &Plan) -> HashMap<HostId, usize> {
    plan.tunnels.iter().map(|tunnel| (tunnel.server.id.clone(), tunnel.hop)).collect()
}

impl Asker {
    /// The way to ask.
    pub fn ask(self) -> Ask {
        let asker = Arc::new(self);
        Arc::new(move |question| {
            let asker = asker.clone();
            Box::pin(async move {
                if asker.terminal.is_there() {
                    asker.at_the_terminal(question).await
                } else {
                    asker.over_the_socket(question).await
                }
            })
        })
    }

    /// The way to tell something, where the run is shown.
    pub fn notice(&self) -> Notice {
        let aside = self.aside.clone();
        Arc::new(move |line| {
            tracing::info!("{line}");
            say(&aside, line);
        })
    }

    async fn at_the_terminal(self: Arc<Self>, question: Question) -> Option<Secret> {
        let asking = tokio::task::spawn_blocking(move || {
            let text = in_words(&question, &self.hops);
            let mut answer = None;
            (self.aside)(&mut || answer = self.terminal.ask(&text, question.hidden));
            answer
        });
        let answer = asking.await.unwrap_or_default();
        if answer.is_none() {
            tokio::time::sleep(A_MOMENT).await;
        }
        answer
    }

    async fn over_the_socket(&self, question: Question) -> Option<Secret> {
        let background = self.in_background.load(Ordering::Relaxed);
        let limit = if background { IN_BACKGROUND } else { self.unlock_within };
        if limit.is_zero() {
            return None;
        }
        let (host, wanted) = (question.host.to_string(), question.wanted.clone());
        tracing::warn!(host, wanted, "waits for hopper unlock {}", self.name);
        say(&self.aside, &format!("{host} waits for {wanted}. Answer with: hopper unlock {}", self.name));
        let text = in_words(&question, &self.hops);
        let asked = Asked { id: 0, host, wanted, text, hidden: question.hidden };
        tokio::time::timeout(limit, self.questions.ask(asked)).await.ok().flatten()
    }
}

/// Whoever started the run may not listen; the log and `status` tell it as well.
fn say(aside: &Aside, line: &str) {
    let line = format!("{line}\n");
    aside(&mut || drop(std::io::stderr().write_all(line.as_bytes())));
}

/// A question as a person reads it: what the host said, and what it asks, after the number of its hop.
pub fn in_words(question: &Question, hops: &HashMap<HostId, usize>) -> String {
    let hop = hops.get(&question.host).map(|hop| format!("hop {hop}, ")).unwrap_or_default();
    let said = question.before.iter().map(|line| format!("{hop}{} says: {line}\n", question.host));
    format!("{}{hop}{}", said.collect::<String>(), question.text)
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
