//! How the route of a running forward reads, whole and broken.

use super::*;
use crate::plan::{self, PlanOptions, show};
use crate::report::sample::{NICE, status, three};
use crate::topology;

fn said() -> Said {
    Said::read(&show::json(&three())).unwrap()
}

#[test]
fn each_hop_has_a_line_with_its_own_share_of_the_round_trip() {
    let ((mut status, now), said) = (status(), said());
    status.tunnels[1].cause = None;
    let route = Route::new(&status, &said, "screen").unwrap();
    let wanted = "\
through-firewalls · screen to vnc:5900   up

  1  local → gate-a     T1  up  rtt 18 ms
  2  gate-a → gate-b    T2  up  rtt 31 ms (+13)  1 reconnect
  3  gate-b → gate-c    T3  up  rtt 44 ms (+13)
  4  gate-c → vnc:5900  up, answered 2 h 14 min ago

  127.0.0.1:5900   2 clients, 9 connections   ↑ 12.4 MB ↓ 388.0 MB
";
    assert_eq!(route.text(NICE, now), wanted);
    let json = route.json();
    assert_eq!((&json["hops"][1]["own_rtt_ms"], &json["broken"]), (&13.0.into(), &Value::Null), "{json}");
    assert!(Route::new(&status, &said, "nothing").is_none());
}

#[test]
fn what_broke_nearest_to_local_is_told_once_and_escaped() {
    let ((mut status, now), said) = (status(), said());
    status.forwards[0].cause = Some("no answer".to_owned());
    let text = Route::new(&status, &said, "screen").unwrap().text(Style::PLAIN, now);
    assert!(text.ends_with("  broken at hop 2, gate-b: peer \\u{1b}reset\n"), "{text}");
    assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 80), "{text}");
    status.tunnels[1].cause = None;
    let text = Route::new(&status, &said, "screen").unwrap().text(Style::PLAIN, now);
    assert!(text.ends_with("  broken at hop 4, vnc:5900: no answer\n"), "{text}");
}

/// T1 from gate-a to gate-b, and T2 from local, which gate-a lets in, to gate-c.
#[test]
fn a_hop_before_the_client_of_the_session_below_belongs_to_the_one_that_is_let_in() {
    let ((mut status, now), mut said) = (status(), said());
    said.tunnels.remove(0);
    status.tunnels.remove(0);
    status.tunnels[0].cause = None;
    said.tunnels[0].client = "gate-a".to_owned();
    said.tunnels[0].through = None;
    said.tunnels[1].listen = Some("gate-a:2201".to_owned());
    said.tunnels[1].entry = Some("gate-a.example.net:2201".to_owned());
    let route = Route::new(&status, &said, "screen").unwrap();
    let text = route.text(NICE, now);
    for line in [
        "  1  local → gate-a     T3  up\n",
        "  2  gate-a → gate-b    T2  up  rtt 31 ms",
        "T3  up  rtt 44 ms (+13)\n",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    assert_eq!(route.json()["hops"][0]["dials"], "gate-a.example.net:2201");
}

#[test]
fn a_plan_that_goes_in_circles_ends() {
    let ((status, now), mut said) = (status(), said());
    said.tunnels[0].through = Some("T3".to_owned());
    let text = Route::new(&status, &said, "screen").unwrap().text(NICE, now);
    assert!(text.contains("  4  "), "{text}");
}

#[test]
fn a_host_that_does_not_listen_is_blamed_and_not_the_target() {
    let text = r#"{ "hopper": 1, "hosts": { "gate": "u@gate", "inner": "u@inner", "far": "u@far", "web": { "ssh": false } },
                    "links": ["local -> gate -> inner", "local -> far -> web"],
                    "forwards": { "f": "inner/8080 -> web:80" } }"#;
    let plan = plan::plan(&topology::parse(text, "m").unwrap(), &PlanOptions::default()).unwrap();
    let said = Said::read(&show::json(&plan)).unwrap();
    let ((mut status, now), before) = (status(), "  broken at hop ");
    status.tunnels.clear();
    status.forwards[0].id = "f".to_owned();
    status.forwards[0].cause = Some("no".to_owned());
    for (code, blamed) in [("H0707", "2, inner: no\n"), ("H0703", "2, web:80: no\n")] {
        status.forwards[0].code = Some(code.to_owned());
        let text = Route::new(&status, &said, "f").unwrap().text(NICE, now);
        assert!(text.ends_with(&format!("{before}{blamed}")), "{code}: {text}");
    }
}
