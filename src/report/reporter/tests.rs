//! What each way of showing a run says of it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::engine::ListenAddress;
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
        at: ListenAddress::here(([0, 0, 0, 0], port).into()),
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
