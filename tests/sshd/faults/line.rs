//! Lines that are cut, that forget, that swallow large packets, or that lose some: the hop is named, and none is lost
//! for nothing.

use serde_json::json;

use super::super::bed::{Bed, NEAR};
use super::super::command::{must, signal};
use super::super::hopper::Hopper;
use super::super::load::MIB;
use super::super::topology::Topology;
use super::super::until::{SOON, until};
use super::{Standing, quick};

#[test]
fn a_connection_that_is_reset_at_any_hop_is_noticed_at_once() {
    for hop in 1..=3 {
        let Some(bed) = Bed::line(3) else { return };
        bed.far_end(3);
        let patient = quick(&bed).hosts("keepalive", json!({ "interval": "1m", "max": 3 }));
        let standing = Standing::on(&bed, &patient);
        let load = bed.start_load(0, "127.0.0.1", NEAR, &[("get", 64 * 1024 * MIB, 1)]);
        load.wait_until_flowing();
        must(bed.on(hop - 1, "ss").args(["-K", "dport", "=", ":22"]));
        // No keepalive could have told.
        standing.wait_until_lost(&bed, hop);
        standing.wait_until_restored(1);
        assert_eq!(load.finish()[0].end, "reset", "a stream that was cut looks whole");
        for host in 1..=3 {
            assert_eq!(bed.logins(host), 1 + usize::from(host >= hop), "logins at host {host}, hop {hop}");
        }
        bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
        standing.down();
    }
}

/// The host is back before anybody missed it, and knows nothing of the connections that it had.
#[test]
fn a_host_that_starts_anew_without_a_word_is_noticed() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    let standing = Standing::on(&bed, &quick(&bed));
    // What its kernel says at the death of the sessions never arrives.
    bed.mute(2);
    bed.stop_sshd(2);
    bed.start_sshd(2, "");
    bed.unfilter(2);
    standing.wait_until_lost(&bed, 2);
    standing.wait_until_restored(1);
    assert_eq!([1, 2, 3].map(|host| bed.logins(host)), [1, 2, 2]);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    standing.down();
}

#[test]
fn a_line_that_swallows_large_packets_under_a_stream_is_noticed_and_heals() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    let standing = Standing::on(&bed, &quick(&bed));
    let old = bed.sessions(2);
    bed.filter(2, "meta length > 1000 drop");
    // What is small still passes: the keepalives do, until something large waits before them.
    let load = bed.start_load(0, "127.0.0.1", NEAR, &[("put", 64 * MIB, 1)]);
    standing.wait_until_lost(&bed, 2);
    // Whether it gets as far as host 3 depends on how large its packets are.
    standing.wait_for("tried", || standing.said(": still away") > 0);
    bed.unfilter(2);
    standing.wait_until_restored(1);
    assert_eq!(load.finish()[0].end, "reset", "an upload that was cut looks whole");
    assert_eq!((bed.logins(1), bed.visits(1)), (1, 1), "host 1 was never touched");
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    for pid in old {
        signal("KILL", pid);
    }
    standing.down();
}

#[test]
fn a_line_that_swallows_large_packets_from_the_start_is_told_in_time() {
    let Some(bed) = Bed::line(2) else { return };
    bed.filter(2, "meta length > 500 drop");
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&Topology::line(&bed).impatient(), &["--progress", "plain"]);
    assert_eq!(ended.code, 6, "{}", ended.stderr);
    assert!(ended.stderr.contains("h2"), "{}", ended.stderr);
    bed.unfilter(2);
    bed.kill_sessions(2);
    hopper.assert_nothing_left();
}

/// So many packets of a hundred that come in at these hosts are lost, evenly: with chance, one line in some hundreds
/// would be so bad for so long that it is rightly taken for dead.
fn whole_though_packets_are_lost(
    percent: u32,
    hosts: std::ops::RangeInclusive<usize>,
    interval: &str,
    bytes: u64,
) {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let keepalive = json!({ "interval": interval, "max": 3 });
    // A channel that takes long to open on such a line is no loss of a session either.
    let patient = json!({ "forward": "60s" });
    let topology = quick(&bed).hosts("keepalive", keepalive).hosts("timeout", patient);
    let standing = Standing::on(&bed, &topology);
    for host in hosts.clone() {
        bed.filter(host, &format!("iifname != lo numgen inc mod {} 0 drop", 100 / percent));
    }
    bed.load_whole(0, NEAR, &[("both", bytes, 4), ("half", bytes, 2)]);
    for host in hosts {
        bed.unfilter(host);
    }
    assert_eq!(standing.said("lost, rebuilding it"), 0, "a false alarm: {}", standing.run.stderr());
    assert_eq!([1, 2].map(|host| bed.logins(host)), [1, 1]);
    standing.down();
}

#[test]
fn two_packets_of_a_hundred_lost_are_no_loss_of_a_session() {
    whole_though_packets_are_lost(2, 0..=2, "1s", MIB);
}

#[test]
fn five_packets_of_a_hundred_lost_are_no_loss_of_a_session() {
    whole_though_packets_are_lost(5, 0..=2, "1s", MIB);
}

/// With the defaults. Where the acknowledgements to hopper itself are lost as well, a line as bad as that is now and then
/// taken for dead, and rightly: of what was sent, nothing was acknowledged for twenty seconds.
#[test]
fn twenty_packets_of_a_hundred_lost_are_no_loss_of_a_session() {
    whole_though_packets_are_lost(20, 1..=2, "5s", MIB / 16);
}

/// A minute of the life of a bad line, in a few seconds.
#[test]
fn a_line_that_flaps_is_not_stormed() {
    const ROUNDS: usize = 8;
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let standing = Standing::on(&bed, &quick(&bed));
    let second = std::time::Duration::from_secs(1);
    for _ in 0..ROUNDS {
        bed.shut(2, 22);
        until(second, || false);
        bed.heal(2, 22);
        until(second, || false);
    }
    let settled = until(SOON, || standing.status()["state"] == "up");
    assert!(settled, "{}", standing.run.stderr());
    assert_eq!((bed.logins(1), bed.visits(1)), (1, 1), "host 1 never broke");
    assert!(bed.visits(2) <= 2 * ROUNDS, "{} visits in {} seconds", bed.visits(2), 2 * ROUNDS);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    let stale = bed.sessions(2);
    standing.hopper.down();
    // A session whose end was swallowed is the server's to find.
    for pid in stale {
        signal("KILL", pid);
    }
    standing.down();
}
