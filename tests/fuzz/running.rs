//! Fuzz target: what a run says of itself on its control socket, plan and status, is read, compared and shown
//! without harm, whoever answers there.

#![no_main]

use std::sync::LazyLock;
use std::time::SystemTime;

use hopper::engine::Status;
use hopper::plan::show::{self, difference};
use hopper::plan::{Plan, PlanOptions, Said, diff, plan};
use hopper::report::explain::Route;
use hopper::report::{Style, status};
use hopper::topology::{is_unsafe, parse};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static WANTED: LazyLock<Plan> = LazyLock::new(|| {
    let text = include_str!("../../topologies/vnc-through-three-firewalls.json");
    plan(&parse(text, "wanted").expect("an example"), &PlanOptions::default()).expect("a plan")
});

fn harmless(text: &str) {
    let bad = text.chars().find(|c| is_unsafe(*c) && *c != '\n');
    assert!(bad.is_none(), "shows {bad:?}: {text:?}");
}

// A plan and a status, with a zero byte between them.
fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let plan: Option<Value> = parts.next().and_then(|part| serde_json::from_slice(part).ok());
    let status: Option<Status> = parts.next().and_then(|part| serde_json::from_slice(part).ok());
    if let Some(Ok(found)) = plan.as_ref().map(|plan| diff(Some(plan), &WANTED)) {
        harmless(&difference(&found, show::Style::default()));
    }
    let Some(status) = status else { return };
    let now = SystemTime::UNIX_EPOCH;
    harmless(&status::text(&status, Style::PLAIN, now));
    let Some(Ok(said)) = plan.as_ref().map(Said::read) else { return };
    for forward in &said.forwards {
        if let Some(route) = Route::new(&status, &said, &forward.id) {
            harmless(&route.text(Style::PLAIN, now));
        }
    }
});
