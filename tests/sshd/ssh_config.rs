//! A person's own `~/.ssh/config`, read by the installed `ssh`: hosts that are described there alone are reached as
//! `ssh` itself would reach them.

use std::fs;

use serde_json::{Value, json};

use super::bed::{Bed, FAR, NEAR};
use super::certificates::{certificate, signed};
use super::hopper::{Ended, Hopper};
use super::keys::Key;
use super::load::MIB;
use super::network;
use super::topology::{NAME, Topology};

/// Writes the configuration.
fn config(bed: &Bed, text: &str) {
    fs::write(bed.path("home/.ssh/config"), text).expect("write the configuration");
}

/// A topology of these hosts and links, with the data server within the last host.
fn of(bed: &Bed, hosts: Value, links: Value, last: &str) -> Topology {
    let forwards = json!({ "data": { "listen": NEAR, "to": format!("{last}/127.0.0.1:{FAR}") } });
    Topology::line(bed).top("hosts", hosts).top("links", links).top("forwards", forwards)
}

fn works(hopper: &Hopper, topology: &Topology) -> Ended {
    let ended = hopper.try_up(topology, &["-d"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    hopper.bed().load_whole(0, NEAR, &[("both", MIB, 1)]);
    ended
}

fn over(hopper: &Hopper) {
    hopper.down();
    hopper.assert_nothing_left();
}

/// Two hosts; the second is not like any other, and only the configuration says how.
fn odd() -> Option<Bed> {
    let bed = Bed::line(2)?;
    bed.far_end(2);
    bed.restart_sshd(2, "Port 2222");
    bed.open(2, 2222);
    let key = Key::make(bed.path("home/.ssh/for_two"), "ed25519", "");
    bed.authorize(2, &key.public());
    let known = bed.path("home/.ssh/known_elsewhere");
    fs::write(&known, bed.host_key(2).known_as("branch")).expect("write known hosts");
    fs::write(bed.known_hosts(), bed.host_key(1).known_as(&network::name(1))).expect("write known hosts");
    let text = format!(
        "Host *\n  ServerAliveInterval 2\nHost one\n  HostName {}\n  User root\nHost two\n  HostName {}\n  User root\n  \
         Port 2222\n  IdentityFile ~/.ssh/for_%n\n  IdentitiesOnly yes\n  HostKeyAlias branch\n  \
         UserKnownHostsFile {}\n",
        network::name(1),
        network::name(2),
        known.display()
    );
    config(&bed, &text);
    Some(bed)
}

#[test]
fn hosts_that_only_the_configuration_describes_are_reached() {
    let Some(bed) = odd() else { return };
    let hopper = Hopper::on(&bed);
    works(&hopper, &of(&bed, json!({ "one": {}, "two": {} }), json!(["local -> one -> two"]), "two"));
    over(&hopper);
    let named = json!({ "first": { "ssh_config": "one" }, "last": { "ssh_config": "two" } });
    works(&hopper, &of(&bed, named, json!(["local -> first -> last"]), "last"));
    over(&hopper);
}

#[test]
fn without_the_configuration_they_are_not() {
    let Some(bed) = odd() else { return };
    let hopper = Hopper::on(&bed);
    let topology =
        of(&bed, json!({ "one": {}, "two": {} }), json!(["local -> one -> two"]), "two").impatient();
    let ended = hopper.try_up(&topology, &["-d", "--no-resolve"]);
    assert_eq!(ended.code, 6, "{}", ended.stderr);
    let off = topology.hosts("ssh_config", json!(false));
    assert_eq!(hopper.try_up(&off, &["-d"]).code, 6);
    hopper.assert_nothing_left();
}

#[test]
fn the_file_stands_above_the_configuration() {
    let Some(bed) = odd() else { return };
    let hopper = Hopper::on(&bed);
    let known = json!({ "alias": "hop2.test", "file": "~/.ssh/known_mine" });
    fs::write(bed.path("home/.ssh/known_mine"), bed.host_key(2).known_as("hop2.test"))
        .expect("write known hosts");
    let two = json!({ "host_key": known, "user": "nobody-here", "timeout": { "login": "5s" } });
    let topology = of(&bed, json!({ "one": {}, "two": two }), json!(["local -> one -> two"]), "two");
    let ended = hopper.try_up(&topology, &["-d"]);
    // It got as far as the login, which takes the port of the configuration and the known_hosts of the file.
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("nobody-here") && bed.log(2).contains("nobody-here"), "{}", ended.stderr);
    hopper.assert_nothing_left();
}

#[test]
fn a_certificate_of_the_configuration_is_signed_for_by_the_key_it_is_for() {
    let Some((bed, key)) = signed("ed25519", "root", &[]) else { return };
    let apart = bed.path("home/.ssh/given");
    fs::rename(certificate(&key), &apart).expect("put the certificate elsewhere");
    let hopper = Hopper::on(&bed);
    let files = "Host *\n  User root\n  CertificateFile ~/.ssh/given\n";
    for keys in ["", "  IdentityFile ~/.ssh/signed\n", "  IdentityFile ~/.ssh/signed\n  IdentitiesOnly yes\n"]
    {
        if keys.is_empty() {
            // No key is named, so the usual ones are at hand: this one is one of them.
            let usual = bed.path("home/.ssh/id_ecdsa");
            fs::copy(key.path(), &usual).expect("copy the key");
        } else {
            fs::remove_file(bed.path("home/.ssh/id_ecdsa")).ok();
        }
        config(&bed, &format!("{files}{keys}"));
        let ended = works(&hopper, &Topology::line(&bed));
        assert!(ended.stderr.contains("T2 h2: up") && !ended.stderr.contains("left out"), "{}", ended.stderr);
        over(&hopper);
    }
    for host in 1..=2 {
        let log = bed.log(host);
        let logins: Vec<_> =
            log.lines().filter(|line| line.starts_with("Accepted publickey for root")).collect();
        assert_eq!(logins.len(), 3, "{log}");
        assert!(logins.iter().all(|line| line.contains("ssh2: ED25519-CERT")), "{log}");
    }
}

#[test]
fn a_proxy_jump_becomes_a_route_and_those_of_jumps_are_followed() {
    let Some(bed) = Bed::line(3) else { return };
    bed.far_end(3);
    let names: Vec<_> = (1..=3).map(network::name).collect();
    let text = format!(
        "Host inner\n  HostName {}\n  ProxyJump middle\nHost middle\n  HostName {}\n  ProxyJump outer\n\
         Host outer\n  HostName {}\nHost *\n  User root\n",
        names[2], names[1], names[0]
    );
    config(&bed, &text);
    let hopper = Hopper::on(&bed);
    let topology = of(&bed, json!({ "inner": {} }), json!([]), "inner");
    works(&hopper, &topology);
    let status = hopper.status().expect("status answers");
    let servers: Vec<_> =
        status["tunnels"].as_array().expect("tunnels").iter().map(|it| &it["server"]).collect();
    assert_eq!(servers, ["outer", "middle", "inner"]);
    over(&hopper);

    // Several in one line, with user and port; what is behind the first has no way of its own.
    let text = format!(
        "Host inner\n  HostName {}\n  ProxyJump root@{}:22,root@{}\n  User root\n",
        names[2], names[0], names[1]
    );
    config(&bed, &text);
    works(&hopper, &topology);
    over(&hopper);
}

#[test]
fn what_plan_shows_is_what_up_builds() {
    let Some(bed) = odd() else { return };
    let hopper = Hopper::on(&bed);
    let topology = of(&bed, json!({ "one": {}, "two": {} }), json!(["local -> one -> two"]), "two");
    works(&hopper, &topology);
    let file = topology.write(&bed);
    let file = file.to_str().expect("a plain path");
    let same = hopper.run(&["plan", file, "--diff", "--detailed-exitcode"]);
    assert_eq!(same.code, 0, "{}{}", same.stdout, same.stderr);
    let other = hopper.run(&["plan", file, "--diff", "--detailed-exitcode", "--no-resolve"]);
    assert_eq!(other.code, 2, "{}{}", other.stdout, other.stderr);
    let shown = hopper.run(&["plan", file, "--resolve"]);
    assert!(shown.stdout.contains("ssh  hop2.test:2222"), "{}", shown.stdout);
    over(&hopper);
}

#[test]
fn algorithms_of_the_configuration_are_used_and_old_ones_warned_of() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    bed.restart_sshd(1, "KexAlgorithms diffie-hellman-group14-sha1\nLogLevel DEBUG1");
    let hopper = Hopper::on(&bed);
    let topology = Topology::line(&bed);
    assert_eq!(hopper.try_up(&topology, &["-d"]).code, 6);
    config(&bed, "Host hop1.test\n  KexAlgorithms +diffie-hellman-group14-sha1\n  Ciphers aes192-ctr\n");
    let ended = works(&hopper, &topology);
    let said = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let warning =
        "warning: h1 may use algorithms that are broken or nearly so: diffie-hellman-group14-sha1 data:";
    assert!(said.contains(warning), "{}", ended.stderr);
    assert!(bed.log(1).contains("cipher: aes192-ctr"), "another cipher than the configuration's");
    over(&hopper);
}

