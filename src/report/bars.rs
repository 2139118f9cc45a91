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
use crate::engine::Event;
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
            rows.push(Row { label: names.label(&tunnel.id), now: Now::Waits(below) });
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
            Event::TunnelUp { tunnel, elapsed, detail } => {
                self.change(&tunnel_key(&tunnel.0), |_| Now::Up(*elapsed, escape(detail)));
            }
            Event::ForwardChecking { forward } => {
                self.change(&forward_key(&forward.0), |_| Now::Checking(at));
            }
            Event::ForwardUp { forward, local, answer, elapsed } => {
                let to = names.forward(forward).map_or("?", |name| &name.to);
                let way = format!("{local} {} {to}", self.style.pick("→", "->"));
                let said = answered(answer.as_deref(), *elapsed);
                let short = said.strip_prefix("answered \"").map(|short| format!("\"{short}"));
                let said =
                    [Some(said), short, Some(answered(None, *elapsed))].into_iter().flatten().collect();
                self.change(&forward_key(&forward.0), |_| Now::Proved(way, said));
            }
            Event::ForwardFailed { forward, .. } => {
                self.change(&forward_key(&forward.0), |_| Now::Ended(true, None));
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
            } else if !matches!(row.now, Now::Up(..) | Now::Proved(..) | Now::Ended(true, _)) {
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
mod tests {
    use std::io::Write;

    use indicatif::{InMemoryTerm, ProgressDrawTarget, TermLike};

    use crate::engine::Event;
    use crate::report::sample::{NICE, login_failure, run, three};
    use crate::report::{Mode, Reporter, Sink};

    /// The terminal as a file: a line's end also goes back to the first column.
    struct Tty(InMemoryTerm);

    impl Write for Tty {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.write_str(&String::from_utf8_lossy(bytes).replace('\n', "\r\n"))?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn watched() -> (InMemoryTerm, Reporter) {
        let terminal = InMemoryTerm::new(24, 80);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let sink = Sink::Terminal(target, Box::new(Tty(terminal.clone())));
        (terminal, Reporter::new(Mode::Bars, &three(), NICE, sink))
    }

    fn screen(events: &[Event]) -> String {
        let (terminal, reporter) = watched();
        events.iter().for_each(|event| reporter.event(event));
        terminal.contents()
    }

    #[test]
    fn bars_show_where_each_tunnel_stands() {
        // T2 is at its login: two rows with a clock would make the text depend on time.
        let contents = screen(&run()[..10]);
        let lines: Vec<&str> = contents.lines().collect();
        assert_eq!(lines.len(), 4, "{contents}");
        assert_eq!(lines[0], " ✔ T1 gate-a   ━━━━━━━━━━ up                  182 ms   agent");
        assert!(lines[1].contains(" T2 gate-b   ━━━━━━╸─── logging in "), "{contents}");
        assert_eq!(lines[2], " · T3 gate-c   ────────── waits for T2");
        assert_eq!(lines[3], " · screen      ────────── waits for T3");
    }

    #[test]
    fn bars_settle_into_lines_that_stay_and_the_rest_follows_below() {
        let contents = screen(&run());
        let lines: Vec<&str> = contents.lines().collect();
        assert_eq!(lines.len(), 11, "{contents}");
        assert!(lines[2].starts_with(" ✔ T3 gate-c   ━━━━━━━━━━ up "), "{contents}");
        assert!(
            lines[3].starts_with(" ✔ screen      127.0.0.1:5900 → vnc:5900   answered in 74 ms"),
            "{contents}"
        );
        assert_eq!(lines[4], "Up in 900 ms. Open vnc://127.0.0.1:5900");
        assert_eq!(lines[10], "Down. Nothing is left running.");
    }

    #[test]
    fn what_the_terminal_echoes_shifts_nothing() {
        // At every moment somebody may press Ctrl-C, which shows as `^C` where the cursor stands.
        for at in [4, 10, 22] {
            let (terminal, reporter) = watched();
            let events = run();
            let (before, after) = events.split_at(at);
            before.iter().for_each(|event| reporter.event(event));
            terminal.write_str("^C").unwrap();
            after.iter().for_each(|event| reporter.event(event));
            assert_eq!(terminal.contents(), screen(&run()), "Ctrl-C after {at} events");
        }
    }

    #[test]
    fn bars_of_a_failed_run_show_the_blamed_tunnel_and_what_was_not_reached() {
        let mut events = run()[..10].to_vec();
        events.push(Event::Failed(login_failure()));
        let contents = screen(&events);
        let tail: Vec<&str> = contents.lines().skip(1).collect();
        assert_eq!(
            tail,
            [
                " ✘ T2 gate-b   ━━━━━━──── failed: login",
                " · T3 gate-c   ────────── not reached",
                " · screen      ────────── not reached",
            ]
        );
    }

    #[test]
    fn who_suspends_has_the_terminal_alone_and_events_do_not_wait() {
        let (terminal, reporter) = watched();
        let events = run();
        events[..4].iter().for_each(|event| reporter.event(event));
        assert_eq!(terminal.contents().lines().count(), 4);
        let during = reporter.suspend(|| {
            let before = terminal.contents();
            events[4..10].iter().for_each(|event| reporter.event(event));
            before + &terminal.contents()
        });
        assert_eq!(during, "", "nothing is drawn meanwhile");
        let contents = terminal.contents();
        assert!(contents.starts_with(" ✔ T1 gate-a") && contents.contains("logging in"), "{contents}");
        assert_eq!(contents.lines().count(), 4, "{contents}");
    }
}
