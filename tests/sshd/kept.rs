//! Listeners that somebody else keeps: a link with `dial` leads through one, and hopper never touches it.

use serde_json::json;

use super::bed::{Bed, NEAR};
use super::command::signal;
use super::hopper::Hopper;
use super::load::MIB;
use super::network;
use super::topology::{Topology, id};
use super::until::{SOON, until};

/// Where somebody's own ssh listens on host 1, for host 2.
const KEPT: u16 = 2299;

/// Whoever keeps it: their client on host 1, and what serves it on host 2.
struct Keeper {
    pid: u32,
    servers: Vec<u32>,
}

/// Two hosts; local gets to the second only through a listener on the first that is not hopper's.
fn bed() -> Option<(Bed, Keeper)> {
    let bed = Bed::line(2)?;
    bed.far_end(2);
    bed.open(1, KEPT);
    let mut somebody = bed.on(1, "ssh");
    somebody.args(["-F", "none", "-N", "-g", "-o", "BatchMode=yes", "-i"]).arg(bed.key().path());
    somebody.arg("-o").arg(format!("UserKnownHostsFile={}", bed.known_hosts().display()));
    let name = network::name(2);
    somebody.args(["-L", &format!("{KEPT}:127.0.0.1:22"), &format!("root@{name}")]);
    let pid = bed.background(1, "somebody", &mut somebody);
    bed.wait_for_port(1, KEPT);
    // Its server is all there once it leads somebody on.
    assert_eq!(bed.connects(0, &network::address(1), KEPT), "ok");
    let servers = bed.sessions(2);
    Some((bed, Keeper { pid, servers }))
}

fn topology(bed: &Bed) -> Topology {
    let dial = format!("{}:{KEPT}", network::name(1));
    Topology::line(bed).top("links", json!([{ "from": "local", "to": id(2), "dial": dial }]))
}

/// The listener and whoever keeps it are there as before, and it still leads to host 2.
fn assert_untouched(bed: &Bed, keeper: &Keeper) {
    assert!(bed.pids(1).contains(&keeper.pid), "whoever keeps it is gone");
    assert_eq!(bed.connects(0, &network::address(1), KEPT), "ok");
}

/// Of hopper there is nothing, and host 2 serves nobody but whoever keeps the listener.
fn assert_only_the_keeper_is_left(hopper: &Hopper, keeper: &Keeper) {
    assert!(until(SOON, || hopper.processes().is_empty()), "hopper lives on");
    assert!(until(SOON, || hopper.new_listeners().is_empty()), "{:?}", hopper.new_listeners());
    let bed = hopper.bed();
    assert!(
        until(SOON, || bed.sessions(2).iter().all(|pid| keeper.servers.contains(pid))),
        "{:?}",
        bed.sessions(2)
    );
}

#[test]
fn a_listener_of_somebody_else_is_used_and_left_alone() {
    let Some((bed, keeper)) = bed() else { return };
    let hopper = Hopper::on(&bed);
    for how in ["down", "KILL"] {
        hopper.up(&topology(&bed), &[]);
        bed.load_whole(0, NEAR, &[("both", MIB, 4)]);
        assert_eq!(bed.logins(1), 0, "hopper has no business on host 1");
        if how == "down" {
            hopper.down();
        } else {
            signal(how, hopper.pid());
        }
        assert_only_the_keeper_is_left(&hopper, &keeper);
        assert_untouched(&bed, &keeper);
    }
}

/// The key is looked up under the host's own name, not that of whoever has the listener.
#[test]
fn behind_such_a_listener_only_the_right_host_is_believed() {
    let Some((bed, keeper)) = bed() else { return };
    let known = bed.host_key(1).known_as(&network::name(1)) + &bed.host_key(1).known_as(&network::name(2));
    std::fs::write(bed.known_hosts(), known).expect("write known_hosts");
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&topology(&bed), &[]);
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    assert_only_the_keeper_is_left(&hopper, &keeper);
    assert_untouched(&bed, &keeper);
}
