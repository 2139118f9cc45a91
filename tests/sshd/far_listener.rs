//! Forwards that listen on another host: for clients there, for the branch office that nobody can dial, and where
//! a server makes something else of what it is asked for.

use serde_json::{Value, json};

use super::bed::{Bed, FAR, NEAR};
use super::command::{must, signal};
use super::hopper::Hopper;
use super::load::MIB;
use super::network;
use super::topology::{Topology, id};
use super::until::{SOON, until};

/// Where a host listens for hopper.
const DOOR: u16 = 2201;

fn forwarding(bed: &Bed, forwards: Value) -> Topology {
    Topology::line(bed).top("forwards", forwards)
}

/// What listens at this port of a host, by address.
fn listening(bed: &Bed, host: usize, port: u16) -> Vec<String> {
    let end = format!(":{port}");
    let found = bed.listeners(host).into_iter();
    found.filter_map(|address| Some(address.strip_suffix(&end)?.to_owned())).collect()
}

#[test]
fn clients_of_a_far_host_reach_what_local_and_other_hosts_reach() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(0);
    bed.far_end(1);
    let hopper = Hopper::on(&bed);
    let topology = forwarding(
        &bed,
        json!({
            "back": { "listen": "h2/7101", "to": format!("local:{FAR}") },
            "across": { "listen": "h2/7102", "to": format!("h1/127.0.0.1:{FAR}") },
            "chosen": { "listen": "h1/auto", "to": format!("local:{FAR}") },
        }),
    );
    hopper.up(&topology, &[]);
    let status = hopper.status().expect("status answers");
    let listens: Vec<_> =
        status["forwards"].as_array().expect("forwards").iter().map(|it| &it["listen"]).collect();
    assert_eq!(listens[..2], ["h2/127.0.0.1:7102", "h2/127.0.0.1:7101"], "across and back");
    let chosen =
        listens[2].as_str().and_then(|text| text.strip_prefix("h1/127.0.0.1:")).expect("a port of h1");
    let chosen: u16 = chosen.parse().expect("a port");
    for (host, port) in [(2, 7101), (2, 7102), (1, chosen)] {
        assert_eq!(listening(&bed, host, port), ["127.0.0.1"], "only for the host itself");
        bed.load_whole(host, port, &[("both", MIB, 8), ("half", MIB, 2), ("get", 8 * MIB, 1)]);
    }
    let status = hopper.status().expect("status answers");
    assert!(status["forwards"][1]["bytes_up"].as_u64().is_some_and(|bytes| bytes >= 8 * MIB), "{status}");
    hopper.down();
    for (host, port) in [(2, 7101), (2, 7102), (1, chosen)] {
        assert_eq!(listening(&bed, host, port), [""; 0], "given back");
    }
    hopper.assert_nothing_left();
}

/// The branch is host 2: nobody can dial it, and it can dial host 1, where head office, host 0, can log in too.
fn branch() -> Option<(Bed, Topology)> {
    let bed = Bed::line(2)?;
    must(bed.on(2, "nft").args(["delete", "element", "inet", "bed", "open", "{ 22 }"]));
    must(
        bed.on(1, "nft")
            .args(["add", "rule", "inet", "bed", "in", "iifname", "fore", "tcp", "dport", "22", "accept"]),
    );
    bed.far_end(2);
    let topology = Topology::line(&bed)
        .top("links", json!(["local -> h1", { "from": "h2", "to": "h1", "dial": "10.77.2.1" }]))
        .top(
            "forwards",
            json!({
                "door": { "at": "h2", "listen": format!("h1/{DOOR}"), "to": "h2:22", "check": { "banner": "SSH-" } },
                "data": { "listen": NEAR, "to": format!("h2/127.0.0.1:{FAR}") },
            }),
        );
    Some((bed, topology))
}

#[test]
fn a_branch_that_only_dials_out_is_entered_from_one_file_used_at_both_ends() {
    let Some((bed, topology)) = branch() else { return };
    assert_eq!(bed.connects(1, &network::address(2), 22), "silent", "the branch can be dialled");
    let file = topology.write(&bed);
    let file = file.to_str().expect("a plain path");
    let (office, branch) = (Hopper::on(&bed), Hopper::at(&bed, 2));
    // Head office first: what it needs is not there yet.
    let mut outer = office.start(&["up", file]);
    let waits = "T2 h2: waits for 127.0.0.1:2201 from h1, kept by hopper at h2";
    assert!(until(SOON, || outer.stderr().contains(waits) || outer.is_over()), "{}", outer.stderr());
    branch.run(&["up", file, "--at", "h2", "-d"]);
    assert_eq!(listening(&bed, 1, DOOR), ["127.0.0.1"]);
    let up = until(SOON, || office.status().is_some_and(|status| status["state"] == "up"));
    assert!(up, "{}", outer.stderr());
    bed.load_whole(0, NEAR, &[("both", MIB, 8), ("half", MIB, 2)]);
    assert_eq!(bed.logins(1), 2, "one from either side");
    let trusted = office.run(&["trust", file, "h2"]);
    assert_eq!(trusted.code, 0, "the way in is one for trust too: {}", trusted.stderr);
    office.down();
    assert_eq!(outer.ended().code, 0);
    assert_eq!(listening(&bed, 1, DOOR), ["127.0.0.1"], "head office leaves alone what the branch keeps");
    branch.down();
    assert_eq!(listening(&bed, 1, DOOR), [""; 0]);
    office.assert_nothing_left();
}

