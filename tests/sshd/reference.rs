//! The control: OpenSSH's own `ssh -J` over the same beds. If these fail, the bed is at fault.

use std::fs;

use super::bed::{Bed, FAR, NEAR};
use super::load::MIB;
use super::network;
use super::until::{SOON, until};

/// `ssh -J` on host 0 through every host, listening on [`NEAR`], connecting to `to` from the last host.
pub fn ssh_chain(bed: &Bed, last: usize, to: &str, listen: u16) -> u32 {
    let mut config = format!(
        "Host *\n  User root\n  IdentityFile {}\n  UserKnownHostsFile {}\n  StrictHostKeyChecking yes\n\
         \n  ExitOnForwardFailure yes\n  LogLevel VERBOSE\n",
        bed.key().path().display(),
        bed.known_hosts().display(),
    );
    for host in 2..=last {
        config += &format!("Host {}\n  ProxyJump {}\n", network::name(host), network::name(host - 1));
    }
    let file = bed.path("ssh_config");
    fs::write(&file, config).expect("write ssh_config");
    let mut command = bed.on(0, "ssh");
    command.arg("-F").arg(file).args(["-N", "-L", &format!("127.0.0.1:{listen}:{to}")]);
    command.arg(network::name(last));
    let pid = bed.background(0, "reference-ssh", &mut command);
    bed.wait_for_port(0, listen);
    pid
}

fn far_end_answers_through(last: usize) {
    let Some(bed) = Bed::line(last) else { return };
    bed.far_end(last);
    let pid = ssh_chain(&bed, last, &format!("127.0.0.1:{FAR}"), NEAR);
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    for host in 1..=last {
        assert_eq!(bed.logins(host), 1, "logins on host {host}");
    }
    super::command::signal("TERM", pid);
    for host in 1..=last {
        assert!(until(SOON, || bed.sessions(host).is_empty()), "host {host} still serves a session");
    }
}

#[test]
fn reference_ssh_reaches_the_far_end_of_1_host() {
    far_end_answers_through(1);
}

#[test]
fn reference_ssh_reaches_the_far_end_of_2_hosts() {
    far_end_answers_through(2);
}

#[test]
fn reference_ssh_reaches_the_far_end_of_4_hosts() {
    far_end_answers_through(4);
}

#[test]
fn reference_ssh_reaches_the_far_end_of_8_hosts() {
    far_end_answers_through(8);
}

#[test]
fn reference_every_kind_of_stream_arrives_whole() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    ssh_chain(&bed, 2, &format!("127.0.0.1:{FAR}"), NEAR);
    bed.load_whole(0, NEAR, &[("get", MIB, 2), ("put", MIB, 2), ("both", MIB, 2), ("half", MIB, 2)]);
}

#[test]
fn reference_only_the_neighbour_reaches_a_host_and_only_its_ssh_port() {
    let Some(bed) = Bed::line(2) else { return };
    bed.serve(2, "0.0.0.0", FAR, false);
    assert_eq!(bed.connects(0, &network::address(1), 22), "ok");
    assert_eq!(bed.connects(1, &network::address(2), 22), "ok");
    assert_eq!(bed.connects(1, &network::address(2), FAR), "silent", "the firewall lets it in");
    assert_ne!(bed.connects(0, &network::address(2), 22), "ok", "host 2 is reachable past host 1");
    assert_ne!(bed.connects(0, &network::name(2), 22), "ok", "host 0 knows the name of host 2");
    bed.open(2, FAR);
    assert_eq!(bed.connects(1, &network::address(2), FAR), "ok");
    bed.shut(2, 22);
    assert_eq!(bed.connects(1, &network::address(2), 22), "silent");
}

#[test]
fn reference_a_login_shows_in_a_log_at_debug2() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    bed.restart_sshd(1, "LogLevel DEBUG2");
    ssh_chain(&bed, 1, &format!("127.0.0.1:{FAR}"), NEAR);
    assert!(bed.log(1).contains("userauth-request"), "{}", bed.log(1));
    assert_eq!((bed.logins(1), bed.visits(1)), (1, 1));
}
