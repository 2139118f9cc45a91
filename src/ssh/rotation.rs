//! The other keys of a host (OpenSSH's PROTOCOL, section 2.5): those that it announces and proves are recorded beside
//! the one it showed, so that it may change over to one of them. And the proof, asked for when keys are first exchanged
//! anew, that it still holds the key that was accepted.
//!
//! Asks for no key twice: since 10.5 an sshd that is asked again for the same key ends the connection.
//! Records nothing of a host whose policy is strict, that is pinned, or that an authority certifies; takes no key
//! out.

use std::sync::{Arc, Weak};

use russh::client::Handle;
use russh::keys::PublicKey;

use super::expectation::Expectation;
use super::gatekeeper::Gatekeeper;
use super::known_hosts::Judgement;
use super::known_hosts_file::KnownHostsFile;
use super::notes::Notes;
use super::wire::WireHandle;
use crate::topology::HostKeyChecking;

/// The most keys that are asked for during one session: a host may announce without end.
const KEYS: usize = 16;

/// What follows the keys of one session's host.
pub(super) struct Rotation {
    pub handle: Weak<Handle<Gatekeeper>>,
    pub notes: Arc<Notes>,
    pub wire: WireHandle,
    pub expectation: Expectation,
}

impl Rotation {
    /// Follows them until the session ends.
    pub async fn follow(self) {
        let ended = self.wire.ended.clone();
        tokio::select! {
            () = self.watch() => {}
            () = ended.cancelled() => {}
        }
    }

    async fn watch(&self) {
        let Some(shown) = self.notes.shown() else { return };
        let mut announces = false;
        let mut asked = Vec::new();
        loop {
            let (announced, rekeyed) = self.notes.key_news().await;
            if let Some(keys) = announced {
                announces = announces || keys.contains(&shown);
                self.learn(&shown, keys, &mut asked).await;
            }
            // Others than OpenSSH may know the announcement and not the proof.
            let holds = announces && self.notes.is_openssh();
            if !rekeyed || !holds || asked.contains(&shown) {
                continue;
            }
            asked.push(shown.clone());
            // No deadline: whoever leaves this out and answers a later question has answered this one, wrongly; and
            // whoever answers nothing is ended by the watchdog.
            if !self.proves(&shown).await && !self.wire.ended.is_cancelled() {
                self.notes.end_for("it could not prove its host key after keys were exchanged anew");
                self.wire.cut.cancel();
                return;
            }
        }
    }

    /// Whether the host signs for this key (hostkeys-prove-00@openssh.com).
    async fn proves(&self, key: &PublicKey) -> bool {
        match self.handle.upgrade() {
            Some(handle) => handle.hostkeys_prove(vec![key.clone()]).await.is_ok(),
            None => false,
        }
    }

    /// Records what is new and proved.
    async fn learn(&self, shown: &PublicKey, announced: Vec<PublicKey>, asked: &mut Vec<PublicKey>) {
        if !self.expectation.takes_more_keys() {
            return;
        }
        for key in announced.into_iter().filter(|key| key != shown) {
            let known = matches!(self.expectation.records.judge(key.key_data()), Judgement::Known);
            if known || asked.contains(&key) || asked.len() >= KEYS {
                continue;
            }
            asked.push(key.clone());
            if !self.proves(&key).await {
                continue;
            }
            let (expectation, shown) = (self.expectation.clone(), shown.clone());
            let recorded = tokio::task::spawn_blocking(move || expectation.record_beside(&shown, &key)).await;
            if let Ok(Err(error)) = recorded {
                tracing::warn!(%error, "another key of a host cannot be recorded");
            }
        }
    }
}

impl Expectation {
    /// Whether other keys of the host are recorded as well.
    fn takes_more_keys(&self) -> bool {
        let learns = self.learning.checking != HostKeyChecking::Strict && self.learning.record;
        learns && self.pins.is_none() && !self.wants_certificate()
    }

    /// Records a key that the host proved, if the one that it showed is still recorded, and this one is neither
    /// recorded nor revoked.
    fn record_beside(&self, shown: &PublicKey, key: &PublicKey) -> std::io::Result<()> {
        let (Some(file), Some(name)) = (self.files.first(), self.names.first()) else { return Ok(()) };
        let locked = KnownHostsFile::lock(file)?;
        let now = self.now().map_err(|_| std::io::Error::other("a file of host keys cannot be read"))?;
        let trusted = matches!(now.records.judge(shown.key_data()), Judgement::Known);
        let new = matches!(now.records.judge(key.key_data()), Judgement::Changed(_));
        if trusted && new { locked.append(name, key) } else { Ok(()) }
    }
}
