//! What bars look like on a terminal that is only played.

use std::io::Write;
use std::time::Duration;

use indicatif::{InMemoryTerm, ProgressDrawTarget, TermLike};

use crate::engine::Event;
use crate::report::sample::{NICE, login_failure, run, three, vnc};
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

#[test]
fn why_a_forward_was_given_up_is_told_once_the_bars_have_settled() {
    let mut events = run()[..20].to_vec();
    events.push(Event::ForwardFailed { forward: vnc(), failure: login_failure() });
    events.push(Event::Up { elapsed: Duration::from_millis(71) });
    let contents = screen(&events);
    let lines: Vec<&str> = contents.lines().skip(3).collect();
    assert_eq!(lines[0], " ✘ screen      ────────── failed");
    assert!(lines[1].starts_with("screen: failed, the run goes on without it: gate-b refused"), "{contents}");
    assert!(lines[2].starts_with("  ") && lines[2].ends_with("[H0401]"), "{contents}");
    assert_eq!(lines[3], "Up in 71 ms, without screen.");
}
