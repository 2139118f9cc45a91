//! `hopper trust`: what it shows, what it records, and where it stops.

use std::fs;

use serde_json::{Value, json};

use super::bed::{Bed, NEAR};
use super::hopper::{Ended, Hopper};
use super::keys::Key;
use super::load::{MIB, script};
use super::network;
use super::topology::{Topology, id};
use super::trust::{REQUEST, TALKATIVE};

/// Three hosts of which nothing is known.
fn strangers() -> Option<Bed> {
    let bed = Bed::line(3)?;
    bed.far_end(3);
    bed.restart_sshd(3, TALKATIVE);
    fs::remove_file(bed.known_hosts()).expect("forget the hosts");
    Some(bed)
}

fn trust(hopper: &Hopper, words: &[&str]) -> Ended {
    let file = Topology::line(hopper.bed()).write(hopper.bed());
    hopper.run(&[&["trust", file.to_str().expect("a plain path")], words].concat())
}

/// The same on a terminal, where each question gets this answer.
fn trust_answering(hopper: &Hopper, answer: &str, words: &[&str]) -> Ended {
    let file = Topology::line(hopper.bed()).write(hopper.bed());
    let [python, terminal] = script("terminal.py");
    let mut command = hopper.bed().on(0, python);
    command.arg(terminal).args(["you expect:", answer, "0", env!("CARGO_BIN_EXE_hopper"), "trust"]);
    hopper.start_command(command.arg(file).args(words)).ended()
}

fn known(bed: &Bed) -> String {
    fs::read_to_string(bed.known_hosts()).unwrap_or_default()
}

fn all_known(bed: &Bed) -> String {
    (1..=3).map(|host| bed.host_key(host).known_as(&network::name(host))).collect()
}

#[test]
fn every_host_is_shown_and_recorded_and_up_works_then() {
    let Some(bed) = strangers() else { return };
    let hopper = Hopper::on(&bed);
    let ended = trust_answering(&hopper, "yes", &[]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    for host in 1..=3 {
        assert!(ended.stdout.contains(&bed.host_key(host).fingerprint()), "{}", ended.stdout);
    }
    assert_eq!(known(&bed), all_known(&bed));
    assert_eq!((bed.logins(1), bed.logins(2), bed.logins(3)), (1, 1, 0));
    assert!(!bed.log(3).contains(REQUEST), "nobody has to log in to see a key");
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    let again = trust(&hopper, &["--no-input", "--json"]);
    assert_eq!(again.code, 0, "{}", again.stdout);
    let told: Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(told["schema"], "hopper.trust/1");
    for host in 1..=3 {
        let shown = &told["hosts"][host - 1];
        let wanted = json!({ "host": id(host), "algorithm": "ssh-ed25519",
            "fingerprint": bed.host_key(host).fingerprint(), "trusted": "recorded" });
        assert_eq!(*shown, wanted);
    }
    hopper.assert_nothing_left();
}

#[test]
fn without_a_person_it_takes_a_word_for_each_new_key() {
    let Some(bed) = strangers() else { return };
    let hopper = Hopper::on(&bed);
    let ended = trust(&hopper, &[]);
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    for words in ["H0502", "h1", &bed.host_key(1).fingerprint(), "terminal", "--accept-new", "h2, h3"] {
        assert!(ended.stderr.contains(words), "does not say {words}: {}", ended.stderr);
    }
    assert_eq!((bed.logins(1), known(&bed)), (0, String::new()));
    let ended = trust(&hopper, &["--accept-new"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(known(&bed), all_known(&bed));
}

#[test]
fn a_named_host_is_reached_through_those_before_it() {
    let Some(bed) = strangers() else { return };
    let hopper = Hopper::on(&bed);
    let ended = trust(&hopper, &["h2", "--accept-new"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(ended.stdout.lines().count(), 2, "{}", ended.stdout);
    assert_eq!((bed.logins(1), bed.logins(2), bed.visits(3)), (1, 0, 0));
    let ended = trust(&hopper, &["h4"]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("H0310") && ended.stderr.contains("h4"), "{}", ended.stderr);
}

#[test]
fn pins_are_printed_and_nothing_is_recorded() {
    let Some(bed) = strangers() else { return };
    let hopper = Hopper::on(&bed);
    let ended = trust(&hopper, &["--print", "--accept-new"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(known(&bed), "");
    let pins: Value = serde_json::from_str(&format!("{{{}}}", ended.stdout.trim().trim_end_matches(',')))
        .unwrap_or_else(|e| panic!("{e}: {}", ended.stdout));
    let mut topology = Topology::line(&bed);
    for host in 1..=3 {
        topology = topology.host(host, "host_key", pins[id(host)]["host_key"].clone());
    }
    hopper.up(&topology, &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_changed_key_is_replaced_only_when_it_is_spelled_out() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    bed.restart_sshd(3, TALKATIVE);
    let (before, other) =
        (Key::make(bed.path("before/key"), "ed25519", ""), Key::make(bed.path("other/key"), "ecdsa", ""));
    let name = network::name(3);
    let rest: String = (1..=2).map(|host| bed.host_key(host).known_as(&network::name(host))).collect();
    let kept = format!("# kept\n{}", before.known_as("elsewhere.test"));
    let text = format!("{rest}{}{}{kept}", before.known_as(&name), other.known_as(&name));
    fs::write(bed.known_hosts(), &text).expect("write known_hosts");
    let hopper = Hopper::on(&bed);
    let is = bed.host_key(3).fingerprint();
    for words in [
        &["h3"][..],
        &["h3", "--accept-new"],
        &["h3", "--replace", &before.fingerprint()],
        // The key is another host's.
        &["h2", "--replace", &is],
    ] {
        let ended = trust(&hopper, words);
        let refused = words[0] == "h3";
        assert_eq!(ended.code, if refused { 5 } else { 0 }, "{words:?}: {}", ended.stderr);
        assert!(
            !refused || (ended.stderr.contains("H0501") && ended.stderr.contains(&is)),
            "{}",
            ended.stderr
        );
        assert_eq!(known(&bed), text, "{words:?}");
    }
    for wrong in ["SHA256:short", "yes", ""] {
        assert_eq!(trust(&hopper, &["h3", "--replace", wrong]).code, 2, "{wrong}");
    }
    assert_eq!(trust(&hopper, &["h2", "h3", "--replace", &is]).code, 2);
    assert!(!bed.log(3).contains(REQUEST));
    let ended = trust(&hopper, &["h3", "--replace", &is]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(known(&bed), format!("{rest}{kept}{}", bed.host_key(3).known_as(&name)));
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}
