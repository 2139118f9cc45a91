//! How a session is opened and kept, and what proves a forward, as `hopper.plan/1` says it. Holds names and
//! numbers only: no secret is ever in a plan.

use std::time::Duration;

use serde_json::{Value, json};

use crate::topology::{AgentUse, Check, Host, SecretRef};

/// The settings of the session on this host.
pub(super) fn settings(host: &Host) -> Value {
    let auth = host.auth.iter().map(|method| method.as_str());
    let (key, alive, time) = (&host.host_key, host.keepalive, host.timeout);
    let mut settings = json!({
        "auth": auth.collect::<Vec<_>>(),
        "identities": host.identities,
        "identities_only": host.offers_named_keys_only(),
        "host_key": { "fingerprints": key.fingerprints, "alias": key.alias, "file": key.file },
        "keepalive": { "interval_ms": millis(alive.interval), "max": alive.max },
        "timeout": {
            "connect_ms": millis(time.connect),
            "banner_ms": millis(time.banner),
            "login_ms": millis(time.login),
            "forward_ms": millis(time.forward),
        },
    });
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

/// What proves a forward, as the file writes it.
pub(super) fn check(check: &Check) -> Value {
    match check {
        Check::Tcp => json!("tcp"),
        Check::Banner(text) => json!({ "banner": text }),
        Check::Http(path) => json!({ "http": path }),
        Check::None => json!("none"),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
