//! Hosts that are gone for a while: a killed session at each hop, a server that restarts, one that comes and goes.

use super::super::bed::{Bed, NEAR};
use super::super::load::MIB;
use super::super::until::until;
use super::{PATIENCE, Standing, inode, quick};

#[test]
fn a_session_that_is_killed_at_any_hop_is_rebuilt_with_what_stands_on_it_and_nothing_else() {
    for hop in 1..=3 {
        let Some(bed) = Bed::line(3) else { return };
        bed.far_end(3);
        let standing = Standing::on(&bed, &quick(&bed));
        let listener = inode(&bed, NEAR);
        let load = bed.start_load(0, "127.0.0.1", NEAR, &[("get", 64 * 1024 * MIB, 1)]);
        load.wait_until_flowing();
        bed.kill_sessions(hop);
        standing.wait_until_lost(&bed, hop);
        standing.wait_until_restored(1);
        for outcome in load.finish() {
            assert_eq!(outcome.end, "reset", "a stream that was cut looks whole");
        }
        for host in 1..=3 {
            assert_eq!(bed.logins(host), 1 + usize::from(host >= hop), "logins at host {host}, hop {hop}");
        }
        assert_eq!(inode(&bed, NEAR), listener, "the listener was never closed");
        let status = standing.status();
        for tunnel in 1..=3 {
            let reconnects = &status["tunnels"][tunnel - 1]["reconnects"];
            assert_eq!(*reconnects, u64::from(tunnel >= hop), "T{tunnel}: {status}");
        }
        assert_eq!(status["forwards"][0]["lost"], 1, "{status}");
        assert_eq!(standing.said("data: waits, 1 connection cut"), 1, "{}", standing.run.stderr());
        bed.load_whole(0, NEAR, &[("both", MIB, 4), ("half", MIB, 1)]);
        standing.down();
    }
}

#[test]
fn a_server_that_restarts_is_waited_for_and_so_are_clients() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let standing = Standing::on(&bed, &quick(&bed));
    let listener = inode(&bed, NEAR);
    bed.stop_sshd(2);
    standing.wait_for("told", || standing.said("T2 h2: still away") > 0);
    let status = standing.hopper.run(&["status", "bed", "--json"]);
    assert_eq!(status.code, 8, "{}", status.stdout);
    let status = standing.status();
    assert_eq!(status["state"], "degraded", "{status}");
    assert_eq!(status["tunnels"][0]["state"], "up", "{status}");
    assert!(status["tunnels"][1]["cause"].as_str().is_some_and(|cause| cause.contains("h2")), "{status}");
    assert_eq!(status["tunnels"][1]["code"], "H0601", "{status}");
    assert_eq!(status["forwards"][0]["state"], "pending", "{status}");
    // They connect now, and are served when it is back.
    let waiting = bed.start_load(0, "127.0.0.1", NEAR, &[("both", MIB, 4)]);
    let connected = until(PATIENCE, || standing.status()["forwards"][0]["clients"] == 4);
    assert!(connected, "{}", standing.status());
    bed.start_sshd(2, "");
    standing.wait_until_restored(1);
    assert!(waiting.finish().iter().all(|outcome| outcome.end == "ok"), "clients that waited");
    assert_eq!(inode(&bed, NEAR), listener, "the listener was never closed");
    assert_eq!((bed.logins(1), standing.said("still away")), (1, 1), "told once");
    standing.down();
}

#[test]
fn clients_are_reset_at_once_where_the_file_says_so() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let far = format!("h1/127.0.0.1:{}", super::super::bed::FAR);
    let forwards = serde_json::json!({ "data": { "listen": NEAR, "to": far, "on_down": "refuse" } });
    let standing = Standing::on(&bed, &quick(&bed).top("forwards", forwards));
    bed.stop_sshd(1);
    standing.wait_for("told", || standing.said("T1 h1: still away") > 0);
    let outcomes = bed.load(0, "127.0.0.1", NEAR, &[("get", MIB, 2)]);
    assert!(outcomes.iter().all(|outcome| outcome.end == "reset"), "{outcomes:?}");
    bed.start_sshd(1, "");
    standing.wait_until_restored(1);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    standing.down();
}

#[test]
fn a_host_that_comes_and_goes_is_not_stormed() {
    const ROUNDS: usize = 4;
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let standing = Standing::on(&bed, &quick(&bed));
    for round in 1..=ROUNDS {
        bed.kill_sessions(2);
        standing.wait_for("back", || bed.logins(2) > round);
    }
    standing.wait_for("settled", || standing.status()["state"] == "up");
    assert_eq!((bed.logins(1), bed.visits(1)), (1, 1), "host 1 never broke");
    assert!(bed.visits(2) <= ROUNDS + 2, "{} visits for {ROUNDS} losses", bed.visits(2));
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    standing.down();
}
