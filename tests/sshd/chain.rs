//! A chain of any depth: up when it is proved, one login a host, whole streams, nothing left after.

use serde_json::{Value, json};

use super::bed::{Bed, FAR, NEAR};
use super::hopper::Hopper;
use super::load::MIB;
use super::topology::Topology;

fn stands_and_vanishes(hosts: usize) {
    let Some(bed) = Bed::line(hosts) else { return };
    bed.far_end(hosts);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    assert_eq!(hopper.new_listeners(), [format!("127.0.0.1:{NEAR}")], "only the declared port listens");
    bed.load_whole(0, NEAR, &[("both", MIB, 4)]);
    for host in 1..=hosts {
        assert_eq!((bed.logins(host), bed.visits(host)), (1, 1), "logins and connections at host {host}");
    }
    let status = hopper.status().expect("status answers");
    assert_eq!(status["state"], "up", "{status}");
    assert_eq!(status["tunnels"].as_array().map(Vec::len), Some(hosts), "{status}");
    assert!(status["forwards"][0]["bytes_up"].as_u64() >= Some(4 * MIB), "{status}");
    assert!(status["forwards"][0]["bytes_down"].as_u64() >= Some(4 * MIB), "{status}");
    hopper.down();
    hopper.assert_nothing_left();
    assert_eq!(hopper.run(&["status", "bed"]).code, 3, "status of what does not run");
    assert_eq!(hopper.down().code, 0, "down is idempotent");
}

#[test]
fn a_chain_of_1_host_stands_and_vanishes() {
    stands_and_vanishes(1);
}

#[test]
fn a_chain_of_2_hosts_stands_and_vanishes() {
    stands_and_vanishes(2);
}

#[test]
fn a_chain_of_4_hosts_stands_and_vanishes() {
    stands_and_vanishes(4);
}

#[test]
fn a_chain_of_8_hosts_stands_and_vanishes() {
    stands_and_vanishes(8);
}

#[test]
fn port_carriers_listen_on_loopback_only_and_vanish() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &["--carrier", "port"]);
    let ports = hopper.new_listeners();
    assert_eq!(ports.len(), 3, "two carriers and the forward: {ports:?}");
    assert!(ports.iter().all(|address| address.starts_with("127.0.0.1:")), "{ports:?}");
    bed.load_whole(0, NEAR, &[("both", MIB, 4)]);
    for host in 1..=3 {
        assert_eq!(bed.logins(host), 1, "logins at host {host}");
    }
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn sixty_four_streams_arrive_byte_for_byte_in_both_directions() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    bed.load_whole(0, NEAR, &[("both", 4 * MIB, 64)]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_client_that_stopped_writing_still_reads_the_whole_reply() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    let hopper = Hopper::on(&bed);
    for carrier in ["channel", "port"] {
        hopper.up(&Topology::line(&bed), &["--carrier", carrier]);
        bed.load_whole(0, NEAR, &[("half", 4 * MIB, 4), ("half", 0, 4)]);
        hopper.down();
        hopper.assert_nothing_left();
    }
}

#[test]
fn two_forwards_share_one_chain_of_sessions() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let far = format!("h2/127.0.0.1:{FAR}");
    let forwards = json!({ "one": { "listen": NEAR, "to": far }, "two": { "listen": NEAR + 1, "to": far } });
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed).top("forwards", forwards), &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    bed.load_whole(0, NEAR + 1, &[("both", MIB, 2)]);
    assert_eq!((bed.logins(1), bed.logins(2)), (1, 1));
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn json_progress_is_one_event_a_line_and_says_when_it_is_up() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    let run = hopper.hold(&Topology::line(&bed), &["--progress", "json"]);
    run.signal("INT");
    let ended = run.ended();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let events: Vec<Value> = ended
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON: {line}: {e}")))
        .collect();
    assert!(events.iter().all(|event| event["schema"] == "hopper.event/1"), "{}", ended.stderr);
    assert!(events.iter().any(|event| event["event"] == "up"), "{}", ended.stderr);
    assert_eq!(ended.stdout, "", "stdout is for data");
    hopper.assert_nothing_left();
}

#[test]
fn a_log_file_tells_the_run_and_holds_no_secret() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let hopper = Hopper::on(&bed);
    let file = bed.path("asked-for.log");
    hopper.up(&Topology::line(&bed), &["-v", "--log-file", file.to_str().expect("a plain path")]);
    hopper.down();
    let log = std::fs::read_to_string(&file).expect("the log file was written");
    assert!(log.contains("h2"), "the log names no host: {log}");
    assert!(!log.contains("PRIVATE KEY"), "the log holds a key");
    hopper.assert_nothing_left();
}