#[test]
fn what_is_lost_while_the_branch_is_waited_for_is_rebuilt() {
    let Some((bed, topology)) = branch() else { return };
    let file = topology.write(&bed);
    let file = file.to_str().expect("a plain path");
    let (office, branch) = (Hopper::on(&bed), Hopper::at(&bed, 2));
    let mut outer = office.start(&["up", file]);
    let waits = "T2 h2: waits for 127.0.0.1:2201 from h1, kept by hopper at h2";
    assert!(until(SOON, || outer.stderr().contains(waits) || outer.is_over()), "{}", outer.stderr());
    assert_eq!(office.status().expect("status answers")["tunnels"][1]["state"], "waiting");
    assert!(bed.sessions(1).into_iter().all(|session| signal("KILL", session)));
    let rebuilt = |status: serde_json::Value| {
        status["tunnels"][0]["reconnects"] == 1 && status["tunnels"][1]["state"] == "waiting"
    };
    let again = until(SOON, || office.status().is_some_and(rebuilt) || outer.is_over());
    assert!(again && !outer.is_over(), "{}", outer.stderr());
    assert!(outer.stderr().contains("T1 h1: lost, rebuilding it with the one that"), "{}", outer.stderr());
    branch.run(&["up", file, "--at", "h2", "-d"]);
    let up = until(SOON, || office.status().is_some_and(|status| status["state"] == "up"));
    assert!(up, "{}", outer.stderr());
    office.down();
    branch.down();
}

#[test]
fn an_absent_branch_that_is_not_required_keeps_nobody_waiting() {
    let Some((bed, topology)) = branch() else { return };
    bed.far_end(1);
    let topology = topology.top(
        "forwards",
        json!({
            "door": { "at": "h2", "listen": format!("h1/{DOOR}"), "to": "h2:22", "check": { "banner": "SSH-" } },
            "data": { "listen": "auto", "to": format!("h2/127.0.0.1:{FAR}"), "required": false },
            "near": { "listen": NEAR, "to": format!("h1/127.0.0.1:{FAR}") },
        }),
    );
    let file = topology.write(&bed);
    let file = file.to_str().expect("a plain path");
    let (office, branch) = (Hopper::on(&bed), Hopper::at(&bed, 2));
    assert_eq!(office.run(&["up", file, "-d"]).code, 8);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    branch.run(&["up", file, "--at", "h2", "-d"]);
    let up = until(SOON, || office.status().is_some_and(|status| status["state"] == "up"));
    assert!(up, "{:?}", office.status());
    office.down();
    branch.down();
    office.assert_nothing_left();
}

#[test]
fn the_branch_comes_in_over_a_port_carrier_too() {
    let Some((bed, topology)) = branch() else { return };
    let file = topology.write(&bed);
    let file = file.to_str().expect("a plain path");
    let (office, branch) = (Hopper::on(&bed), Hopper::at(&bed, 2));
    assert_eq!(branch.run(&["up", file, "--at", "h2", "-d"]).code, 0);
    office.up(&topology, &["--carrier", "port"]);
    bed.load_whole(0, NEAR, &[("both", MIB, 4)]);
    // A branch whose hopper is gone is a session that is lost, and the host that carried it is not to blame.
    signal("KILL", branch.pid());
    let standing = || office.status().expect("status answers");
    assert!(until(SOON, || standing()["state"] == "degraded"), "it does not notice");
    assert!(until(SOON, || listening(&bed, 1, DOOR).is_empty()), "the door goes with the branch");
    assert_eq!(branch.run(&["up", file, "--at", "h2", "-d"]).code, 0);
    assert!(until(SOON, || standing()["state"] == "up"), "{}", standing());
    assert_eq!(standing()["tunnels"][0]["reconnects"], 0, "{}", standing());
    bed.load_whole(0, NEAR, &[("both", MIB, 4)]);
    office.down();
    branch.down();
}

