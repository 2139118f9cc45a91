//! Load with a fault at a random hop, again and again: every stream is whole or ends in an error, and in the end all
//! is as before.

use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::super::bed::{Bed, NEAR};
use super::super::command::{must, signal};
use super::super::faults::{PATIENCE, Standing, quick};
use super::super::load::{Job, MIB};
use super::super::until::until;
use super::chance::Chance;
use super::{Footprint, SEED, asked};

const HOSTS: usize = 3;

/// What a soak without a length takes, and how often it hits.
const SHORT: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(3));
/// How often a real one hits.
const EVERY: Duration = Duration::from_secs(10);

/// Servers find by themselves that a client is gone, so that none of theirs stays.
const SERVERS: &str = "ClientAliveInterval 2\nClientAliveCountMax 2";

#[derive(Debug, Clone, Copy)]
enum Kind {
    Kill,
    Goodbye,
    Reset,
    Freeze,
    Hole,
    Restart,
    Loss,
    Nap,
}

const KINDS: [Kind; 8] =
    [Kind::Kill, Kind::Goodbye, Kind::Reset, Kind::Freeze, Kind::Hole, Kind::Restart, Kind::Loss, Kind::Nap];

/// One fault: what, where and for how long.
struct Fault {
    kind: Kind,
    host: usize,
    lasts: Duration,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at host {} for {:?}", self.kind, self.host, self.lasts)
    }
}

impl Fault {
    fn any(chance: &mut Chance) -> Fault {
        let kinds = u64::try_from(KINDS.len()).expect("a few");
        let kind = KINDS[usize::try_from(chance.below(kinds)).expect("a few")];
        Fault { kind, host: chance.host(HOSTS), lasts: Duration::from_millis(500 + chance.below(6_000)) }
    }

    /// Does it, and undoes it after its time.
    fn strike(&self, bed: &Bed, hopper: u32) {
        let host = self.host;
        let wait = || {
            until(self.lasts, || false);
        };
        match self.kind {
            Kind::Kill => bed.kill_sessions(host),
            Kind::Goodbye => bed.signal_sessions(host, "TERM"),
            Kind::Reset => drop(must(bed.on(host - 1, "ss").args(["-K", "dport", "=", ":22"]))),
            Kind::Freeze => {
                let frozen = bed.sessions(host);
                let all = |name: &str| frozen.iter().filter(|pid| signal(name, **pid)).count();
                assert_eq!(all("STOP"), frozen.len(), "nobody is there to freeze");
                wait();
                // One of them may have been given up.
                all("CONT");
            }
            Kind::Hole => {
                bed.shut(host, 22);
                wait();
                bed.heal(host, 22);
            }
            Kind::Restart => {
                bed.stop_sshd(host);
                wait();
                bed.start_sshd(host, SERVERS);
            }
            Kind::Loss => {
                bed.filter(host, "iifname != lo numgen random mod 100 < 5 drop");
                wait();
                bed.unfilter(host);
            }
            Kind::Nap => {
                signal("STOP", hopper);
                wait();
                signal("CONT", hopper);
            }
        }
    }
}

/// Some streams of every kind, of random lengths.
fn streams(chance: &mut Chance) -> Vec<Job> {
    ["get", "put", "both", "half"].map(|does| (does, MIB / 4 + chance.below(24 * MIB), 2)).to_vec()
}

fn seed() -> u64 {
    if let Ok(seed) = std::env::var(SEED) {
        return seed.parse().unwrap_or_else(|e| panic!("{SEED}={seed}: {e}"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::from(now.subsec_nanos()) + now.as_secs()
}

#[test]
fn streams_are_whole_or_end_in_an_error_whatever_happens_and_nothing_is_left_of_it() {
    let (length, every) = asked().map_or(SHORT, |length| (length, EVERY));
    let seed = seed();
    eprintln!("seed {seed}: {SEED}={seed} has the same faults again");
    let mut chance = Chance::from(seed);
    let Some(bed) = Bed::hosts(HOSTS) else { return };
    (1..=HOSTS).for_each(|host| bed.start_sshd(host, SERVERS));
    bed.far_end(HOSTS);
    // A machine that is busy is not at fault, and its streams are not to be cut for that.
    let patient = json!({ "connect": "5s", "banner": "5s", "login": "10s", "forward": "20s" });
    let standing = Standing::on(&bed, &quick(&bed).hosts("timeout", patient));
    let pid = standing.hopper.pid();
    bed.load_whole(0, NEAR, &[("both", 8 * MIB, 8), ("half", 8 * MIB, 4)]);
    bed.kill_sessions(1);
    standing.wait_until_restored(1);
    bed.load_whole(0, NEAR, &[("both", 8 * MIB, 8)]);
    let before = Footprint::of(&bed, pid);
    let begun = Instant::now();
    let (mut faults, mut whole, mut cut, mut slowest) = (0, 0, 0, Duration::ZERO);
    while begun.elapsed() < length {
        let round = Instant::now();
        let fault = Fault::any(&mut chance);
        let load = bed.start_load(0, "127.0.0.1", NEAR, &streams(&mut chance));
        load.wait_until_flowing();
        fault.strike(&bed, pid);
        let healed = Instant::now();
        faults += 1;
        for outcome in load.finish() {
            match outcome.end.as_str() {
                "ok" => whole += 1,
                "reset" => cut += 1,
                other => panic!("seed {seed}, {fault}: {other} after {} bytes", outcome.received),
            }
        }
        let up = || standing.status()["state"] == "up";
        assert!(until(PATIENCE, up), "seed {seed}, {fault}: {}", standing.status());
        slowest = slowest.max(healed.elapsed());
        bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
        until(every.saturating_sub(round.elapsed()), || false);
    }
    let after = before.insist_again(&bed, pid);
    eprintln!("{faults} faults in {:?}: {whole} streams whole, {cut} cut with an error,", begun.elapsed());
    eprintln!(
        "the last of a round's streams ended and all was up {slowest:?} after its fault at the latest;"
    );
    eprintln!("before {before:?}\nafter {after:?}");
    assert!(whole > 0, "no stream ever ended: the test proves nothing");
    standing.down();
}
