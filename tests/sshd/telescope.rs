//! Tunnels whose clients run on hosts in between, and that nothing of them is ever left there.

use std::time::Duration;

use serde_json::json;

use super::bed::{Bed, FAR, NEAR};
use super::command::{must, signal};
use super::hopper::Hopper;
use super::load::MIB;
use super::topology::{Topology, id};
use super::until::{SOON, until};

/// Hosts in a line that may run clients, with a data server on the last; listeners of clients are let in.
pub(crate) fn line(hosts: usize) -> Option<Bed> {
    let bed = Bed::hosts(hosts)?;
    for host in 1..=hosts {
        // Whoever runs the tests has start-up files of their own.
        bed.start_sshd(host, &format!("SetEnv HOME={}", bed.path("home").display()));
        for port in 2201..2210 {
            bed.open(host, port);
        }
    }
    bed.open(hosts, FAR);
    bed.serve(hosts, "0.0.0.0", FAR, false);
    Some(bed)
}

/// Every host in between may run a client, the last one is dialled from outside.
pub(crate) fn topology(bed: &Bed, hops: usize, plain: bool) -> Topology {
    let ids: Vec<_> = (1..=hops).map(id).collect();
    let mut forward = json!({ "listen": NEAR, "to": format!("{}:{FAR}", id(hops)) });
    if plain {
        forward["plain"] = "ends".into();
    }
    Topology::line(bed)
        .top("policy", json!({ "strategy": "telescoped" }))
        .top("links", json!([format!("local -> {}", ids.join(" -> "))]))
        .top("forwards", json!({ "data": forward }))
        .hosts("client", json!("exec"))
        .hosts("bind", json!("any"))
        // What the clients in between log in with, and trust.
        .hosts("identities", json!([bed.key().path()]))
        .hosts("host_key", json!({ "file": bed.known_hosts() }))
}

/// The SSH clients that run on the hosts, as many as there are.
pub(crate) fn clients(bed: &Bed) -> Vec<(usize, u32)> {
    let is_client = |pid: &u32| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        ["ssh", "dbclient"].contains(&name.trim())
    };
    let on = |host: usize| bed.pids(host).into_iter().filter(is_client).map(move |pid| (host, pid));
    (1..=bed.last()).flat_map(on).collect()
}

pub(crate) fn assert_no_client_within(bed: &Bed, limit: Duration) {
    let gone = until(limit, || clients(bed).is_empty());
    assert!(gone, "clients are left: {:?}", clients(bed));
    for host in 1..=bed.last() {
        let listens = |address: &String| address.ends_with(":2201") || address.ends_with(":2202");
        assert!(!bed.listeners(host).iter().any(listens), "host {host}: {:?}", bed.listeners(host));
    }
}

/// A run of four hops: one client, on host 1.
fn standing() -> Option<Bed> {
    line(4)
}

#[test]
fn whatever_ends_hopper_ends_the_clients_elsewhere() {
    for how in ["KILL", "TERM", "INT"] {
        let Some(bed) = standing() else { return };
        let hopper = Hopper::on(&bed);
        hopper.up(&topology(&bed, 4, false), &[]);
        assert_eq!(clients(&bed).len(), 1, "{:?}", clients(&bed));
        signal(how, hopper.pid());
        assert_no_client_within(&bed, SOON);
    }
}

#[test]
fn a_lost_session_ends_the_client_that_was_started_over_it_and_both_come_back() {
    for how in ["KILL", "HUP", "TERM"] {
        let Some(bed) = standing() else { return };
        let hopper = Hopper::on(&bed);
        let run = hopper.hold(&topology(&bed, 4, false), &[]);
        let first = clients(&bed);
        bed.stop_sshd_by(1, how);
        assert_no_client_within(&bed, SOON);
        let told = until(SOON, || run.stderr().contains("the session to h1 was lost"));
        assert!(told, "{how}: {}", run.stderr());
        bed.start_sshd(1, &format!("SetEnv HOME={}", bed.path("home").display()));
        assert!(until(SOON, || run.stderr().contains("Up again")), "{how}: {}", run.stderr());
        assert!(clients(&bed).len() == 1 && clients(&bed) != first, "{how}: {:?}", clients(&bed));
        bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
        hopper.down();
        hopper.assert_nothing_left();
        assert_no_client_within(&bed, SOON);
    }
}

