//! What is final: a host that comes back with another key, or does not let us in any more. Never tried again.

use std::fs;

use serde_json::json;

use super::super::bed::{Bed, FAR, NEAR};
use super::super::keys::Key;
use super::super::load::MIB;
use super::super::until::{SOON, until};
use super::{Standing, quick};

/// From its next start on the host has a key that nobody knows.
fn exchange_key(bed: &Bed, host: usize) {
    let other = Key::make(bed.path(&format!("host{host}/other")), "ed25519", "");
    let own = bed.path(&format!("host{host}/key"));
    fs::rename(other.path(), &own).expect("exchange the key");
    fs::rename(other.path().with_extension("pub"), own.with_extension("pub")).expect("exchange the key");
}

#[test]
fn a_host_that_comes_back_with_another_key_ends_a_run_that_needs_it() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    let Standing { hopper, run } = Standing::on(&bed, &quick(&bed));
    exchange_key(&bed, 2);
    bed.restart_sshd(2, "");
    let ended = run.ended();
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    assert!(ended.stderr.contains("hop 2") || ended.stderr.contains("h2"), "{}", ended.stderr);
    assert_eq!([1, 2, 3].map(|host| bed.logins(host)), [1, 1, 1], "nothing was sent to a stranger");
    assert_eq!(bed.visits(2), 2, "tried once");
    hopper.assert_nothing_left();
}

#[test]
fn what_does_not_stand_on_the_host_with_another_key_goes_on() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(1);
    bed.far_end(2);
    let topology = quick(&bed).top(
        "forwards",
        json!({
            "deep": { "listen": NEAR, "to": format!("h2/127.0.0.1:{FAR}") },
            "side": { "listen": NEAR + 1, "to": format!("h1/127.0.0.1:{FAR}") },
        }),
    );
    let standing = Standing::on(&bed, &topology);
    let load = bed.start_load(0, "127.0.0.1", NEAR + 1, &[("both", 64 * MIB, 2)]);
    exchange_key(&bed, 2);
    bed.restart_sshd(2, "");
    standing.wait_for("told", || standing.said("T2 h2: given up, the run goes on without it") == 1);
    assert!(load.finish().iter().all(|outcome| outcome.end == "ok"), "streams of another tunnel were cut");
    let status = standing.hopper.run(&["status", "bed", "--json"]);
    assert_eq!(status.code, 5, "{}", status.stdout);
    let status = standing.status();
    assert_eq!(status["state"], "degraded", "{status}");
    assert_eq!(
        (&status["tunnels"][0]["state"], &status["tunnels"][1]["state"]),
        (&"up".into(), &"failed".into())
    );
    let gone = until(SOON, || !standing.hopper.new_listeners().contains(&format!("127.0.0.1:{NEAR}")));
    assert!(gone, "it still listens for what is given up");
    bed.load_whole(0, NEAR + 1, &[("both", MIB, 2)]);
    assert_eq!((bed.logins(2), bed.visits(2)), (1, 2), "tried once, nothing sent");
    standing.down();
}

#[test]
fn a_login_that_is_refused_later_is_not_tried_again() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let Standing { hopper, run } = Standing::on(&bed, &quick(&bed));
    bed.authorize(2, "");
    bed.kill_sessions(2);
    let ended = run.ended();
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert_eq!((bed.logins(2), bed.visits(2)), (1, 2), "tried once");
    hopper.assert_nothing_left();
}

#[test]
fn a_host_that_stays_away_is_given_up_after_the_time_that_the_file_says() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let policy = json!({ "reconnect": { "max": "1s", "give_up": "3s" } });
    let Standing { hopper, run } = Standing::on(&bed, &quick(&bed).top("policy", policy));
    bed.stop_sshd(2);
    let ended = run.ended();
    assert_eq!(ended.code, 6, "{}", ended.stderr);
    assert!(ended.stderr.contains("h2") && ended.stderr.contains("H0601"), "{}", ended.stderr);
    hopper.assert_nothing_left();
}
