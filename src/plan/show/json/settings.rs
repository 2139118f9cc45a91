//! How a session is opened and kept, what proves a forward, and what holds for the whole run, as `hopper.plan/1` says it. Holds names and
//! numbers only: no secret is ever in a plan.

use std::time::Duration;

use serde_json::{Value, json};

use crate::plan::Plan;
use crate::topology::{AgentUse, AlgorithmKind, Algorithms, Authority, Check, Host, OnDown, SecretRef};

/// The settings of the session on this host.
pub(super) fn settings(host: &Host) -> Value {
    let auth = host.auth.iter().map(|method| method.as_str());
    let (key, alive, time) = (&host.host_key, host.keepalive, host.timeout);
    let mut settings = json!({
        "auth": auth.collect::<Vec<_>>(),
        "identities": host.identities,
        "identities_only": host.offers_named_keys_only(),
        "host_key": {
            "policy": key.checking.as_str(),
            "fingerprints": key.fingerprints,
            "ca": key.authorities.iter().map(Authority::as_str).collect::<Vec<_>>(),
            "alias": key.alias,
            "file": key.file,
        },
        "known_hosts": host.known_hosts,
        "keepalive": { "interval_ms": millis(alive.interval), "max": alive.max },
        "timeout": {
            "connect_ms": millis(time.connect),
            "banner_ms": millis(time.banner),
            "login_ms": millis(time.login),
            "forward_ms": millis(time.forward),
        },
        "algorithms": algorithms(&host.algorithms),
    });
    if !host.certificates.is_empty() {
        settings["certificates"] = json!(host.certificates);
    }
    match &host.agent {
        AgentUse::Own => {}
        AgentUse::Off => settings["agent"] = json!(false),
        AgentUse::Socket(path) => settings["agent"] = json!(path),
    }
    if host.forward_agent {
        settings["forward_agent"] = json!(true);
    }
    if !host.secrets.is_empty() {
        settings["secret"] = host.secrets.iter().map(secret).collect();
    }
    settings
}

/// What holds for the whole run; fail-over has a place of its own.
pub(super) fn policy(plan: &Plan) -> Value {
    let (again, probe) = (&plan.reconnect, &plan.probe);
    json!({
        "parallel": plan.parallel,
        "drain_ms": millis(plan.drain),
        "lifetime_ms": plan.lifetime.map(millis),
        "reconnect": {
            "first_ms": millis(again.first),
            "max_ms": millis(again.max),
            "factor": again.factor.as_f64(),
            "jitter": again.jitter.as_f64(),
            "give_up_ms": again.give_up.map(millis),
            "max_starts": again.max_starts,
            "gate_ms": again.gate.map(millis),
        },
        "probe": {
            "every_ms": probe.every.map(millis),
            "first_ms": probe.first.map(millis),
            "timeout_ms": probe.timeout.map(millis),
        },
    })
}

/// How long clients wait while what carries their forward is rebuilt; `null` where they are refused.
pub(super) fn hold(on_down: OnDown) -> Option<u64> {
    match on_down {
        OnDown::Hold(patience) => Some(millis(patience)),
        OnDown::Refuse => None,
    }
}

/// What a secret is for and what kind of place keeps it, and not which.
fn secret(secret: &SecretRef) -> Value {
    json!({ "for": secret.purpose.as_str(), "source": secret.source.as_str() })
}

/// The lists that the file names, and whether the old set is taken.
fn algorithms(algorithms: &Algorithms) -> Value {
    let named = |kind: AlgorithmKind| algorithms.named.get(&kind);
    let mut value: serde_json::Map<String, Value> =
        AlgorithmKind::ALL.into_iter().map(|kind| (kind.as_str().to_owned(), json!(named(kind)))).collect();
    value.insert("legacy".to_owned(), json!(algorithms.legacy));
    Value::Object(value)
}

/// What proves a forward, as the file writes it.
pub(super) fn check(check: &Check) -> Value {
    match check {
        Check::Tcp => json!("tcp"),
        Check::Banner(text) => json!({ "banner": text }),
        Check::Http(path) => json!({ "http": path }),
        Check::Echo => json!("echo"),
        Check::Loop => json!("loop"),
        Check::None => json!("none"),
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
