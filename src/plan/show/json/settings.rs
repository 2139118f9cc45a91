//! How a session is opened and kept, and what proves a forward, as `hopper.plan/1` says it. Holds names and
//! numbers only: no secret is ever in a plan.

use std::time::Duration;

use serde_json::{Value, json};

use crate::topology::{AgentUse, AlgorithmKind, Algorithms, Authority, Check, Host, SecretRef};

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
    if !host.secrets.is_empty() {
        settings["secret"] = host.secrets.iter().map(secret).collect();
    }
    settings
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
        Check::None => json!("none"),
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
