//! What `plan --ssh` prints for clients on hosts in between, run as it is: OpenSSH alone must build the same.

use serde_json::json;

use super::bed::{Bed, FAR, NEAR};
use super::command::signal;
use super::hopper::Hopper;
use super::load::MIB;
use super::network;
use super::telescope::{assert_no_client_within, clients, line, topology};
use super::until::{SOON, until};

/// Prints the commands of a route and gives them to a shell on host 0.
fn run_by_hand(bed: &Bed, hops: usize, plain: bool) -> String {
    let hopper = Hopper::on(bed);
    let topology = topology(bed, hops, plain).hosts("identities_only", json!(true));
    let file = topology.write(bed);
    let planned = hopper.run(&["plan", file.to_str().expect("a plain path"), "--ssh"]);
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    let script = bed.path("by-hand.log");
    std::fs::write(&script, &planned.stdout).expect("write the script");
    let ended = hopper.start_command(bed.on(0, "sh").arg(script)).ended();
    assert_eq!(ended.code, 0, "{}\n{}", ended.stderr, planned.stdout);
    planned.stdout
}

/// The clients on host 0: what a person would end.
fn typed(bed: &Bed) -> Vec<u32> {
    let is_ssh = |pid: &u32| {
        std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "ssh")
    };
    bed.pids(0).into_iter().filter(is_ssh).collect()
}

#[test]
fn the_commands_start_clients_elsewhere_and_end_with_them() {
    // One client elsewhere, and two of which the outer one rides the inner.
    for (hops, elsewhere) in [(4, 1), (6, 2)] {
        let Some(bed) = line(hops) else { return };
        let before = bed.listeners(0);
        run_by_hand(&bed, hops, false);
        assert_eq!(clients(&bed).len(), elsewhere, "{hops}: {:?}", clients(&bed));
        bed.load_whole(0, NEAR, &[("both", MIB, 4), ("half", MIB, 2)]);
        for pid in typed(&bed) {
            signal("TERM", pid);
        }
        assert!(until(SOON, || bed.listeners(0) == before), "still listens: {:?}", bed.listeners(0));
        assert_no_client_within(&bed, SOON);
    }
}

#[test]
fn where_the_first_hop_is_plain_a_person_connects_to_the_listener_there() {
    let Some(bed) = line(3) else { return };
    let script = run_by_hand(&bed, 3, true);
    let words = format!("# data: {}:2201 -> h3:{FAR}; connect to that yourself", network::name(1));
    assert!(script.contains(&words), "{script}");
    let listens = || bed.listeners(1).iter().any(|address| address.ends_with(":2201"));
    assert!(until(SOON, listens), "{:?}", bed.listeners(1));
    let outcomes = bed.load(0, &network::address(1), 2201, &[("both", MIB, 4)]);
    assert!(outcomes.iter().all(|outcome| outcome.end == "ok"), "{outcomes:?}");
    for pid in typed(&bed) {
        signal("TERM", pid);
    }
    assert_no_client_within(&bed, SOON);
}