#[test]
fn a_client_that_dies_is_named_with_its_host_and_started_again() {
    let Some(bed) = standing() else { return };
    let hopper = Hopper::on(&bed);
    let run = hopper.hold(&topology(&bed, 4, false), &[]);
    for (_, pid) in clients(&bed) {
        signal("KILL", pid);
    }
    let restored = until(SOON, || run.stderr().contains("Up again"));
    let said = run.stderr();
    assert!(restored && said.contains("the ssh of h1 to h2 ended"), "{said}");
    assert_eq!(bed.logins(1), 1, "the session that it is started over stays");
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
    assert_no_client_within(&bed, SOON);
}

/// Nobody is told that the line is dead: the client ends because nobody speaks to it any more.
#[test]
fn a_line_that_goes_silent_ends_the_client_after_a_while() {
    let Some(bed) = standing() else { return };
    let hopper = Hopper::on(&bed);
    hopper.up(&topology(&bed, 4, false), &[]);
    assert_eq!(clients(&bed).len(), 1);
    bed.shut(1, 22);
    must(bed.on(0, "nft").args(["add", "rule", "inet", "bed", "in", "drop"]));
    assert_no_client_within(&bed, Duration::from_secs(60));
    hopper.down();
}

#[test]
fn the_next_hosts_key_is_checked_where_the_client_runs() {
    let Some(bed) = standing() else { return };
    let known = std::fs::read_to_string(bed.known_hosts()).expect("known_hosts");
    let other = bed.path("other_known_hosts");
    let without: Vec<_> = known.lines().filter(|line| !line.starts_with("hop2.test ")).collect();
    std::fs::write(&other, without.join("\n") + "\n").expect("write known_hosts");
    let hopper = Hopper::on(&bed);
    let topology = topology(&bed, 4, false).host(2, "host_key", json!({ "file": other }));
    let ended = hopper.try_up(&topology, &[]);
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    for words in ["H0508", "the ssh of h1 does not get to h2", "Host key verification failed"] {
        assert!(ended.stderr.contains(words), "no {words:?} in\n{}", ended.stderr);
    }
    assert_eq!(bed.logins(2), 0, "nobody logged in to a stranger");
    hopper.assert_nothing_left();
    assert_no_client_within(&bed, SOON);
}

#[test]
fn a_pinned_key_is_held_to_where_the_client_runs() {
    let Some(bed) = standing() else { return };
    let hopper = Hopper::on(&bed);
    let pinned = |pin: String| topology(&bed, 4, false).host(2, "host_key", json!({ "fingerprint": pin }));
    let ended = hopper.try_up(&pinned(bed.host_key(3).fingerprint()), &[]);
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    assert_eq!(bed.logins(2), 0, "nobody logged in to a stranger");
    hopper.up(&pinned(bed.host_key(2).fingerprint()), &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
    assert_no_client_within(&bed, SOON);
}

#[test]
fn a_key_that_the_next_host_refuses_is_told_as_such() {
    let Some(bed) = standing() else { return };
    bed.authorize(2, "");
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&topology(&bed, 4, false), &[]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    for words in ["H0403", "Permission denied", "see on h1 itself: ssh -p 22 root@hop2.test"] {
        assert!(ended.stderr.contains(words), "no {words:?} in\n{}", ended.stderr);
    }
    hopper.assert_nothing_left();
    assert_no_client_within(&bed, SOON);
}

#[test]
fn a_port_that_is_taken_there_is_told_as_such() {
    let Some(bed) = standing() else { return };
    // One family only: the client would be content with the other.
    bed.serve(1, "0.0.0.0", 2201, false);
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&topology(&bed, 4, false), &[]);
    assert_eq!(ended.code, 7, "{}", ended.stderr);
    assert!(ended.stderr.contains("Address already in use"), "{}", ended.stderr);
    hopper.assert_nothing_left();
    let gone = until(SOON, || clients(&bed).is_empty());
    assert!(gone, "{:?}", clients(&bed));
}

