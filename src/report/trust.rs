//! The keys that hosts showed: a line each for a person, pins for the file, and `hopper.trust/1`.

use serde_json::{Value, json};

use super::failure;
use crate::engine::{Seen, Walked};
use crate::ssh::Grounds;
use crate::topology::escape;

/// `gate-b  ssh-ed25519 SHA256:…  recorded now`
pub fn line(seen: &Seen) -> String {
    let state = match seen.grounds {
        Grounds::Pinned => "pinned in the file",
        Grounds::Recorded => "known",
        Grounds::Certified => "certified",
        Grounds::Accepted => "recorded now",
        Grounds::Replaced => "recorded now, in place of another key",
    };
    format!("{}  {}  {state}\n", escape(seen.host.as_str()), seen.key)
}

/// `"gate-b": { "host_key": { "fingerprint": "SHA256:…" } },`
pub fn pin(seen: &Seen) -> String {
    let pin = json!({ "host_key": { "fingerprint": seen.key.sha256 } });
    format!("{}: {pin},\n", Value::from(escape(seen.host.as_str())))
}

/// `hopper.trust/1`.
pub fn json(topology: &str, walked: &Walked) -> Value {
    let hosts = walked.seen.iter().map(|seen| {
        json!({
            "host": seen.host.as_str(),
            "algorithm": seen.key.algorithm,
            "fingerprint": seen.key.sha256,
            "trusted": match seen.grounds {
                Grounds::Pinned => "pinned",
                Grounds::Recorded => "recorded",
                Grounds::Certified => "certified",
                Grounds::Accepted => "accepted",
                Grounds::Replaced => "replaced",
            },
        })
    });
    json!({
        "schema": "hopper.trust/1",
        "topology": topology,
        "hosts": hosts.collect::<Vec<_>>(),
        "missed": walked.missed.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        "errors": walked.failures.iter().map(failure::json).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::Fingerprint;
    use crate::topology::HostId;

    fn seen() -> Seen {
        let key = Fingerprint { algorithm: "ssh-ed25519".into(), sha256: "SHA256:abc".into() };
        Seen { host: HostId::new("gate-b"), key, grounds: Grounds::Accepted }
    }

    #[test]
    fn a_key_is_shown_as_ssh_keygen_does_and_as_the_file_pins_it() {
        assert_eq!(line(&seen()), "gate-b  ssh-ed25519 SHA256:abc  recorded now\n");
        let pinned = "\"gate-b\": {\"host_key\":{\"fingerprint\":\"SHA256:abc\"}},\n";
        assert_eq!(pin(&seen()), pinned);
    }

    #[test]
    fn machines_read_hopper_trust_1() {
        let walked = Walked { seen: vec![seen()], missed: vec![HostId::new("gate-c")], ..Walked::default() };
        let json = json("vnc", &walked);
        assert_eq!(json["schema"], "hopper.trust/1");
        assert_eq!(json["hosts"][0]["trusted"], "accepted");
        assert_eq!(
            (json["missed"][0].as_str(), json["errors"].as_array().unwrap().len()),
            (Some("gate-c"), 0)
        );
    }
}
