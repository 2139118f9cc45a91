//! Passes each event to the one way of showing it that was chosen. Never blocks on a person and never
//! fails: a run does not end because nobody can watch it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::ProgressDrawTarget;
use jiff::Timestamp;

use super::bars::Bars;
use super::names::Names;
use super::style::Style;
use super::url::{reachable, url};
use super::{json, plain};
use crate::engine::Event;
use crate::plan::Plan;
use crate::plan::show::fold;
use crate::topology::escape;

/// More rows than this are no overview: they scroll, and redrawing them costs more than it shows.
const MOST_BARS: usize = 48;

/// To the beginning of the line, and nothing left of what stands there.
const FRESH: &str = "\r\x1b[K";

/// How a run is shown while it goes up, stays and goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Live bars; only on a terminal.
    Bars,
    /// A line for each event that matters.
    Plain,
    /// `hopper.event/1`: a JSON object a line for each event.
    Json,
    /// Nothing.
    None,
}

impl Mode {
    /// What `--progress auto` means on standard error: bars on a terminal that can, outside CI.
    pub fn auto() -> Self {
        let terminal = io::stderr().is_terminal();
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        if terminal && !dumb && !set("CI") { Mode::Bars } else { Mode::Plain }
    }
}

/// Where a report goes.
pub enum Sink {
    /// Standard error.
    Stderr,
    /// Anything else that takes text: a file, a pipe, memory. Bars need a terminal, so [`Mode::Bars`]
    /// becomes [`Mode::Plain`] here.
    Text(Box<dyn Write + Send>),
    /// A terminal other than standard error: to draw bars on, and to write lines to once they are done.
    Terminal(ProgressDrawTarget, Box<dyn Write + Send>),
}

/// Shows the events of one run. Shared between threads as it is.
pub struct Reporter {
    eyes: Eyes,
    style: Style,
    /// Whether a `^C` may stand where the next line goes, on a terminal that may know no more than `\r`.
    echoes: bool,
    hint: Option<String>,
    past: Mutex<Past>,
}

enum Eyes {
    Bars(Bars),
    Plain(Mutex<Box<dyn Write + Send>>),
    Json(Mutex<Box<dyn Write + Send>>),
    None,
}

/// What later events need to know of earlier ones.
struct Past {
    names: Names,
    /// The forwards that are up, and what to open for each.
    doors: BTreeMap<String, String>,
    /// The forwards that were given up.
    without: BTreeSet<String>,
    /// Why, for when the bars have settled: a row has no room for it.
    untold: Vec<String>,
    settled: bool,
    was_up: bool,
}

impl Reporter {
    /// A reporter for a run of this plan. `style` is that of the sink. A plan with very many rows is
    /// shown plain instead of as bars.
    pub fn new(mode: Mode, plan: &Plan, style: Style, sink: Sink) -> Self {
        let names = Names::new(plan);
        let echoes = matches!(sink, Sink::Stderr) && io::stderr().is_terminal();
        let many = plan.tunnels.len() + plan.forwards.len() > MOST_BARS;
        let eyes = match (mode, sink) {
            (Mode::None, _) => Eyes::None,
            (Mode::Json, sink) => Eyes::Json(Mutex::new(text(sink))),
            (Mode::Bars, Sink::Stderr) if !many => {
                let target = ProgressDrawTarget::stderr();
                Eyes::Bars(Bars::new(plan, &names, style, target, Box::new(io::stderr())))
            }
            (Mode::Bars, Sink::Terminal(target, after)) if !many => {
                Eyes::Bars(Bars::new(plan, &names, style, target, after))
            }
            (Mode::Bars | Mode::Plain, sink) => Eyes::Plain(Mutex::new(text(sink))),
        };
        let past = Past {
            names,
            doors: BTreeMap::new(),
            without: BTreeSet::new(),
            untold: Vec::new(),
            settled: false,
            was_up: false,
        };
        Reporter { eyes, style, echoes, hint: None, past: Mutex::new(past) }
    }

    /// What to tell the person to do next when everything is up, in a line of its own.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Shows an event. [`Event::Failed`] only settles the bars (and is a JSON line): the caller shows
    /// the failure itself, with [`failure::render`](super::failure::render).
    pub fn event(&self, event: &Event) {
        let mut past = held(&self.past);
        past.note(event);
        match &self.eyes {
            Eyes::None => {}
            Eyes::Json(sink) => put(sink, &json::line(event, &past.names, Timestamp::now())),
            Eyes::Plain(sink) => {
                let over = self.echoes && matches!(event, Event::Closing);
                if let Some(line) = self.line(event, &past) {
                    put(sink, &if over { format!("\r{line}") } else { line });
                }
            }
            Eyes::Bars(bars) => {
                if !past.settled {
                    if let Event::ForwardFailed { .. }
                    | Event::FailedOver { .. }
                    | Event::KeyRecorded { .. } = event
                    {
                        let why = self.line(event, &past);
                        past.untold.extend(why);
                    }
                    bars.event(event, &past.names);
                    past.settled = matches!(
                        event,
                        Event::Up { .. } | Event::Replanned { .. } | Event::Failed(_) | Event::Closing
                    );
                    if !past.settled {
                        return;
                    }
                    bars.settle();
                    for line in std::mem::take(&mut past.untold) {
                        bars.say(&fold(&line, 0, 2, self.style.width).join("\n"));
                    }
                }
                if let Some(line) = self.line(event, &past) {
                    // Over what a person may have typed meanwhile, the `^C` that closed it above all.
                    bars.say(&format!("{FRESH}{line}"));
                }
            }
        }
    }

    /// Leaves the terminal to `other` (a question, a log line) for as long as it takes; events that
    /// come meanwhile are not lost and do not wait.
    pub fn suspend<R>(&self, other: impl FnOnce() -> R) -> R {
        match &self.eyes {
            Eyes::Bars(bars) if !held(&self.past).settled => bars.suspend(other),
            _ => other(),
        }
    }

    fn line(&self, event: &Event, past: &Past) -> Option<String> {
        if past.was_up && matches!(event, Event::Stage { .. }) {
            // A line for each change, not for each try.
            return None;
        }
        if let Event::Up { elapsed } = event {
            return Some(plain::up(*elapsed, &past.doors, &past.without, self.hint.as_deref()));
        }
        plain::line(event, &past.names, self.style)
    }
}

impl Past {
    fn note(&mut self, event: &Event) {
        match event {
            Event::Replanned { plan } => {
                self.names = Names::new(plan);
                self.without.clear();
            }
            // Nobody here opens what another host listens for.
            Event::ForwardUp { forward, at, .. } if at.on.is_none() => {
                let protocol = self.names.forward(forward).and_then(|name| name.protocol.as_ref());
                let address = || reachable(at.address).to_string();
                let door = protocol.map_or_else(address, |protocol| url(protocol, at.address));
                self.doors.insert(escape(&forward.0), door);
            }
            Event::Up { .. } => self.was_up = true,
            Event::ForwardFailed { forward, .. } => {
                self.without.insert(escape(&forward.0));
            }
            _ => {}
        }
    }
}

fn text(sink: Sink) -> Box<dyn Write + Send> {
    match sink {
        Sink::Text(text) => text,
        Sink::Terminal(_, text) => text,
        Sink::Stderr => Box::new(io::stderr()),
    }
}

pub(super) fn put(sink: &Mutex<Box<dyn Write + Send>>, line: &str) {
    // One write a line, so that lines of other writers do not get in between. A closed pipe does not
    // end the run.
    let mut sink = held(sink);
    let _ = sink.write_all(format!("{line}\n").as_bytes());
    let _ = sink.flush();
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
