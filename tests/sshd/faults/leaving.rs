//! A run can be left while it is being rebuilt, in order or by force, and the next one just works.

use serde_json::json;

use super::super::bed::{Bed, FAR, NEAR};
use super::super::command::signal;
use super::super::hopper::Hopper;
use super::super::load::MIB;
use super::super::until::{SOON, until};
use super::{Standing, quick};

#[test]
fn down_while_a_host_is_away_leaves_nothing() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let standing = Standing::on(&bed, &quick(&bed));
    bed.stop_sshd(2);
    standing.wait_for("told", || standing.said("T2 h2: still away") > 0);
    // Somebody waits for it to come back.
    let waiting = bed.start_load(0, "127.0.0.1", NEAR, &[("get", MIB, 1)]);
    let connected = until(SOON, || standing.status()["forwards"][0]["clients"] == 1);
    assert!(connected, "{}", standing.status());
    standing.down();
    assert_eq!(waiting.finish()[0].end, "reset", "a client that was never served");
}

#[test]
fn down_while_a_tunnel_is_being_opened_again_leaves_nothing() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let standing = Standing::on(&bed, &quick(&bed));
    bed.stop_sshd(2);
    // It takes the connection and never says a word.
    bed.serve(2, "0.0.0.0", 22, true);
    standing.wait_for("opening", || standing.status()["tunnels"][1]["state"] == "connecting");
    standing.down();
}

#[test]
fn a_run_in_the_background_is_rebuilt_and_logs_it_and_may_be_killed_meanwhile() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    hopper.up(&quick(&bed), &[]);
    bed.kill_sessions(2);
    let back =
        || hopper.status().is_some_and(|it| it["tunnels"][1]["reconnects"] == 1 && it["state"] == "up");
    assert!(until(SOON, back), "{:?}", hopper.status());
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    let log = hopper.run(&["logs", "bed"]).stdout;
    assert!(log.contains("tunnel lost") && log.contains("up again"), "{log}");
    bed.stop_sshd(2);
    assert!(until(SOON, || hopper.status().is_some_and(|it| it["state"] == "degraded")));
    assert!(signal("KILL", hopper.pid()));
    assert!(until(SOON, || hopper.processes().is_empty()), "it does not die");
    bed.start_sshd(2, "");
    hopper.up(&quick(&bed), &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn connections_may_go_on_for_a_while_where_the_file_says_so() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let standing = Standing::on(&bed, &quick(&bed).top("policy", json!({ "drain": "60s" })));
    let load = bed.start_load(0, "127.0.0.1", NEAR, &[("both", 128 * MIB, 2)]);
    let flows = || standing.status()["forwards"][0]["clients"] == 2;
    assert!(until(SOON, flows), "{}", standing.status());
    standing.down();
    assert!(load.finish().iter().all(|outcome| outcome.end == "ok"), "streams were cut");
}

#[test]
fn connections_that_do_not_end_are_reset_when_that_time_is_over() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let standing = Standing::on(&bed, &quick(&bed).top("policy", json!({ "drain": "1s" })));
    let load = bed.start_load(0, "127.0.0.1", NEAR, &[("get", 64 * 1024 * MIB, 1)]);
    load.wait_until_flowing();
    standing.down();
    assert_eq!(load.finish()[0].end, "reset", "a stream that was cut looks whole");
}

#[test]
fn every_way_to_end_a_run_closes_it_from_the_inside_out_and_gives_listeners_back() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(0);
    bed.far_end(3);
    let forwards = json!({
        "data": { "listen": NEAR, "to": format!("h3/127.0.0.1:{FAR}") },
        "back": { "listen": "h2/7101", "to": format!("local:{FAR}") },
    });
    let topology = quick(&bed).top("forwards", forwards);
    for how in ["INT", "TERM", "down"] {
        let hopper = Hopper::on(&bed);
        let run = hopper.hold(&topology, &["--progress", "json"]);
        match how {
            "down" => assert_eq!(hopper.down().code, 0),
            signal => run.signal(signal),
        }
        let ended = run.ended();
        assert_eq!(ended.code, 0, "{how}: {}", ended.stderr);
        let left = bed.listeners(2);
        assert!(left.iter().all(|at| !at.ends_with(":7101")), "{how}: still listens there: {left:?}");
        let place = |event: &str| {
            let found = ended.stderr.lines().position(|line| line.contains(event));
            found.unwrap_or_else(|| panic!("{how}: no {event} in {}", ended.stderr))
        };
        let closed = |what: &str, id: &str| place(&format!(r#""event":"{what}-closed","{what}":"{id}""#));
        let tunnels = ["T3", "T2", "T1"].map(|id| closed("tunnel", id));
        assert!(tunnels.is_sorted(), "{how}: {}", ended.stderr);
        let forwards = [("data", tunnels[0]), ("back", tunnels[1])];
        for (id, below) in forwards {
            assert!(closed("forward", id) < below, "{how}, {id}: {}", ended.stderr);
        }
        assert!(place(r#""event":"down""#) > tunnels[2], "{how}: {}", ended.stderr);
        hopper.assert_nothing_left();
    }
}
