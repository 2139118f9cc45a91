//! Thousands of clients, refusals and lost sessions leave memory, descriptors, threads and servers as they were.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::super::bed::{Bed, FAR, NEAR};
use super::super::command::must;
use super::super::faults::{Standing, quick};
use super::super::load::{MIB, script};
use super::super::until::{SOON, until};
use super::Footprint;
use super::chance::Chance;

/// So many short connections, a hundred at a time; how they ended.
fn crowd(bed: &Bed, port: u16, count: usize) -> BTreeMap<String, usize> {
    let ends = BTreeMap::new();
    (0..count).step_by(1000).fold(ends, |mut ends, begun| {
        let some = 1000.min(count - begun).to_string();
        let [python, crowd] = script("crowd.py");
        let said = must(bed.on(0, python).arg(crowd).args(["127.0.0.1", &port.to_string(), "100", &some]));
        let counts: BTreeMap<String, usize> = serde_json::from_str(&said).expect("JSON");
        counts.into_iter().for_each(|(end, count)| *ends.entry(end).or_default() += count);
        ends
    })
}

#[test]
fn a_run_is_as_small_after_thousands_of_clients_refusals_and_losses_as_before() {
    let (clients, refusals, kills) = (10_000, 2_000, 100);
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    let topology =
        quick(&bed).top("policy", json!({ "reconnect": { "first": "50ms", "max": "200ms" } })).top(
            "forwards",
            json!({
                "data": { "listen": NEAR, "to": format!("h3/127.0.0.1:{FAR}"), "hold": "60s" },
                "closed": { "listen": NEAR + 1, "to": "h3/127.0.0.1:9", "check": "none" },
            }),
        );
    let standing = Standing::on(&bed, &topology);
    let pid = standing.hopper.pid();
    // What is made once is made by now: buffers, threads, what a first rebuild takes.
    let all = |end: &str, count| BTreeMap::from([(end.to_owned(), count)]);
    assert_eq!(crowd(&bed, NEAR, 400), all("ok", 400));
    bed.kill_sessions(1);
    standing.wait_until_restored(1);
    assert_eq!(crowd(&bed, NEAR, 400), all("ok", 400));
    let nobody = || standing.status()["forwards"][0]["clients"] == 0;
    assert!(until(SOON, nobody), "{}", standing.status());
    let before = Footprint::of(&bed, pid);
    assert_eq!(crowd(&bed, NEAR, clients), all("ok", clients));
    let after_clients = before.insist_again(&bed, pid);
    assert_eq!(crowd(&bed, NEAR + 1, refusals), all("reset", refusals));
    let after_refusals = before.insist_again(&bed, pid);
    let mut chance = Chance::from(7);
    for kill in 0..kills {
        let hop = chance.host(3);
        let logins = bed.logins(3);
        bed.kill_sessions(hop);
        let back = || bed.logins(3) > logins && standing.status()["state"] == "up";
        assert!(until(Duration::from_secs(30), back), "kill {kill} at hop {hop}: {}", standing.run.stderr());
    }
    let after_kills = before.insist_again(&bed, pid);
    eprintln!("before {before:?}\n{clients} clients later {after_clients:?}");
    eprintln!("{refusals} refusals later {after_refusals:?}\n{kills} losses later {after_kills:?}");
    bed.load_whole(0, NEAR, &[("both", MIB, 4)]);
    standing.down();
}
