//! What servers do on their own: they hang up, hold to limits of theirs, exchange keys anew, or are too busy.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::bed::{Bed, FAR, NEAR};
use super::super::command::signal;
use super::super::hopper::Hopper;
use super::super::load::MIB;
use super::super::topology::Topology;
use super::super::until::{SOON, until};
use super::{Standing, quick};

#[test]
fn a_server_that_says_goodbye_is_told_from_one_that_dies_and_asked_again() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    let standing = Standing::on(&bed, &quick(&bed));
    bed.signal_sessions(2, "TERM");
    standing.wait_until_lost(&bed, 2);
    standing.wait_until_restored(1);
    assert_eq!([1, 2, 3].map(|host| bed.logins(host)), [1, 2, 2]);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    standing.down();
}

#[test]
fn a_server_that_asks_every_second_whether_we_live_is_answered_under_any_load() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    for host in 1..=3 {
        bed.restart_sshd(host, "ClientAliveInterval 1\nClientAliveCountMax 2");
    }
    let standing = Standing::on(&bed, &quick(&bed));
    let stalled = bed.start_load(0, "127.0.0.1", NEAR, &[("stall", 64 * MIB, 2)]);
    stalled.wait_until_flowing();
    bed.load_whole(0, NEAR, &[("both", 16 * MIB, 4)]);
    // Longer than it would be patient for.
    until(Duration::from_secs(5), || false);
    stalled.abandon();
    // Lanes to the last host are no loss.
    assert_eq!([1, 2].map(|host| bed.logins(host)), [1, 1], "{}", standing.run.stderr());
    assert!(!standing.run.stderr().contains("lost"), "{}", standing.run.stderr());
    standing.down();
}

/// Where a second forward listens, to the first host.
const WAY: u16 = NEAR + 1;

/// Nothing that hopper could send counts as use. So a chain that such servers end again and again is left closed until
/// somebody comes, and one that is used is not touched.
#[test]
fn servers_that_end_what_nobody_uses_are_left_in_peace_until_somebody_comes() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(1);
    bed.far_end(2);
    for host in 1..=2 {
        bed.restart_sshd(host, "UnusedConnectionTimeout 4");
    }
    let standing = Standing::on(&bed, &quick(&bed).forward("way", WAY, 1));
    standing.wait_for("rest", || standing.said("rests, since its server ends what nobody uses for ") == 2);
    assert_eq!([1, 2].map(|host| bed.logins(host)), [3, 3], "{}", standing.run.stderr());
    let before = [1, 2].map(|host| bed.visits(host));
    until(Duration::from_secs(3), || false);
    let status = standing.status();
    let states = ["/state", "/tunnels/0/state", "/tunnels/1/state", "/forwards/0/state"];
    let states = states.map(|place| status.pointer(place).cloned().unwrap_or_default());
    assert_eq!(states, ["resting"; 4].map(Value::from), "{status}");
    assert_eq!(standing.hopper.run(&["status"]).code, 0);
    assert_eq!([1, 2].map(|host| bed.visits(host)), before, "{}", standing.run.stderr());

    // Only what is needed is opened, and in use nothing is ended.
    let load = bed.start_load(0, "127.0.0.1", WAY, &[("later", MIB, 1)]);
    let carried = |at: usize| standing.status()["forwards"][at]["bytes_up"].as_u64() >= Some(1000);
    assert!(until(SOON, || carried(1)), "{}", standing.status());
    until(Duration::from_secs(6), || false);
    load.go();
    assert_eq!(load.finish()[0].end, "ok");
    assert_eq!([1, 2].map(|host| bed.logins(host)), [4, 3]);
    standing.wait_for("rest again", || standing.status()["tunnels"][0]["state"] == "resting");

    let load = bed.start_load(0, "127.0.0.1", NEAR, &[("later", MIB, 1)]);
    assert!(until(SOON, || carried(0)), "{}", standing.status());
    assert_eq!([1, 2].map(|host| bed.logins(host)), [5, 4]);
    until(Duration::from_secs(6), || false);
    load.go();
    assert_eq!(load.finish()[0].end, "ok");
    assert_eq!([1, 2].map(|host| bed.logins(host)), [5, 4], "a session in use was ended");
    standing.wait_for("rest again", || standing.status()["tunnels"][0]["state"] == "resting");
    assert_eq!([1, 2].map(|host| bed.logins(host)), [5, 4], "the habit is known by now");
    standing.down();
}

