//! What each way of showing a run says of it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::engine::{ListenAddress, Waiter};
use crate::plan::TunnelId;
use crate::report::sample::{login_failure, run, three};
use crate::topology::{ForwardId, HostId};

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
fn what_happens_to_a_run_that_lives_has_a_line_each() {
    let (tunnel, forward) = (TunnelId("T2".to_owned()), ForwardId("screen".to_owned()));
    let at = ListenAddress { on: Some(HostId::new("gate-b")), address: ([127, 0, 0, 1], 8080).into() };
    let events = [
        Event::Taken { forward: forward.clone(), at, within: Duration::from_secs(21) },
        Event::TunnelLost { tunnel: tunnel.clone(), failure: login_failure(), above: 1 },
        Event::ForwardHeld { forward: forward.clone(), streams: 2 },
        Event::Retry {
            who: Waiter::Tunnel(tunnel.clone()),
            failure: login_failure(),
            wait: Duration::from_secs(4),
        },
        Event::Restored { elapsed: Duration::from_millis(5210) },
        Event::TunnelRests { tunnel, unused: Duration::from_secs(300) },
        Event::ForwardHeld { forward, streams: 0 },
    ];
    insta::assert_snapshot!(told(Mode::Plain, &events));
    let json = told(Mode::Json, &events);
    let fields = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        ["schema", "ts", "error"]
            .iter()
            .for_each(|gone| drop(line.as_object_mut().unwrap().shift_remove(*gone)));
        line.to_string()
    };
    insta::assert_snapshot!(json.lines().map(fields).collect::<Vec<_>>().join("\n"));
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
