//! One line of text for each event that matters to a person who reads a log. Knows the words only.

use std::time::Duration;

use super::names::Names;
use super::style::Style;
use super::words::took;
use crate::engine::{Event, Stage};
use crate::topology::escape;

/// The line for an event; `None` for what would only be noise, and for [`Event::Failed`], which the
/// caller shows in full. [`Event::Up`] is a sentence of its own: [`up`].
pub(super) fn line(event: &Event, names: &Names, style: Style) -> Option<String> {
    let arrow = style.pick("→", "->");
    Some(match event {
        Event::Stage { tunnel, stage: Stage::Connect } => format!("{}: connecting", names.label(tunnel)),
        Event::Stage { .. } | Event::ForwardChecking { .. } | Event::Failed(_) | Event::Up { .. } => {
            return None;
        }
        Event::TunnelUp { tunnel, elapsed, .. } => {
            format!("{}: up ({})", names.label(tunnel), took(*elapsed))
        }
        Event::CarrierListening { tunnel, local } => {
            format!("{}: carrier listens on {local}", names.label(tunnel))
        }
        Event::ForwardListening { forward, local } => {
            format!("{}: listens on {local}", escape(&forward.0))
        }
        Event::ForwardUp { forward, local, answer, elapsed } => {
            let to = names.forward(forward).map_or("?", |name| &name.to);
            let said = answered(answer.as_deref(), *elapsed);
            format!("{}: {local} {arrow} {to}, {said}", escape(&forward.0))
        }
        Event::ForwardFailed { forward, failure } => format!(
            "{}: failed, the run goes on without it: {} [{}]",
            escape(&forward.0),
            escape(&failure.message),
            failure.code
        ),
        Event::Closing => "Closing".to_owned(),
        Event::ForwardClosed { forward } => format!("{}: closed", escape(&forward.0)),
        Event::TunnelClosed { tunnel } => format!("{}: closed", names.label(tunnel)),
        Event::Down => "Down. Nothing is left running.".to_owned(),
    })
}

/// `answered "RFB 003.008" in 74 ms`.
pub(super) fn answered(answer: Option<&str>, elapsed: Duration) -> String {
    match answer.map(escape) {
        Some(answer) => format!("answered \"{}\" in {}", answer.trim_end(), took(elapsed)),
        None => format!("answered in {}", took(elapsed)),
    }
}

/// The sentence that says that everything is up, where to go, and what to do next.
pub(super) fn up(elapsed: Duration, urls: &[String], hint: Option<&str>) -> String {
    let mut sentence = format!("Up in {}.", took(elapsed));
    if !urls.is_empty() {
        sentence.push_str(&format!(" Open {}", urls.join("  ")));
    }
    if let Some(hint) = hint {
        sentence.push_str(&format!("   ({hint})"));
    }
    sentence
}