#[test]
fn a_match_runs_its_command_when_up_asks_and_not_before() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let mark = bed.path("ran");
    config(&bed, &format!("Match exec \"touch {}\"\n  User root\n", mark.display()));
    let hopper = Hopper::on(&bed);
    let topology = of(&bed, json!({ "h": network::name(1) }), json!(["local -> h"]), "h");
    let file = topology.write(&bed);
    assert_eq!(hopper.run(&["plan", file.to_str().expect("a plain path")]).code, 0);
    assert!(!mark.exists(), "plan ran a command of the person's");
    works(&hopper, &topology);
    assert!(mark.exists(), "up did not ask ssh");
    over(&hopper);
}

#[test]
fn a_configuration_that_hangs_or_is_broken_ends_it_before_anybody_is_contacted() {
    let Some(bed) = Bed::line(1) else { return };
    let hopper = Hopper::on(&bed);
    for (text, words) in [
        ("Match exec \"exec tail -f /dev/null\"\n  User root\n", "did not answer for h1 within 5 s"),
        ("Host *\n  NoSuchThing yes\n", "Bad configuration option: nosuchthing"),
        ("Host *\n  ProxyCommand nc %h %p\n", "H0312"),
        ("Host *\n  ProxyJump hop1.test\n", "jumphost loop"),
    ] {
        config(&bed, text);
        let ended = hopper.try_up(&Topology::line(&bed), &["--progress", "plain"]);
        assert_eq!(ended.code, 10, "{text}: {}", ended.stderr);
        let said = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(words), "{text}: does not say {words}: {}", ended.stderr);
        hopper.assert_nothing_left();
    }
    assert_eq!(bed.visits(1), 0, "{NAME} contacted a host");
}