#[test]
fn servers_that_allow_a_single_session_a_connection_are_enough() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    for host in 1..=3 {
        bed.restart_sshd(host, "MaxSessions 1");
    }
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 16)]);
    assert_eq!([1, 2, 3].map(|host| bed.logins(host)), [1, 1, 1]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_server_whose_doors_are_full_is_named_and_let_in_by_later() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let full = "MaxStartups 1:100:1\nLoginGraceTime 60";
    bed.restart_sshd(2, full);
    // Somebody else stands in the door. The bed's own servers are not that narrow.
    let crowd = crowd(&bed);
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&Topology::line(&bed).impatient(), &["--progress", "plain"]);
    assert_eq!(ended.code, 6, "{}", ended.stderr);
    // Before 9.8 the one, since then the other.
    let words = ["Exceeded MaxStartups", "Not allowed at this time"];
    let stderr = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let told =
        |words: &&str| stderr.contains(&format!("h2 lets nobody in from there for now: it said \"{words}\""));
    assert!(words.iter().any(told), "{}", ended.stderr);
    assert!(signal("KILL", crowd));
    let gone = || bed.sessions(2).is_empty();
    assert!(until(SOON, gone), "the crowd does not leave");
    // And a run that stands waits until the door is free.
    let standing = Standing::on(&bed, &quick(&bed));
    bed.stop_sshd(2);
    bed.start_sshd(2, full);
    let told = until(SOON, || standing.said("T2 h2: lost") > 0);
    assert!(told, "{}", standing.run.stderr());
    standing.wait_until_restored(1);
    standing.down();
}

/// Connects from host 1 to the SSH port of host 2 and says nothing.
fn crowd(bed: &Bed) -> u32 {
    let program =
        "import socket,time; s=socket.create_connection(('10.77.2.2',22)); s.recv(1); time.sleep(600)";
    let pid = bed.background(1, "crowd", bed.on(1, "/usr/bin/python3").args(["-c", program]));
    assert!(until(SOON, || !bed.sessions(2).is_empty()), "nobody stands in the door");
    pid
}

/// Servers since 9.8 do so for a while to a source that misbehaved.
#[test]
fn a_server_that_hangs_up_at_once_is_asked_ever_more_rarely() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let slow = json!({ "reconnect": { "first": "1s", "max": "60s" } });
    let standing = Standing::on(&bed, &quick(&bed).top("policy", slow));
    bed.stop_sshd(2);
    let program = "import socket; l=socket.create_server(('0.0.0.0',22)); l.listen()\n\
        while True: c,_=l.accept(); print('visit',flush=True); c.close()";
    let pid = bed.background(2, "penalty", bed.on(2, "/usr/bin/python3").args(["-c", program]));
    let visits =
        || std::fs::read_to_string(bed.path("penalty.log")).unwrap_or_default().matches("visit").count();
    standing.wait_for("tried", || visits() > 0);
    until(Duration::from_secs(12), || false);
    let came = visits();
    assert!((2..=6).contains(&came), "{came} attempts in 12 s: {}", standing.run.stderr());
    assert!(signal("KILL", pid));
    let gone = || bed.listeners(2).iter().all(|at| !at.ends_with(":22"));
    assert!(until(SOON, gone));
    bed.start_sshd(2, "");
    assert!(signal("USR1", standing.hopper.pid()));
    standing.wait_until_restored(1);
    standing.down();
}

#[test]
fn keys_that_are_exchanged_anew_all_the_time_lose_no_byte() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    for host in 1..=3 {
        bed.restart_sshd(host, "RekeyLimit 1M 2s\nLogLevel DEBUG1");
    }
    let standing = Standing::on(&bed, &quick(&bed));
    bed.load_whole(0, NEAR, &[("both", 8 * MIB, 4), ("half", 4 * MIB, 2)]);
    for host in 1..=3 {
        let anew = bed
            .log(host)
            .matches("rekeying in progress")
            .count()
            .max(bed.log(host).matches("SSH2_MSG_KEXINIT sent").count());
        assert!(anew >= 10, "host {host} exchanged keys {anew} times: the test proves little");
        assert_eq!(bed.logins(host), 1, "{}", standing.run.stderr());
    }
    assert_eq!(standing.status()["state"], "up");
    standing.down();
}

#[test]
fn a_target_that_the_server_does_not_permit_is_named_and_no_tunnel_is_to_blame() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    bed.restart_sshd(2, "PermitOpen 127.0.0.1:1");
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&Topology::line(&bed), &["--progress", "plain"]);
    assert_eq!(ended.code, 7, "{}", ended.stderr);
    assert!(ended.stderr.contains("h2") && ended.stderr.contains(&FAR.to_string()), "{}", ended.stderr);
    assert!(ended.stderr.contains("prohibited") || ended.stderr.contains("PermitOpen"), "{}", ended.stderr);
    hopper.assert_nothing_left();
    // The same server lets the run in to what it permits.
    bed.restart_sshd(2, &format!("PermitOpen 127.0.0.1:{FAR}"));
    hopper.up(&Topology::line(&bed), &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_listener_that_the_server_does_not_permit_undoes_the_others_too() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(0);
    bed.restart_sshd(1, "PermitListen 7101");
    let back = |port: u16| json!({ "listen": format!("h1/{port}"), "to": format!("local:{FAR}") });
    let topology = Topology::line(&bed).top("forwards", json!({ "one": back(7101), "two": back(7102) }));
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&topology, &["--progress", "plain"]);
    assert_eq!(ended.code, 7, "{}", ended.stderr);
    assert!(ended.stderr.contains("two") && ended.stderr.contains("7102"), "{}", ended.stderr);
    let left = bed.listeners(1);
    assert!(left.iter().all(|at| !at.ends_with(":7101")), "still listens there: {left:?}");
    hopper.assert_nothing_left();
}
