//! What becomes of a forward's clients while what carries it is rebuilt: `on_down` and `hold`.

use std::time::Duration;

use super::Reader;
use super::duration::DEADLINE;
use super::tree::{Entry, Node};
use super::value::assign;
use crate::topology::{OnDown, Problem, code};

/// Both settings, before it is known which of them counts.
#[derive(Clone)]
pub(super) struct Down {
    holds: bool,
    patience: Duration,
}

impl Default for Down {
    fn default() -> Self {
        Down { holds: true, patience: OnDown::default().patience() }
    }
}

impl Down {
    pub(super) fn how(&mut self, reader: &mut Reader, node: &Node) {
        assign(
            &mut self.holds,
            reader.choice(node, "\"on_down\"", &[("hold", true), ("refuse", false)], &[]),
        );
    }

    pub(super) fn patience(&mut self, reader: &mut Reader, entry: &Entry) {
        assign(&mut self.patience, reader.duration(entry, DEADLINE));
    }

    pub(super) fn settled(&self) -> OnDown {
        if self.holds { OnDown::Hold(self.patience) } else { OnDown::Refuse }
    }
}

/// Sees to it that what one forward says of this means something. `name` is the forward's, quoted;
/// `elsewhere` whether another host listens for it.
pub(super) fn fits(reader: &mut Reader, entries: &[Entry], name: &str, elsewhere: bool) {
    let written = |key: &str| entries.iter().find(|entry| entry.key == key);
    let (how, hold) = (written("on_down"), written("hold"));
    if elsewhere && let Some(entry) = how.or(hold) {
        let message = format!("nobody can wait at the listener of forward {name} while it is rebuilt");
        reader.report(
            Problem::new(code::FORWARD, entry.key_range.clone(), "has no meaning here", message).help(
                "leave it out: a listener on another host is gone with the session it was asked for over",
            ),
        );
    } else if let (Some(how), Some(hold)) = (how, hold)
        && matches!(&how.node.json, super::tree::Json::Text(text) if text == "refuse")
    {
        let message = format!("forward {name} both refuses clients and lets them wait");
        reader.report(
            Problem::new(code::FORWARD, hold.key_range.clone(), "nobody waits", message)
                .also(how.node.place(), "refuses them")
                .help("leave \"hold\" out, or write \"on_down\": \"hold\""),
        );
    }
}
