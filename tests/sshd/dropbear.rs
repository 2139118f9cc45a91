//! dropbear as a host on the way: before an OpenSSH one and behind one.

use std::fs;

use serde_json::json;

use super::bed::{Bed, NEAR};
use super::command::{argv, must};
use super::hopper::{Ended, Hopper};
use super::keys::Key;
use super::load::MIB;
use super::network;
use super::topology::Topology;
use super::until::{SOON, until};

/// Two hosts, of which this one runs dropbear with these options and the other one OpenSSH.
fn with_dropbear(on: usize, options: &[&str]) -> Option<Bed> {
    let bed = Bed::hosts(2)?;
    bed.start_sshd(3 - on, "");
    start_dropbear(&bed, on, bed.host_key(on), options);
    bed.far_end(2);
    Some(bed)
}

/// It reads nobody's keys but those in the home of the list of users, so it gets a list of its own.
fn start_dropbear(bed: &Bed, host: usize, key: Key, options: &[&str]) {
    let home = bed.path(&format!("host{host}/home"));
    fs::create_dir_all(home.join(".ssh")).expect("make a home");
    fs::write(home.join(".ssh/authorized_keys"), bed.key().public() + "\n").expect("let the key in");
    let users = bed.path(&format!("host{host}/etc"));
    fs::create_dir_all(&users).expect("make a folder");
    fs::write(users.join("passwd"), format!("root:x:0:0:root:{}:/bin/sh\n", home.display()))
        .expect("write the list of users");
    let own = bed.path(&format!("host{host}/dropbear_key"));
    must(argv(&["dropbearconvert", "openssh", "dropbear"]).arg(key.path()).arg(&own));
    let mut server = bed.with_own_accounts(host, "dropbear");
    server.args(["-F", "-E", "-s", "-p", "22", "-r"]).arg(own);
    server.arg("-P").arg(bed.path(&format!("host{host}/pid"))).args(options);
    bed.background(host, &format!("dropbear{host}"), &mut server);
    bed.wait_for_port(host, 22);
}

fn log(bed: &Bed, host: usize) -> String {
    fs::read_to_string(bed.path(&format!("dropbear{host}.log"))).unwrap_or_default()
}

/// Insists that hopper left nothing, on the host with dropbear neither: one process for each session, and one that
/// listens.
fn nothing_left(hopper: &Hopper, host: usize) {
    hopper.assert_nothing_left();
    let is_it = |pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "dropbear")
    };
    let processes = || hopper.bed().pids(host).into_iter().filter(is_it).count();
    assert!(until(SOON, || processes() == 1), "{} of dropbear: {}", processes(), log(hopper.bed(), host));
}

fn told(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, code, "{}", ended.stderr);
    for words in words {
        assert!(ended.stderr.contains(words), "does not say {words}: {}", ended.stderr);
    }
}

fn carries_and_vanishes(on: usize) {
    let Some(bed) = with_dropbear(on, &[]) else { return };
    let hopper = Hopper::on(&bed);
    for carrier in ["channel", "port"] {
        hopper.up(&Topology::line(&bed), &["--carrier", carrier]);
        bed.load_whole(0, NEAR, &[("both", 4 * MIB, 8), ("half", MIB, 4)]);
        let status = hopper.status().expect("status answers");
        assert_eq!(status["state"], "up", "{status}");
        hopper.down();
        nothing_left(&hopper, on);
    }
    let said = log(&bed, on);
    assert_eq!(said.matches("Pubkey auth succeeded for 'root'").count(), 2, "{said}");
    assert_eq!(bed.logins(3 - on), 2, "{}", bed.log(3 - on));
}

#[test]
fn dropbear_before_openssh_carries_whole_streams_and_keeps_nothing() {
    carries_and_vanishes(1);
}

#[test]
fn dropbear_behind_openssh_carries_whole_streams_and_keeps_nothing() {
    carries_and_vanishes(2);
}

/// Every kind of host key that it has.
#[test]
fn the_key_of_dropbear_is_judged_by_the_records() {
    for kind in ["ecdsa", "rsa"] {
        let Some(bed) = Bed::hosts(2) else { return };
        bed.start_sshd(1, "");
        let key = Key::make(bed.path("host2/other"), kind, "");
        start_dropbear(&bed, 2, key.clone(), &[]);
        bed.far_end(2);
        // The bed has recorded another key for it.
        let hopper = Hopper::on(&bed);
        let ended = hopper.try_up(&Topology::line(&bed), &["-d"]);
        told(&ended, 5, &["H0501", &key.fingerprint(), "nothing was sent to h2"]);
        assert!(!log(&bed, 2).contains("user '"), "it heard who we are: {}", log(&bed, 2));
        nothing_left(&hopper, 2);
        let known = bed.host_key(1).known_as(&network::name(1)) + &key.known_as(&network::name(2));
        fs::write(bed.known_hosts(), known).expect("write known_hosts");
        let hopper = Hopper::on(&bed);
        hopper.up(&Topology::line(&bed), &[]);
        bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
        hopper.down();
        nothing_left(&hopper, 2);
    }
}

/// Under a policy that records: it neither announces keys nor proves any, and what it showed is all that is learned.
#[test]
fn a_new_dropbear_is_recorded_with_the_key_that_it_shows() {
    let Some(bed) = with_dropbear(2, &[]) else { return };
    let first = bed.host_key(1).known_as(&network::name(1));
    fs::write(bed.known_hosts(), &first).expect("write known_hosts");
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed).host(2, "host_key", json!({ "policy": "accept-new" })), &[]);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    let known = fs::read_to_string(bed.known_hosts()).expect("read known_hosts");
    assert_eq!(known, first + &bed.host_key(2).known_as(&network::name(2)));
}

#[test]
fn a_dropbear_that_forwards_nothing_is_named() {
    let Some(bed) = with_dropbear(1, &["-j"]) else { return };
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&Topology::line(&bed), &["--progress", "plain"]);
    // It gives a reason by number, and no words.
    told(&ended, 7, &["H0702", "h1 will not open hop2.test:22", "administratively prohibited", "hop 1 of 2"]);
    nothing_left(&hopper, 1);
}

#[test]
fn a_closed_port_behind_dropbear_and_a_refused_login_are_told_as_of_any_host() {
    let Some(bed) = with_dropbear(2, &[]) else { return };
    let hopper = Hopper::on(&bed);
    let forwards = json!({ "data": { "listen": NEAR, "to": "h2/127.0.0.1:9" } });
    let ended = hopper.try_up(&Topology::line(&bed).top("forwards", forwards), &["--progress", "plain"]);
    told(&ended, 7, &["H0703", "h2 cannot connect to 127.0.0.1:9", "Connection refused", "hop 2 of 2"]);
    nothing_left(&hopper, 2);
    fs::write(bed.path("host2/home/.ssh/authorized_keys"), "").expect("let nobody in");
    let ended = hopper.try_up(&Topology::line(&bed), &["--progress", "plain"]);
    told(
        &ended,
        4,
        &["H0401", "h2 refused every way to log in", "refused", "accepts    publickey", "hop 2 of 2"],
    );
    nothing_left(&hopper, 2);
}
