//! Live bars on a terminal: a line for each tunnel and forward. The only place that names indicatif;
//! what a line says is [`Row`]'s business.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::names::Names;
use super::plain::answered;
use super::reporter::put;
use super::row::{Now, Row};
use super::style::Style;
use crate::engine::{Event, Waiter};
use crate::plan::Plan;
use crate::topology::escape;

/// The pace of the spinners.
const TICK: Duration = Duration::from_millis(100);

/// Live bars, until they settle into plain lines that stay.
pub(super) struct Bars {
    multi: MultiProgress,
    style: Style,
    label: usize,
    lines: Vec<Line>,
    /// An empty line below the others: what the terminal echoes lands there and moves none of them.
    floor: ProgressBar,
    /// Where lines go once the bars have settled: the same terminal.
    after: Mutex<Box<dyn Write + Send>>,
    index: HashMap<String, usize>,
    /// Somebody else has the terminal: rows change, nothing is drawn.
    paused: Mutex<bool>,
}

struct Line {
    row: Arc<Mutex<Row>>,
    bar: ProgressBar,
}

impl Bars {
    pub(super) fn new(
        plan: &Plan,
        names: &Names,
        style: Style,
        target: ProgressDrawTarget,
        after: Box<dyn Write + Send>,
    ) -> Self {
        let mut rows = Vec::new();
        let mut index = HashMap::new();
        for tunnel in &plan.tunnels {
            index.insert(tunnel_key(&tunnel.id.0), rows.len());
            let below = tunnel.through.as_ref().map(ToString::to_string);
            let now = if tunnel.standby { Now::Standby } else { Now::Waits(below) };
            rows.push(Row { label: names.label(&tunnel.id), now });
        }
        for planned in &plan.forwards {
            index.insert(forward_key(&planned.forward.id.0), rows.len());
            let via = planned.via.as_ref().map(ToString::to_string);
            rows.push(Row { label: escape(&planned.forward.id.0), now: Now::Waits(via) });
        }
        let label = rows.iter().map(Row::label_width).max().unwrap_or(0) + 2;
        let multi = MultiProgress::with_draw_target(target);
        let lines = rows.into_iter().map(|row| Line::new(row, style, label, &multi)).collect();
        let floor = bar(&multi, move || floor(style));
        Bars { multi, style, label, lines, floor, after: Mutex::new(after), index, paused: Mutex::new(false) }
    }

    /// Changes the row that the event is about.
    pub(super) fn event(&self, event: &Event, names: &Names) {
        let at = Instant::now();
        match event {
            Event::Stage { tunnel, stage } => self.change(&tunnel_key(&tunnel.0), |now| {
                // The time shown is that of the whole tunnel, not of the stage.
                let start = if let Now::Stage(_, start) = now { *start } else { at };
                Now::Stage(*stage, start)
            }),
            Event::Waiting { who, keeper, .. } => {
                let key = match who {
                    Waiter::Tunnel(tunnel) => tunnel_key(&tunnel.0),
                    Waiter::Forward(forward) => forward_key(&forward.0),
                };
                self.change(&key, |_| Now::Waits(Some(format!("hopper at {}", escape(keeper.as_str())))));
            }
            Event::Taken { forward, at, .. } => {
                self.change(&forward_key(&forward.0), |_| Now::Waits(Some(format!("{at}, which is taken"))));
            }
            Event::TunnelUp { tunnel, elapsed, detail } => {
                self.change(&tunnel_key(&tunnel.0), |_| Now::Up(*elapsed, escape(detail)));
            }
            Event::ForwardChecking { forward } => {
                self.change(&forward_key(&forward.0), |_| Now::Checking(at));
            }
            Event::ForwardUp { forward, at: place, answer, elapsed } => {
                let to = names.forward(forward).map_or("?", |name| &name.to);
                let way = format!("{place} {} {to}", self.style.pick("→", "->"));
                let said = answered(answer.as_deref(), *elapsed);
                let short = said.strip_prefix("answered \"").map(|short| format!("\"{short}"));
                let said =
                    [Some(said), short, Some(answered(None, *elapsed))].into_iter().flatten().collect();
                self.change(&forward_key(&forward.0), |_| Now::Proved(way, said));
            }
            Event::ForwardFailed { forward, .. } => {
                self.change(&forward_key(&forward.0), |_| Now::Ended(true, None));
            }
            Event::FailedOver { forward, failure, .. } => {
                self.change(&forward_key(&forward.0), |_| Now::Waits(None));
                if let Some(tunnel) = &failure.tunnel {
                    self.change(&tunnel_key(&tunnel.0), |now| {
                        Now::Ended(true, if let Now::Stage(stage, _) = now { Some(*stage) } else { None })
                    });
                }
            }
            Event::Failed(failure) => {
                let blamed = failure.tunnel.as_ref().map(|tunnel| tunnel_key(&tunnel.0));
                self.fail(blamed.as_deref());
            }
            Event::Closing => self.fail(None),
            _ => {}
        }
    }

