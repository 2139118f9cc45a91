//! What a session's handler noted: the host's keys, the algorithms, refusals, the end. Shared by the handler, which is
//! inside the session, and the session's owner.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use russh::ChannelOpenFailure;
use russh::keys::{Algorithm, PublicKey};
use tokio::sync::Notify;

use super::host_key_refusal::HostKeyRefusal;
use crate::topology::escape;

/// What a session's handler noted, shared with the session's owner.
#[derive(Default)]
pub struct Notes {
    facts: Mutex<Facts>,
    /// Woken when a channel was refused.
    pub(super) refused: Notify,
    /// Woken when there is something new about the host's keys.
    pub(super) keys: Notify,
}

#[derive(Default)]
pub(super) struct Facts {
    pub(super) host_key: Option<HostKeyRefusal>,
    /// The key that was accepted, and the type that was agreed on for it.
    pub(super) shown: Option<PublicKey>,
    pub(super) agreed: Option<Algorithm>,
    /// Whether it calls itself OpenSSH.
    pub(super) openssh: bool,
    /// What the host says its keys are, until somebody takes it.
    pub(super) announced: Option<Vec<PublicKey>>,
    /// Whether keys were exchanged anew, until somebody takes it.
    pub(super) rekeyed: bool,
    pub(super) algorithms: Option<String>,
    pub(super) ending: Option<String>,
    /// Whether it was hopper that ended the session.
    ended_here: bool,
    /// The server's own words at the end.
    pub(super) farewell: Option<String>,
    pub(super) refusals: VecDeque<(ChannelOpenFailure, String)>,
    /// Login banners so far.
    banners: usize,
}

/// The most login banners of one session that are logged: nobody is trusted yet who sends them.
const BANNERS_LOGGED: usize = 4;

/// The most refusals kept until somebody asks for their text.
pub(super) const REFUSALS_KEPT: usize = 32;

impl Notes {
    pub(super) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the host key was not accepted, if it was not.
    pub fn host_key_refusal(&self) -> Option<HostKeyRefusal> {
        self.facts().host_key.clone()
    }

    /// The key that was accepted.
    pub fn shown(&self) -> Option<PublicKey> {
        self.facts().shown.clone()
    }

    /// Whether the server calls itself OpenSSH.
    pub(super) fn is_openssh(&self) -> bool {
        self.facts().openssh
    }

    /// Waits for news of the host's keys: what it says they are, if it said so, and whether keys were exchanged
    /// anew. One listener takes them.
    pub async fn key_news(&self) -> (Option<Vec<PublicKey>>, bool) {
        self.keys.notified().await;
        let mut facts = self.facts();
        (facts.announced.take(), std::mem::take(&mut facts.rekeyed))
    }

    /// The algorithms agreed on, for the eye.
    pub fn algorithms(&self) -> Option<String> {
        self.facts().algorithms.clone()
    }

    /// Why the session ended, as far as it is known; escaped.
    pub fn ending(&self) -> Option<String> {
        self.facts().ending.clone()
    }

    /// The server's own reason for ending the session, if it gave one; escaped.
    pub fn ending_by_server(&self) -> Option<String> {
        self.facts().farewell.clone()
    }

    /// A login banner for the log, escaped; `None` once there were too many.
    pub(super) fn banner(&self, text: &str) -> Option<String> {
        let mut facts = self.facts();
        facts.banners += 1;
        (facts.banners <= BANNERS_LOGGED).then(|| escape(text))
    }

    /// Notes why hopper itself ends the session.
    pub fn end_for(&self, fault: &str) {
        self.facts().ended_here = true;
        self.end_with(fault);
    }

    /// Whether it was hopper that ended the session.
    pub fn was_ended_here(&self) -> bool {
        self.facts().ended_here
    }

    /// Notes why the session ends, unless that is known already.
    pub fn end_with(&self, ending: &str) {
        self.facts().ending.get_or_insert_with(|| ending.to_owned());
    }

    /// The server's words for a refused channel, escaped; empty if it said nothing.
    ///
    /// russh tells the opener the reason and the handler the words, without naming the opener; so the
    /// oldest words of the same reason are taken. They come a moment after the reason.
    pub async fn words_for(&self, reason: &ChannelOpenFailure) -> String {
        loop {
            let noted = self.refused.notified();
            {
                let refusals = &mut self.facts().refusals;
                if let Some(at) = refusals.iter().position(|(noted, _)| noted == reason) {
                    return refusals.remove(at).map(|(_, words)| words).unwrap_or_default();
                }
            }
            noted.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banners_without_end_do_not_fill_the_log() {
        let notes = Notes::default();
        let logged: Vec<String> = (0..1_000_000).filter_map(|_| notes.banner("\u{1b}[2Jhello")).collect();
        assert_eq!(logged, ["\\u{1b}[2Jhello"; BANNERS_LOGGED]);
    }
}
