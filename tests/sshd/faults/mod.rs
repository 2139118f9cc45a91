//! A run stays up: the right hop is blamed, only what broke is rebuilt, and what is final is not tried again.

mod away;
mod elsewhere;
mod failover;
mod gone;
mod leaving;
mod line;
mod machine;
mod moving;
mod refused;
mod server;
mod sharing;
mod silent;
mod target;
mod verifying;
mod weather;

use serde_json::{Value, json};

use super::bed::{Bed, NEAR};
use super::command::must;
use super::hopper::{Hopper, Running};
use super::topology::{Topology, id};
use super::until::until;
use std::time::Duration;

/// Long enough for a few tries one after the other.
pub const PATIENCE: Duration = Duration::from_secs(45);

/// With the keepalive of [`quick`] a dead session is known in 4 s. The rest is for a machine that has much else to do;
/// what waits for the kernel's patience or for a server's own takes longer.
pub const NOTICED: Duration = Duration::from_secs(12);

/// Silence is noticed soon, deadlines are short, and clients wait for as long as a test takes.
pub fn quick(bed: &Bed) -> Topology {
    let forwards = json!({ "data": {
        "listen": NEAR, "to": format!("{}/127.0.0.1:{}", id(bed.last()), super::bed::FAR), "hold": "60s",
    } });
    Topology::line(bed)
        .impatient()
        .hosts("keepalive", json!({ "interval": "1s", "max": 2 }))
        .top("policy", json!({ "reconnect": { "max": "2s" } }))
        .top("forwards", forwards)
}

/// A run in the foreground that was up.
pub struct Standing<'b> {
    pub hopper: Hopper<'b>,
    pub run: Running,
}

impl<'b> Standing<'b> {
    pub fn on(bed: &'b Bed, topology: &Topology) -> Standing<'b> {
        let hopper = Hopper::on(bed);
        let run = hopper.hold(topology, &["--progress", "plain"]);
        Standing { hopper, run }
    }

    /// How often it said that the session to this host was lost.
    pub fn lost(&self, host: usize) -> usize {
        self.said(&format!("T{host} {}: lost, rebuilding it", id(host)))
    }

    pub fn said(&self, words: &str) -> usize {
        self.run.stderr().matches(words).count()
    }

    pub fn wait_for(&self, what: &str, condition: impl FnMut() -> bool) {
        assert!(until(PATIENCE, condition), "{what} never: {}", self.run.stderr());
    }

    /// Waits until it says that this host was lost, and insists that it does so in time and blames no other.
    pub fn wait_until_lost(&self, bed: &Bed, host: usize) {
        assert!(until(NOTICED, || self.lost(host) > 0), "not in time: {}", self.run.stderr());
        for other in (1..=bed.last()).filter(|&other| other != host) {
            assert_eq!(self.lost(other), 0, "blames h{other}: {}", self.run.stderr());
        }
    }

    /// Waits until it said so many times that all works again.
    pub fn wait_until_restored(&self, times: usize) {
        self.wait_for("restored", || self.said("Up again after") >= times);
        assert_eq!(self.status()["state"], "up");
    }

    pub fn status(&self) -> Value {
        self.hopper.status().expect("status answers")
    }

    /// Ends it in order, and insists that nothing is left.
    pub fn down(self) {
        self.hopper.down();
        assert_eq!(self.run.ended().code, 0);
        self.hopper.assert_nothing_left();
    }
}

/// The sockets that listen at this port of host 0, by inode.
pub fn inode(bed: &Bed, port: u16) -> String {
    let list = must(bed.on(0, "ss").args(["-Hltne", &format!("sport = :{port}")]));
    let mut words = list.split_whitespace();
    words.find(|word| word.starts_with("ino:")).unwrap_or_else(|| panic!("no socket in {list}")).to_owned()
}