    /// Leaves the rows on the screen as they are now, for good, and draws no more.
    pub(super) fn settle(&self) {
        let at = Instant::now();
        let last: Vec<String> =
            self.lines.iter().map(|line| locked(&line.row).line(self.style, self.label, at)).collect();
        for line in &self.lines {
            line.bar.disable_steady_tick();
            self.multi.remove(&line.bar);
        }
        self.multi.remove(&self.floor);
        // A terminal that is gone is no reason to end the run.
        let _ = self.multi.clear();
        last.iter().for_each(|line| self.say(line));
    }

    /// A line that stays; only once the bars have settled. Not indicatif's `println`: it fills the line up
    /// instead of ending it, so that whatever the terminal echoes in between shifts all that follows.
    pub(super) fn say(&self, line: &str) {
        put(&self.after, line);
    }

    /// Leaves the terminal to `other` for as long as it takes. Events may come meanwhile.
    pub(super) fn suspend<R>(&self, other: impl FnOnce() -> R) -> R {
        // Not indicatif's own `suspend`: it keeps its lock, and a person who thinks about a password
        // would stop whoever reports the next event.
        {
            let mut paused = locked(&self.paused);
            *paused = true;
            for line in &self.lines {
                line.bar.disable_steady_tick();
            }
            let _ = self.multi.clear();
        }
        let result = other();
        *locked(&self.paused) = false;
        for line in &self.lines {
            self.draw(line);
        }
        self.floor.tick();
        result
    }

    fn change(&self, key: &str, next: impl FnOnce(&Now) -> Now) {
        let Some(line) = self.index.get(key).and_then(|at| self.lines.get(*at)) else { return };
        {
            let mut row = locked(&line.row);
            row.now = next(&row.now);
        }
        self.draw(line);
    }

    /// One tunnel failed, or somebody wants it all down; what did not come up by now never will.
    fn fail(&self, blamed: Option<&str>) {
        let blamed = blamed.and_then(|key| self.index.get(key));
        for (at, line) in self.lines.iter().enumerate() {
            let mut row = locked(&line.row);
            let stage = if let Now::Stage(stage, _) = row.now { Some(stage) } else { None };
            if blamed == Some(&at) {
                row.now = Now::Ended(true, stage);
            } else if !matches!(row.now, Now::Standby | Now::Up(..) | Now::Proved(..) | Now::Ended(true, _)) {
                row.now = Now::Ended(false, stage);
            }
        }
    }

    fn draw(&self, line: &Line) {
        // Held while drawing, so that nothing is drawn once `suspend` has cleared the terminal.
        let paused = locked(&self.paused);
        if *paused {
            return;
        }
        // Drawn now, which indicatif leaves to the ticker as long as there is one.
        line.bar.disable_steady_tick();
        line.bar.tick();
        if locked(&line.row).moves() {
            line.bar.enable_steady_tick(TICK);
        }
    }
}

impl Line {
    fn new(row: Row, style: Style, label: usize, multi: &MultiProgress) -> Self {
        let row = Arc::new(Mutex::new(row));
        let shown = Arc::clone(&row);
        let bar = bar(multi, move || locked(&shown).line(style, label, Instant::now()));
        Line { row, bar }
    }
}

/// A bar that looks as this says whenever it is drawn.
fn bar(multi: &MultiProgress, look: impl Fn() -> String + Send + Sync + Clone + 'static) -> ProgressBar {
    let style = ProgressStyle::with_template("{row}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .with_key("row", move |_: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            // Writing to memory cannot fail.
            let _ = out.write_str(&look());
        });
    let bar = multi.add(ProgressBar::new_spinner().with_style(style));
    bar.tick();
    bar
}

/// An empty line that leaves the cursor at its beginning. indicatif fills lines up to the terminal's edge
/// and leaves it there: a `^C` would go to the next line, and all that is cleared later be one line off.
fn floor(style: Style) -> String {
    " ".repeat(style.width) + "\r"
}

/// What is held here is whole at every moment, so what a panicking thread left is as good as any.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tunnel_key(id: &str) -> String {
    format!("tunnel {id}")
}

fn forward_key(id: &str) -> String {
    format!("forward {id}")
}

#[cfg(test)]
mod tests;
