//! The topology files of these tests, built from the bed and bent by each test to its needs.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::bed::{Bed, FAR, NEAR};
use super::network;

/// A topology on its way to a file.
pub struct Topology {
    value: Value,
}

/// The name of every run in these tests.
pub const NAME: &str = "bed";

/// The id of a host in the file: not its address, so that a mix-up shows.
pub fn id(host: usize) -> String {
    format!("h{host}")
}

impl Topology {
    /// Local, then every host of the bed, and the data server inside the last one at port [`NEAR`].
    pub fn line(bed: &Bed) -> Topology {
        let ids: Vec<_> = (1..=bed.last()).map(id).collect();
        let hosts: serde_json::Map<_, _> = (1..=bed.last())
            .map(|host| (id(host), json!({ "address": network::name(host), "user": "root" })))
            .collect();
        let to = format!("{}/127.0.0.1:{FAR}", id(bed.last()));
        let value = json!({
            "hopper": 1,
            "name": NAME,
            "hosts": hosts,
            "links": [format!("local -> {}", ids.join(" -> "))],
            "forwards": { "data": { "listen": NEAR, "to": to } },
        });
        Topology { value }
    }

    /// Sets one key of a host.
    pub fn host(mut self, host: usize, key: &str, value: Value) -> Topology {
        self.value["hosts"][id(host)][key] = value;
        self
    }

    /// Sets one key of every host.
    pub fn hosts(mut self, key: &str, value: Value) -> Topology {
        let hosts = self.value["hosts"].as_object_mut().expect("hosts is an object");
        for host in hosts.values_mut() {
            host[key] = value.clone();
        }
        self
    }

    /// Sets a key of the whole file.
    pub fn top(mut self, key: &str, value: Value) -> Topology {
        self.value[key] = value;
        self
    }

    /// One forward more: from this port of local to the data server inside a host.
    pub fn forward(mut self, name: &str, listen: u16, host: usize) -> Topology {
        let to = format!("{}/127.0.0.1:{FAR}", id(host));
        self.value["forwards"][name] = json!({ "listen": listen, "to": to });
        self
    }

    /// Deadlines short enough to wait for in a test.
    pub fn impatient(self) -> Topology {
        let short = json!({ "connect": "2s", "banner": "2s", "login": "5s", "forward": "2s" });
        self.hosts("timeout", short)
    }

    /// Writes the file.
    pub fn write(&self, bed: &Bed) -> PathBuf {
        let file = bed.path(&format!("{NAME}.json"));
        fs::write(&file, serde_json::to_string_pretty(&self.value).expect("JSON")).expect("write topology");
        file
    }
}
