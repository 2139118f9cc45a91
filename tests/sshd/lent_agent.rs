//! The person's agent, lent to a host that runs a client for others and has no key of its own.

use std::fs;

use serde_json::json;

use super::agents::agent_with;
use super::bed::{Bed, NEAR};
use super::command::signal;
use super::hopper::Hopper;
use super::load::MIB;
use super::telescope::{assert_no_client_within, clients, line, topology};
use super::topology::Topology;
use super::until::SOON;

/// Four hops, one client on host 1; the only key that counts is in an agent on local.
fn chain() -> Option<(Bed, Topology, std::path::PathBuf)> {
    let bed = line(4)?;
    let socket = agent_with(&bed, "agent", &[bed.key()]);
    fs::remove_file(bed.key().path()).expect("remove the key");
    fs::remove_file(bed.key().path().with_extension("pub")).expect("and its half");
    let topology = topology(&bed, 4, false).hosts("identities", json!([]));
    Some((bed, topology, socket))
}

fn lent(topology: Topology) -> Topology {
    topology.host(1, "forward_agent", json!(true))
}

#[test]
fn a_host_without_a_key_logs_in_onward_with_the_agent_that_the_file_lends_it() {
    let Some((bed, topology, socket)) = chain() else { return };
    for host in 1..=3 {
        bed.restart_sshd(host, &format!("LogLevel DEBUG1\nSetEnv HOME={}", bed.path("home").display()));
    }
    let hopper = Hopper::on(&bed).with_agent(socket);
    // Unasked it has none.
    let ended = hopper.try_up(&topology, &["--progress", "plain"]);
    assert!(ended.code == 4 && ended.stderr.contains("H0403"), "{}", ended.stderr);
    assert!(!bed.log(1).contains("auth-agent-req@openssh.com"), "{}", bed.log(1));
    let lent = lent(topology);
    hopper.up(&lent, &[]);
    assert_eq!(clients(&bed).len(), 1, "{:?}", clients(&bed));
    bed.load_whole(0, NEAR, &[("both", MIB, 2), ("half", MIB, 1)]);
    let asked = |host| bed.log(host).contains("auth-agent-req@openssh.com");
    assert_eq!([asked(1), asked(2), asked(3)], [true, false, false], "{}", bed.log(1));
    hopper.down();
    assert_no_client_within(&bed, SOON);
    hopper.assert_nothing_left();
}

#[test]
fn an_agent_of_the_hosts_own_setting_is_the_one_that_is_lent() {
    let Some((bed, topology, right)) = chain() else { return };
    let wrong = agent_with(&bed, "wrong", &[]);
    let hopper = Hopper::on(&bed).with_agent(wrong);
    hopper.up(&lent(topology).hosts("agent", json!(right)), &[]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_host_that_passes_on_no_agents_says_so() {
    let Some((bed, topology, socket)) = chain() else { return };
    let home = format!("SetEnv HOME={}", bed.path("home").display());
    bed.restart_sshd(1, &format!("AllowAgentForwarding no\n{home}"));
    let ended = Hopper::on(&bed).with_agent(socket).try_up(&lent(topology), &["--progress", "plain"]);
    assert_eq!(ended.code, 6, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("H0609") && ended.stderr.contains("AllowAgentForwarding"),
        "{}",
        ended.stderr
    );
    assert_no_client_within(&bed, SOON);
}

#[test]
fn the_plan_says_so_and_the_commands_by_hand_lend_it_too() {
    let Some((bed, topology, socket)) = chain() else { return };
    let hopper = Hopper::on(&bed).with_agent(socket);
    let topology = lent(topology).hosts("identities_only", json!(false));
    let file = topology.write(&bed);
    let file = file.to_str().expect("a plain path");
    let planned = hopper.run(&["plan", file]);
    assert!(
        planned.stdout.contains("warning: h1 may use your ssh-agent while it runs T2"),
        "{}",
        planned.stdout
    );
    let json = hopper.run(&["plan", file, "--json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let lends: Vec<_> = json["tunnels"].as_array().expect("tunnels").iter().collect();
    assert_eq!(lends[0]["settings"]["forward_agent"], true);
    assert!(lends[1..].iter().all(|tunnel| tunnel["settings"].get("forward_agent").is_none()));

    let script = hopper.run(&["plan", file, "--ssh"]).stdout;
    assert_eq!(script.matches(" -A ").count(), 1, "{script}");
    let by_hand = bed.path("by-hand.log");
    fs::write(&by_hand, &script).expect("write the script");
    let mut shell = bed.on(0, "sh");
    let ended = hopper.start_command(hopper.environment(&mut shell).arg(by_hand)).ended();
    assert_eq!(ended.code, 0, "{}\n{script}", ended.stderr);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    let is_ssh =
        |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "ssh");
    for pid in bed.pids(0).into_iter().filter(is_ssh) {
        signal("TERM", pid);
    }
    assert_no_client_within(&bed, SOON);
}
