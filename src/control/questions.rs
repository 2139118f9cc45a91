//! What a run asks that nobody at its own terminal can answer: it waits here until somebody answers over
//! the socket. Keeps no answer, and shows none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::ssh::Secret;

/// A question that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Its number; an answer names it, so that none goes to another question.
    pub id: u64,
    /// The host that wants to know.
    pub host: String,
    /// What to answer, such as `the password of alice`.
    pub wanted: String,
    /// The question as a person reads it, naming the hop.
    pub text: String,
    /// Whether the answer must not be seen while it is typed.
    pub hidden: bool,
}

/// The open questions of a run.
#[derive(Debug, Clone, Default)]
pub struct Questions(Arc<Mutex<Board>>);

#[derive(Debug, Default)]
struct Board {
    last: u64,
    open: Vec<(Asked, oneshot::Sender<Secret>)>,
}

impl Questions {
    /// Puts a question, and waits until it is answered. Its `id` is given here. Dropping the future takes
    /// the question back.
    pub async fn ask(&self, question: Asked) -> Option<Secret> {
        let (sender, answer) = oneshot::channel();
        let id = {
            let mut board = self.board();
            board.last += 1;
            let id = board.last;
            board.open.push((Asked { id, ..question }, sender));
            id
        };
        let _taken_back = TakenBack { questions: self, id };
        answer.await.ok()
    }

    /// The question that has waited longest.
    pub fn first(&self) -> Option<Asked> {
        self.board().open.first().map(|(asked, _)| asked.clone())
    }

    /// Answers a question. False when it waits no more.
    pub fn answer(&self, id: u64, answer: Secret) -> bool {
        let mut board = self.board();
        let Some(at) = board.open.iter().position(|(asked, _)| asked.id == id) else { return false };
        let (_, sender) = board.open.remove(at);
        sender.send(answer).is_ok()
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a question back when nobody waits for its answer any more.
struct TakenBack<'a> {
    questions: &'a Questions,
    id: u64,
}

impl Drop for TakenBack<'_> {
    fn drop(&mut self) {
        self.questions.board().open.retain(|(asked, _)| asked.id != self.id);
    }
}

/// An answer on its way over the socket, the only place where a secret is written out.
pub(super) mod answer {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::ssh::Secret;

    pub fn serialize<S: Serializer>(answer: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(answer.expose())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(host: &str) -> Asked {
        let word = || host.to_owned();
        Asked { id: 0, host: word(), wanted: word(), text: word(), hidden: true }
    }

    #[tokio::test]
    async fn an_answer_goes_to_its_own_question_and_only_once() {
        let questions = Questions::default();
        let ask = |host: &'static str| {
            let questions = questions.clone();
            tokio::spawn(async move { questions.ask(about(host)).await })
        };
        let first = ask("gate-a");
        while questions.first().is_none() {
            tokio::task::yield_now().await;
        }
        let second = ask("gate-b");
        let waiting = questions.first().unwrap();
        assert_eq!(waiting.host, "gate-a");
        assert!(questions.answer(waiting.id, Secret::new("one".to_owned())));
        assert!(!questions.answer(waiting.id, Secret::new("two".to_owned())));
        assert_eq!(first.await.unwrap().unwrap().expose(), "one");
        while questions.first().is_none() {
            tokio::task::yield_now().await;
        }
        second.abort();
        drop(second.await);
        assert_eq!(questions.first(), None, "whoever asked is gone");
    }
}
