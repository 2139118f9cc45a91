//! Passes each event to the one way of showing it that was chosen. Never blocks on a person and never
//! fails: a run does not end because nobody can watch it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
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
        let terminal = io::IsTerminal::is_terminal(&io::stderr());
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
    names: Names,
    style: Style,
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
#[derive(Default)]
struct Past {
    /// The forwards that are up, and what to open for each.
    doors: BTreeMap<String, String>,
    /// The forwards that were given up.
    without: BTreeSet<String>,
    settled: bool,
}

impl Reporter {
    /// A reporter for a run of this plan. `style` is that of the sink. A plan with very many rows is
    /// shown plain instead of as bars.
    pub fn new(mode: Mode, plan: &Plan, style: Style, sink: Sink) -> Self {
        let names = Names::new(plan);
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
        Reporter { eyes, names, style, hint: None, past: Mutex::default() }
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
        past.note(event, &self.names);
        match &self.eyes {
            Eyes::None => {}
            Eyes::Json(sink) => put(sink, &json::line(event, &self.names, Timestamp::now())),
            Eyes::Plain(sink) => {
                if let Some(line) = self.line(event, &past) {
                    put(sink, &line);
                }
            }
            Eyes::Bars(bars) => {
                if !past.settled {
                    bars.event(event, &self.names);
                    past.settled = matches!(event, Event::Up { .. } | Event::Failed(_) | Event::Closing);
                    if !past.settled {
                        return;
                    }
                    bars.settle();
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
        if let Event::Up { elapsed } = event {
            return Some(plain::up(*elapsed, &past.doors, &past.without, self.hint.as_deref()));
        }
        plain::line(event, &self.names, self.style)
    }
}

impl Past {
    fn note(&mut self, event: &Event, names: &Names) {
        match event {
            Event::ForwardUp { forward, local, .. } => {
                let protocol = names.forward(forward).and_then(|name| name.protocol.as_ref());
                let address = || reachable(*local).to_string();
                let door = protocol.map_or_else(address, |protocol| url(protocol, *local));
                self.doors.insert(escape(&forward.0), door);
            }
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
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::report::sample::{login_failure, run, three};
    use crate::topology::ForwardId;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn told(mode: Mode, events: &[Event]) -> String {
        let memory = Memory::default();
        let reporter = Reporter::new(mode, &three(), Style::PLAIN, Sink::Text(Box::new(memory.clone())))
            .with_hint("Ctrl-C takes it down. How it stands: hopper status");
        events.iter().for_each(|event| reporter.event(event));
        let bytes = memory.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn plain_is_one_line_for_what_matters() {
        let expected = "\
T1 gate-a: connecting
T1 gate-a: up (182 ms)
T2 gate-b: connecting
T2 gate-b: up (182 ms)
T3 gate-c: connecting
T3 gate-c: up (182 ms)
screen: listens on 127.0.0.1:5900
screen: 127.0.0.1:5900 -> vnc:5900, answered \"RFB 003.008\\u{a}\\u{1b}]0;gotcha\\u{7}\" in 74 ms
Up in 900 ms. Open vnc://127.0.0.1:5900
Ctrl-C takes it down. How it stands: hopper status
Closing
screen: closed
T3 gate-c: closed
T2 gate-b: closed
T1 gate-a: closed
Down. Nothing is left running.
";
        assert_eq!(told(Mode::Plain, &run()), expected);
        assert_eq!(told(Mode::Bars, &run()), expected, "bars need a terminal");
        assert_eq!(told(Mode::None, &run()), "");
    }

    #[test]
    fn several_forwards_have_a_line_each_and_those_given_up_are_named() {
        let up = |name: &str, port| Event::ForwardUp {
            forward: ForwardId(name.to_owned()),
            local: ([0, 0, 0, 0], port).into(),
            answer: None,
            elapsed: Duration::ZERO,
        };
        let failed = Event::ForwardFailed { forward: ForwardId("dead".to_owned()), failure: login_failure() };
        let over = Event::Up { elapsed: Duration::from_millis(71) };
        let text = told(Mode::Plain, &[up("screen", 5900), failed.clone(), up("db", 5432), over.clone()]);
        let wanted = "\
Up in 71 ms, without dead. Open
  db      127.0.0.1:5432
  screen  vnc://127.0.0.1:5900
Ctrl-C takes it down. How it stands: hopper status
";
        assert!(text.ends_with(wanted), "{text}");
        let text = told(Mode::Plain, &[up("db", 5432), over.clone()]);
        assert!(text.contains("\nUp in 71 ms. Open 127.0.0.1:5432\n"), "{text}");
        assert!(told(Mode::Plain, &[failed, over]).contains("\nUp in 71 ms, without dead.\n"));
    }

    #[test]
    fn json_is_one_object_a_line_for_everything() {
        let mut events = run();
        events.push(Event::Failed(login_failure()));
        let text = told(Mode::Json, &events);
        assert!(!text.contains(['\x1b', '\x07']), "a serialiser escapes");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), events.len());
        for line in &lines {
            assert_eq!(line["schema"], "hopper.event/1");
            line["ts"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        }
        let mut stage = lines[9].clone();
        stage.as_object_mut().unwrap().shift_remove("ts");
        assert_eq!(
            stage.to_string(),
            r#"{"schema":"hopper.event/1","event":"stage","tunnel":"T2","host":"gate-b","hop":2,"stage":"login"}"#
        );
        let last = lines.last().unwrap();
        assert_eq!((&last["event"], &last["error"]["code"]), (&"failed".into(), &"H0401".into()));
    }
}