/// Nobody runs anything for anybody: each host has its own hopper, and each waits for its neighbour.
#[test]
fn hoppers_on_several_hosts_build_their_parts_in_any_order() {
    let Some(bed) = line(5) else { return };
    let topology = topology(&bed, 5, true).hosts("client", json!("hopper"));
    let file = topology.write(&bed);
    let file = file.to_str().expect("a plain path");
    // The outermost first: what it needs is not there yet.
    let (local, first, second) = (Hopper::on(&bed), Hopper::at(&bed, 1), Hopper::at(&bed, 2));
    let outer = local.start(&["up", file]);
    let waits = || outer.stderr().contains("waits for hop1.test:2201 from here, kept by hopper at h1");
    assert!(until(SOON, waits), "{}", outer.stderr());
    let middle = first.start(&["up", file, "--at", "h1"]);
    let inner = second.start(&["up", file, "--at", "h2"]);
    let all_up = until(SOON, || {
        [&local, &first, &second].iter().all(|it| it.status().is_some_and(|status| status["state"] == "up"))
    });
    assert!(all_up, "{}\n{}\n{}", outer.stderr(), middle.stderr(), inner.stderr());
    bed.load_whole(0, NEAR, &[("both", MIB, 4)]);
    for (hopper, run) in [(&local, outer), (&first, middle), (&second, inner)] {
        hopper.down();
        assert_eq!(run.ended().code, 0);
    }
    local.assert_nothing_left();
    assert_no_client_within(&bed, SOON);
}

#[test]
fn a_host_that_has_no_part_says_who_has() {
    let Some(bed) = line(5) else { return };
    let topology = topology(&bed, 5, true).hosts("client", json!("hopper"));
    let ended = Hopper::on(&bed).try_up(&topology, &["--at", "h4"]);
    assert_eq!(ended.code, 10, "{}", ended.stderr);
    assert!(ended.stderr.contains("H0205") && ended.stderr.contains("local, h1, h2"), "{}", ended.stderr);
}

/// Hosts of small systems have Dropbear's client and no other.
#[test]
fn a_host_without_openssh_runs_dbclient() {
    let Some(bed) = standing() else { return };
    let tools = bed.path("tools");
    std::fs::create_dir(&tools).expect("make a folder");
    for tool in ["sh", "dbclient", "sleep", "grep", "tr"] {
        let found = must(bed.on(0, "sh").args(["-c", &format!("command -v {tool}")]));
        std::os::unix::fs::symlink(found.trim(), tools.join(tool)).expect("link a tool");
    }
    let key = bed.path("home/.ssh/id_dropbear");
    must(bed.on(0, "dropbearconvert").args(["openssh", "dropbear"]).arg(bed.key().path()).arg(&key));
    let (home, path) = (bed.path("home"), tools.display().to_string());
    bed.restart_sshd(1, &format!("SetEnv HOME={} PATH={path}", home.display()));
    let hopper = Hopper::on(&bed);
    let topology =
        topology(&bed, 4, false).host(2, "identities", json!([key])).host(2, "host_key", json!({}));
    hopper.up(&topology, &[]);
    let names: Vec<_> = clients(&bed)
        .into_iter()
        .filter_map(|(_, pid)| std::fs::read_to_string(format!("/proc/{pid}/comm")).ok())
        .collect();
    assert_eq!(names, ["dbclient\n"]);
    bed.load_whole(0, NEAR, &[("both", MIB, 4)]);
    signal("KILL", hopper.pid());
    assert_no_client_within(&bed, SOON);
}
