//! One line of text for each event that matters to a person who reads a log. Knows the words only.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::names::Names;
use super::style::{Style, columns, pad};
use super::words::{count, os_words, took};
use crate::engine::{Doubt, Event, Failure, Stage, Waiter};
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
        Event::Waiting { who, listener, keeper } => {
            let who = match who {
                Waiter::Tunnel(tunnel) => names.label(tunnel),
                Waiter::Forward(forward) => escape(&forward.0),
            };
            format!("{who}: waits for {listener}, kept by hopper at {}", escape(keeper.as_str()))
        }
        Event::Taken { forward, at, within } => {
            let forward = escape(&forward.0);
            format!(
                "{forward}: {at} is taken, maybe still by an earlier session; asks again for {}",
                took(*within)
            )
        }
        Event::KeyRecorded { tunnel, key } => {
            format!("{}: a new host key was recorded: {key}", names.label(tunnel))
        }
        Event::TunnelUp { tunnel, elapsed, .. } => {
            format!("{}: up ({})", names.label(tunnel), took(*elapsed))
        }
        Event::CarrierListening { tunnel, local } => {
            format!("{}: carrier listens on {local}", names.label(tunnel))
        }
        Event::ForwardListening { forward, at } => {
            format!("{}: listens on {at}", escape(&forward.0))
        }
        Event::ForwardUp { forward, at, answer, elapsed } => {
            let to = names.forward(forward).map_or("?", |name| &name.to);
            let said = answered(answer.as_deref(), *elapsed);
            format!("{}: {at} {arrow} {to}, {said}", escape(&forward.0))
        }
        Event::TunnelLost { tunnel, failure, above } => {
            let with = match above {
                0 => String::new(),
                1 => " with the one that stands on it".to_owned(),
                more => format!(" with the {more} that stand on it"),
            };
            format!("{}: lost, rebuilding it{with}: {}", names.label(tunnel), why(failure))
        }
        Event::TunnelRests { tunnel, unused } => format!(
            "{}: rests, since its server ends what nobody uses for {}; opened when somebody connects",
            names.label(tunnel),
            took(*unused)
        ),
        Event::ForwardHeld { forward, streams: 0 } => format!("{}: waits", escape(&forward.0)),
        Event::ForwardHeld { forward, streams } => {
            format!("{}: waits, {} cut", escape(&forward.0), count(*streams, "connection"))
        }
        Event::Retry { who, failure, wait } => {
            let who = match who {
                Waiter::Tunnel(tunnel) => names.label(tunnel),
                Waiter::Forward(forward) => escape(&forward.0),
            };
            format!("{who}: still away, next try in {}: {}", took(*wait), why(failure))
        }
        Event::FailedOver { forward, by, instead_of, failure } => {
            let way = instead(by, instead_of);
            format!("{}: goes {way}: {}", escape(&forward.0), why(failure))
        }
        Event::WentBack { forward, route } => {
            let route: Vec<String> = route.iter().map(|host| escape(host.as_str())).collect();
            let route = route.join(&format!(" {arrow} "));
            format!("{}: back on its first route, {route}", escape(&forward.0))
        }
        Event::Restored { elapsed } => format!("Up again after {}.", took(*elapsed)),
        Event::Verifying { doubt: Doubt::Slept(away) } => {
            format!("Away for {}: asking everything whether it is still there", took(*away))
        }
        Event::Verifying { doubt: Doubt::NetworkChanged } => {
            "The network changed: asking everything whether it is still there".to_owned()
        }
        Event::Verifying { doubt: Doubt::Asked } => "Asking everything whether it is still there".to_owned(),
        Event::Verified { elapsed } => format!("All answered after {}.", took(*elapsed)),
        Event::Replanned { plan } => {
            let (tunnels, forwards) = (plan.tunnels.len() as u64, plan.forwards.len() as u64);
            format!(
                "The file counts as it is now: {}, {}",
                count(tunnels, "tunnel"),
                count(forwards, "forward")
            )
        }
        Event::Reloaded { elapsed } => format!("Reloaded in {}.", took(*elapsed)),
        Event::NotReloaded { failure } => {
            format!("Not reloaded, everything stays as it was: {}", why(failure))
        }
        Event::TunnelFailed { tunnel, failure } => {
            format!("{}: given up, the run goes on without it: {}", names.label(tunnel), why(failure))
        }
        Event::ForwardFailed { forward, failure } => {
            format!("{}: failed, the run goes on without it: {}", escape(&forward.0), why(failure))
        }
        Event::Expired { elapsed } => format!("The lifetime of this run is over, after {}.", took(*elapsed)),
        Event::Closing => "Closing".to_owned(),
        Event::ForwardClosed { forward } => format!("{}: closed", escape(&forward.0)),
        Event::TunnelClosed { tunnel } => format!("{}: closed", names.label(tunnel)),
        Event::Down => "Down. Nothing is left running.".to_owned(),
    })
}

/// `by way of gate-2 instead of gate-1`.
pub(super) fn instead<H: ToString>(by: &[H], instead_of: &[H]) -> String {
    let names =
        |hosts: &[H]| hosts.iter().map(|host| escape(&host.to_string())).collect::<Vec<_>>().join(" and ");
    match (by, instead_of) {
        ([], []) => "by another link".to_owned(),
        (by, []) => format!("by way of {} as well", names(by)),
        ([], instead_of) => format!("without {}", names(instead_of)),
        (by, instead_of) => format!("by way of {} instead of {}", names(by), names(instead_of)),
    }
}

/// What failed and why, in one line.
fn why(failure: &Failure) -> String {
    let cause = failure.facts.iter().find(|(name, _)| *name == "cause");
    let cause = cause.map_or(String::new(), |(_, cause)| format!(": {cause}"));
    let why = os_words(&escape(&format!("{}{cause}", failure.message)));
    format!("{why} [{}]", failure.code)
}

/// `answered "RFB 003.008" in 74 ms`.
pub(super) fn answered(answer: Option<&str>, elapsed: Duration) -> String {
    match answer.map(escape) {
        Some(answer) => format!("answered \"{}\" in {}", answer.trim_end(), took(elapsed)),
        None => format!("answered in {}", took(elapsed)),
    }
}

/// Says that everything is up but the forwards given up, where to go, and what to do next: a line for
/// each. `doors` are the forwards with what to open.
pub(super) fn up(
    elapsed: Duration,
    doors: &BTreeMap<String, String>,
    without: &BTreeSet<String>,
    hint: Option<&str>,
) -> String {
    let without = match without.len() {
        0 => String::new(),
        _ => format!(", without {}", without.iter().cloned().collect::<Vec<_>>().join(", ")),
    };
    let mut text = format!("Up in {}{without}.", took(elapsed));
    match doors.len() {
        0 => {}
        1 => doors.values().for_each(|door| text.push_str(&format!(" Open {door}"))),
        _ => {
            let wide = doors.keys().map(|name| columns(name)).max().unwrap_or(0);
            text.push_str(" Open");
            doors.iter().for_each(|(name, door)| text.push_str(&format!("\n  {}  {door}", pad(name, wide))));
        }
    }
    if let Some(hint) = hint {
        text.push_str(&format!("\n{hint}"));
    }
    text
}