#[test]
fn a_host_that_may_not_listen_is_named() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(0);
    bed.serve(2, "127.0.0.1", 7101, false);
    let hopper = Hopper::on(&bed);
    let back =
        |port: u16| json!({ "back": { "listen": format!("h2/{port}"), "to": format!("local:{FAR}") } });
    let refused = |port: u16| {
        let soon = forwarding(&bed, back(port)).hosts("keepalive", json!({ "interval": "1s", "max": 0 }));
        let ended = hopper.try_up(&soon, &[]);
        assert_eq!(ended.code, 7, "{}", ended.stderr);
        let said = &ended.stderr;
        for words in ["H0707", "h2 will not listen on", "(hop 2 of 2)", "PermitListen 127.0.0.1:710"] {
            assert!(said.contains(words), "no {words:?} in\n{said}");
        }
        hopper.assert_nothing_left();
        ended.stderr
    };
    let said = refused(7101);
    assert!(said.contains("something listens there already, still after 2 s"), "{said}");
    bed.restart_sshd(2, "AllowTcpForwarding local");
    refused(7102);
    bed.restart_sshd(2, "PermitListen 127.0.0.1:9");
    refused(7102);
}

/// A server answers success to every address, wherever it binds.
#[test]
fn a_listener_is_open_to_those_it_should_be_and_to_no_others() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(0);
    let hopper = Hopper::on(&bed);
    let topology = |listen: &str, expose: bool| {
        forwarding(
            &bed,
            json!({ "back": { "listen": listen, "to": format!("local:{FAR}"), "expose": expose } }),
        )
        .host(1, "address", json!(network::address(1)))
        .host(1, "host_key", json!({ "alias": network::name(1) }))
        .host(1, "bind", json!("any"))
    };
    let (own, all) = (format!("{}/7101", id(1)), format!("{}/0.0.0.0:7101", id(1)));
    let refused = |listen: &str, expose: bool, words: &str| {
        let ended = hopper.try_up(&topology(listen, expose), &[]);
        assert_eq!(ended.code, 7, "{}", ended.stderr);
        assert!(ended.stderr.contains("H0708") && ended.stderr.contains(words), "{}", ended.stderr);
        assert_eq!(listening(&bed, 1, 7101), [""; 0]);
        hopper.assert_nothing_left();
    };
    let fine = |listen: &str, expose: bool| {
        hopper.up(&topology(listen, expose), &[]);
        bed.load_whole(1, 7101, &[("both", MIB, 2)]);
        hopper.down();
    };
    bed.restart_sshd(1, "GatewayPorts no");
    fine(&own, false);
    refused(&all, true, "h1 keeps 0.0.0.0:7101 to itself");
    bed.restart_sshd(1, "GatewayPorts yes");
    refused(&own, false, "h1 lets other machines connect to 127.0.0.1:7101");
    fine(&own, true);
    bed.restart_sshd(1, "GatewayPorts clientspecified");
    fine(&own, false);
    fine(&all, true);
}

#[test]
fn an_account_that_is_granted_no_more_than_it_needs_listens() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(0);
    let hopper = Hopper::on(&bed);
    let topology = forwarding(&bed, json!({ "back": { "listen": "h1/7101", "to": format!("local:{FAR}") } }));
    let file = topology.write(&bed);
    let grants = hopper.run(&["plan", file.to_str().expect("a plain path"), "--grants", "--json"]);
    let grants: Value = serde_json::from_str(&grants.stdout).expect("JSON");
    let options = grants["hosts"][0]["keys"][0]["options"].as_str().expect("options");
    bed.authorize(1, &format!("{options} {}", bed.key().public()));
    hopper.up(&topology, &[]);
    bed.load_whole(1, 7101, &[("both", MIB, 2)]);
    hopper.down();
    let other = forwarding(&bed, json!({ "back": { "listen": "h1/7102", "to": format!("local:{FAR}") } }));
    let ended = hopper.try_up(&other, &[]);
    assert!(ended.code == 7 && ended.stderr.contains("H0707"), "{}", ended.stderr);
}

#[test]
fn the_commands_by_hand_have_far_hosts_listen_too() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(0);
    bed.far_end(1);
    let topology = forwarding(
        &bed,
        json!({
            "back": { "listen": "h2/7101", "to": format!("local:{FAR}") },
            "across": { "listen": "h2/7102", "to": format!("h1/127.0.0.1:{FAR}") },
        }),
    )
    .hosts("identities", json!([bed.key().path()]))
    .hosts("host_key", json!({ "file": bed.known_hosts() }));
    let hopper = Hopper::on(&bed);
    let file = topology.write(&bed);
    let planned = hopper.run(&["plan", file.to_str().expect("a plain path"), "--ssh"]);
    let script = bed.path("by-hand.log");
    std::fs::write(&script, &planned.stdout).expect("write the script");
    let ended = hopper.start_command(bed.on(0, "sh").arg(script)).ended();
    assert_eq!(ended.code, 0, "{}\n{}", ended.stderr, planned.stdout);
    for port in [7101, 7102] {
        bed.load_whole(2, port, &[("both", MIB, 4), ("half", MIB, 2)]);
    }
}
