//! `hopper.event/1`: one object a line for each event, all of them. Field names and ids are stable;
//! fields are added, never changed.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::failure;
use super::names::Names;
use crate::engine::{Doubt, Event, Waiter};
use crate::plan::TunnelId;
use crate::topology::HostId;

/// The event as one line, without its end.
pub(super) fn line(event: &Event, names: &Names, now: Timestamp) -> String {
    let (word, fields) = body(event, names);
    let mut object = json!({ "schema": "hopper.event/1", "ts": now.to_string(), "event": word });
    if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
        object.extend(fields);
    }
    object.to_string()
}

fn body(event: &Event, names: &Names) -> (&'static str, Value) {
    let ms = |time: &std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    match event {
        Event::Stage { tunnel: id, stage } => {
            let mut fields = tunnel(id, names);
            fields["stage"] = stage.as_str().into();
            ("stage", fields)
        }
        Event::Waiting { who, listener, keeper } => {
            let mut fields = waiter(who, names);
            fields["listener"] = listener.as_str().into();
            fields["keeper"] = keeper.as_str().into();
            ("waiting", fields)
        }
        Event::Taken { forward, at, within } => {
            ("taken", json!({ "forward": forward.0, "listen": at.to_string(), "within_ms": ms(within) }))
        }
        Event::KeyRecorded { tunnel: id, key } => {
            let mut fields = tunnel(id, names);
            fields["key"] = key.as_str().into();
            ("key-recorded", fields)
        }
        Event::TunnelUp { tunnel: id, elapsed, detail } => {
            let mut fields = tunnel(id, names);
            fields["ms"] = ms(elapsed).into();
            fields["detail"] = detail.as_str().into();
            ("tunnel-up", fields)
        }
        Event::CarrierListening { tunnel: id, local } => {
            let mut fields = tunnel(id, names);
            fields["listen"] = local.to_string().into();
            ("carrier-listening", fields)
        }
        Event::TunnelClosed { tunnel: id } => ("tunnel-closed", tunnel(id, names)),
        Event::ForwardListening { forward, at } => {
            ("forward-listening", json!({ "forward": forward.0, "listen": at.to_string() }))
        }
        Event::ForwardChecking { forward } => ("forward-checking", json!({ "forward": forward.0 })),
        Event::ForwardUp { forward, at, answer, elapsed } => {
            let to = names.forward(forward).map(|name| name.to.as_str());
            let fields = json!({
                "forward": forward.0, "listen": at.to_string(), "to": to, "answer": answer,
                "ms": ms(elapsed),
            });
            ("forward-up", fields)
        }
        Event::TunnelLost { tunnel: id, failure, above } => {
            let mut fields = tunnel(id, names);
            fields["above"] = (*above).into();
            fields["error"] = failure::json(failure);
            ("tunnel-lost", fields)
        }
        Event::TunnelRests { tunnel: id, unused } => {
            let mut fields = tunnel(id, names);
            fields["unused_ms"] = ms(unused).into();
            ("tunnel-rests", fields)
        }
        Event::TunnelFailed { tunnel: id, failure } => {
            let mut fields = tunnel(id, names);
            fields["error"] = failure::json(failure);
            ("tunnel-failed", fields)
        }
        Event::ForwardHeld { forward, streams } => {
            ("forward-held", json!({ "forward": forward.0, "streams": streams }))
        }
        Event::Retry { who, failure, wait } => {
            let mut fields = waiter(who, names);
            fields["wait_ms"] = ms(wait).into();
            fields["error"] = failure::json(failure);
            ("retry", fields)
        }
        Event::FailedOver { forward, by, instead_of, failure } => {
            let fields = json!({
                "forward": forward.0, "by": ids(by), "instead_of": ids(instead_of),
                "error": failure::json(failure),
            });
            ("failed-over", fields)
        }
        Event::WentBack { forward, route } => {
            ("went-back", json!({ "forward": forward.0, "route": ids(route) }))
        }
        Event::Restored { elapsed } => ("restored", json!({ "ms": ms(elapsed) })),
        Event::Verifying { doubt } => {
            let (why, asleep) = match doubt {
                Doubt::Slept(asleep) => ("slept", Some(ms(asleep))),
                Doubt::NetworkChanged => ("network", None),
                Doubt::Asked => ("asked", None),
            };
            ("verifying", json!({ "why": why, "asleep_ms": asleep }))
        }
        Event::Verified { elapsed } => ("verified", json!({ "ms": ms(elapsed) })),
        Event::ForwardFailed { forward, failure } => {
            ("forward-failed", json!({ "forward": forward.0, "error": failure::json(failure) }))
        }
        Event::ForwardClosed { forward } => ("forward-closed", json!({ "forward": forward.0 })),
        Event::Up { elapsed } => ("up", json!({ "ms": ms(elapsed) })),
        Event::Expired { elapsed } => ("expired", json!({ "ms": ms(elapsed) })),
        Event::Replanned { plan } => {
            ("replanned", json!({ "tunnels": plan.tunnels.len(), "forwards": plan.forwards.len() }))
        }
        Event::Reloaded { elapsed } => ("reloaded", json!({ "ms": ms(elapsed) })),
        Event::NotReloaded { failure } => ("not-reloaded", json!({ "error": failure::json(failure) })),
        Event::Closing => ("closing", json!({})),
        Event::Failed(failure) => ("failed", json!({ "error": failure::json(failure) })),
        Event::Down => ("down", json!({})),
    }
}

fn ids(hosts: &[HostId]) -> Vec<&str> {
    hosts.iter().map(HostId::as_str).collect()
}

fn waiter(who: &Waiter, names: &Names) -> Value {
    match who {
        Waiter::Tunnel(id) => tunnel(id, names),
        Waiter::Forward(forward) => json!({ "forward": forward.0 }),
    }
}

fn tunnel(id: &TunnelId, names: &Names) -> Value {
    let name = names.tunnel(id);
    json!({ "tunnel": id.0, "host": name.map(|name| &name.host), "hop": name.map(|name| name.hop) })
}
