//! Targets that refuse, vanish or are unknown: told once, no session touched, and no neighbour waits for them.

use std::time::Duration;

use serde_json::json;

use super::super::bed::{Bed, FAR, NEAR};
use super::super::command::{feed, must, signal};
use super::super::hopper::Hopper;
use super::super::load::MIB;
use super::super::topology::Topology;
use super::super::until::{SOON, until};
use super::{Standing, quick};

/// Two forwards over one session: to a target that is hit, and to its neighbour.
fn neighbours(bed: &Bed, to: &str) -> Topology {
    quick(bed).top(
        "forwards",
        json!({
            "data": { "listen": NEAR, "to": format!("h2/127.0.0.1:{FAR}") },
            "other": { "listen": NEAR + 1, "to": to },
        }),
    )
}

#[test]
fn a_target_that_went_away_costs_its_own_clients_and_nobody_else() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let other = bed.serve(2, "127.0.0.1", FAR + 1, false);
    let standing = Standing::on(&bed, &neighbours(&bed, &format!("h2/127.0.0.1:{}", FAR + 1)));
    let load = bed.start_load(0, "127.0.0.1", NEAR, &[("both", 32 * MIB, 2)]);
    assert!(signal("KILL", other));
    let refused =
        || bed.load(0, "127.0.0.1", NEAR + 1, &[("get", MIB, 3)]).iter().all(|it| it.end == "reset");
    assert!(until(SOON, refused), "clients of a target that is gone");
    assert!(load.finish().iter().all(|outcome| outcome.end == "ok"), "a neighbour's streams were cut");
    assert_eq!([1, 2].map(|host| bed.logins(host)), [1, 1], "{}", standing.run.stderr());
    bed.serve(2, "127.0.0.1", FAR + 1, false);
    bed.load_whole(0, NEAR + 1, &[("both", MIB, 2)]);
    standing.down();
}

/// What answers too late finds nobody: neither the server nor the target may keep a connection for it.
#[test]
fn a_target_that_swallows_everything_keeps_nobody_waiting_and_nothing_open() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(2);
    bed.serve(3, "0.0.0.0", FAR, false);
    bed.open(3, FAR);
    let standing = Standing::on(&bed, &neighbours(&bed, &format!("h3:{FAR}")));
    bed.shut(3, FAR);
    let lost = bed.start_load(0, "127.0.0.1", NEAR + 1, &[("get", MIB, 8)]);
    let tried = || must(bed.on(2, "ss").args(["-Htn", "state", "syn-sent"])).lines().count() == 8;
    assert!(until(SOON, tried), "nobody is being dialled");
    // Its neighbour is served while they wait.
    bed.load_whole(0, NEAR, &[("both", MIB, 8)]);
    assert!(lost.finish().iter().all(|outcome| outcome.end == "reset"), "clients of a target that is gone");
    bed.heal(3, FAR);
    // The kernel of host 2 still tries, and is let in after all.
    let settled = || {
        let list = must(bed.on(3, "ss").args(["-Htn", "state", "established", &format!("sport = :{FAR}")]));
        let trying = must(bed.on(2, "ss").args(["-Htn", "state", "syn-sent"]));
        list.trim().is_empty() && trying.trim().is_empty()
    };
    assert!(until(Duration::from_secs(40), settled), "a connection that nobody wants stays open");
    bed.load_whole(0, NEAR + 1, &[("both", MIB, 4)]);
    assert_eq!([1, 2].map(|host| bed.logins(host)), [1, 1], "{}", standing.run.stderr());
    standing.down();
}

/// Whoever looks names up here tells the network where this person goes.
#[test]
fn names_that_only_others_know_are_looked_up_by_them_alone() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    std::fs::write(format!("/etc/netns/{}/resolv.conf", bed.namespace(0)), "nameserver 127.0.0.1\n")
        .expect("write resolv.conf");
    let table = "table inet names { counter asked { }
        chain out {
            type filter hook output priority 0;
            meta l4proto { tcp, udp } th dport 53 counter name asked
        }
        }";
    feed(bed.on(0, "nft").args(["-f", "-"]), table);
    let asked = || must(bed.on(0, "nft").args(["list", "counter", "inet", "names", "asked"]));
    let standing = Standing::on(&bed, &quick(&bed));
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    standing.down();
    let hopper = Hopper::on(&bed);
    let topology = Topology::line(&bed).impatient().host(2, "address", json!("nowhere.test"));
    let ended = hopper.try_up(&topology, &["--progress", "plain"]);
    assert_eq!(ended.code, 6, "{}", ended.stderr);
    assert!(ended.stderr.contains("h1") && ended.stderr.contains("nowhere.test"), "{}", ended.stderr);
    assert!(asked().contains("packets 0 "), "asked a name server: {}", asked());
    hopper.assert_nothing_left();
    // And it would have been counted.
    hopper.try_up(&Topology::line(&bed).impatient().host(1, "address", json!("nowhere.test")), &[]);
    assert!(!asked().contains("packets 0 "), "the counter does not count: the test proves nothing");
}

#[test]
fn hosts_that_speak_only_ipv6_are_reached_by_number_and_through_a_zone() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let mut known = String::new();
    let far = ["fd00:77:1::2", "fe80::77:2%fore"];
    for host in 1..=2 {
        let net = if host == 1 { "fd00:77:1::" } else { "fe80::77:" };
        for (side, end, last) in [(host - 1, "fore", 1), (host, "back", 2)] {
            must(bed.on(side, "ip").args(["addr", "add", &format!("{net}{last}/64"), "dev", end, "nodad"]));
            must(bed.on(side, "ip").args(["-4", "addr", "flush", "dev", end]));
        }
        let let_in = ["insert", "rule", "inet", "bed", "in", "meta", "nfproto", "ipv6", "accept"];
        must(bed.on(host, "nft").args(let_in));
        must(bed.on(host - 1, "nft").args(let_in));
        bed.restart_sshd(host, "Port 2222\nListenAddress ::");
        known += &bed.host_key(host).known_as(&format!("[{}]:2222", far[host - 1]));
    }
    std::fs::write(bed.known_hosts(), known).expect("write known_hosts");
    let topology = Topology::line(&bed)
        .host(1, "address", json!(far[0]))
        .host(2, "address", json!(far[1]))
        .hosts("port", json!(2222))
        .top(
            "forwards",
            json!({ "data": { "listen": format!("[::1]:{NEAR}"), "to": format!("h2/127.0.0.1:{FAR}") } }),
        );
    let hopper = Hopper::on(&bed);
    hopper.up(&topology, &[]);
    assert_eq!(hopper.new_listeners(), [format!("[::1]:{NEAR}")]);
    let outcomes = bed.load(0, "::1", NEAR, &[("both", MIB, 4)]);
    assert!(outcomes.iter().all(|outcome| outcome.end == "ok"), "{outcomes:?}");
    assert_eq!((bed.logins(1), bed.logins(2)), (1, 1));
    hopper.down();
    hopper.assert_nothing_left();
}
