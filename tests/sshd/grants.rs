//! What `plan --grants` prints, put on the hosts as it is: the plan passes, and nothing else does.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::bed::{Bed, FAR, NEAR};
use super::command::{feed, must};
use super::hopper::{Ended, Hopper};
use super::load::MIB;
use super::network;
use super::topology::{Topology, id};

/// Hosts in a line, each with a running sshd. A forced command runs in the account's shell, and what the
/// machine's own start-up files do there is no part of this: they get a shell that reads none.
fn bed(last: usize) -> Option<Bed> {
    let bed = Bed::hosts(last)?;
    let accounts = fs::read_to_string("/etc/passwd").expect("read the accounts");
    let plain = |line: &str| match line.rsplit_once(':') {
        Some((account, _)) if line.starts_with("root:") => format!("{account}:/bin/sh\n"),
        _ => format!("{line}\n"),
    };
    let accounts: String = accounts.lines().map(plain).collect();
    for host in 1..=last {
        // Stands in for the machine's own inside this namespace.
        fs::write(format!("/etc/netns/{}/passwd", bed.namespace(host)), &accounts).expect("write accounts");
        bed.start_sshd(host, "");
    }
    Some(bed)
}

/// What was printed.
pub(crate) struct Page(String);

impl Page {
    /// The page of a topology.
    pub(crate) fn of(hopper: &Hopper, topology: &Topology) -> Page {
        let file = topology.write(hopper.bed());
        let ended = hopper.run(&["plan", file.to_str().expect("a plain path"), "--grants"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        Page(ended.stdout)
    }

    /// The lines of a host's section from the one that starts so to the next empty one.
    fn block(&self, host: usize, start: &str) -> String {
        let head = format!("# ==== {} ====", id(host));
        let section = self.0.lines().skip_while(|line| *line != head).skip(1);
        let section = section.take_while(|line| !line.starts_with("# ===="));
        let block = section.skip_while(|line| !line.starts_with(start)).take_while(|line| !line.is_empty());
        let block: String = block.flat_map(|line| [line, "\n"]).collect();
        assert!(!block.is_empty(), "no {start} for host {host} in\n{}", self.0);
        block
    }

    /// Gives every host the line for `authorized_keys`, with the real key in it.
    fn authorize(&self, bed: &Bed) {
        self.authorize_up_to(bed, bed.last());
    }

    /// The same up to this host: the ones after it take no logins.
    pub(crate) fn authorize_up_to(&self, bed: &Bed, last: usize) {
        for host in 1..=last {
            let line = self.block(host, "restrict").replace("ssh-ed25519 AAAA...", &bed.key().public());
            bed.authorize(host, &line);
        }
    }

    /// Gives every host the block for `sshd_config`, in a file of its own.
    fn configure(&self, bed: &Bed) {
        self.configure_up_to(bed, bed.last(), "");
    }

    /// The same up to this host, after these settings.
    pub(crate) fn configure_up_to(&self, bed: &Bed, last: usize, first: &str) {
        for host in 1..=last {
            let file = bed.path(&format!("host{host}/grants.conf"));
            fs::write(&file, self.block(host, "Match User")).expect("write the block");
            bed.restart_sshd(host, &format!("{first}\nInclude {}", file.display()));
        }
    }
}

/// OpenSSH's own client, from the host before, with the same key.
pub(crate) fn ssh(hopper: &Hopper, host: usize, words: &[&str]) -> Ended {
    let bed = hopper.bed();
    let mut command = bed.on(host - 1, "ssh");
    command.args(["-F", "none", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-i"]);
    command
        .arg(bed.key().path())
        .arg("-o")
        .arg(format!("UserKnownHostsFile={}", bed.known_hosts().display()));
    command.arg("-l").arg("root").args(words);
    hopper.start_command(&mut command).ended()
}

/// `up` comes up and carries data, and `down` leaves nothing.
fn assert_the_plan_passes(hopper: &Hopper, topology: &Topology) {
    hopper.up(topology, &[]);
    hopper.bed().load_whole(0, NEAR, &[("both", MIB, 2), ("half", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}

/// The account opens what the plan needs and neither another port nor another host, listens nowhere and
/// gives no terminal and no command.
fn assert_nothing_else_does(hopper: &Hopper) {
    for host in 1..=hopper.bed().last() {
        let name = network::name(host);
        let next = network::name(host + 1);
        if host < hopper.bed().last() {
            let opened = ssh(hopper, host, &["-W", &format!("{next}:22"), &name]);
            assert!(opened.stdout.starts_with("SSH-2.0-"), "host {host}: {opened:?}");
        }
        let address = format!("{}:22", network::address(host + 1));
        let spelled = format!("{}:22", next.to_uppercase());
        for to in
            ["127.0.0.1:22", "localhost:7000", "NONE.invalid:1", &format!("{next}:23"), &address, &spelled]
        {
            let refused = ssh(hopper, host, &["-W", to, &name]);
            assert!(refused.stderr.contains("administratively prohibited"), "host {host}, {to}: {refused:?}");
        }
        for listen in ["7100", "*:7100", "NONE.invalid:1", "none.invalid:1", "1"] {
            let refused = ssh(hopper, host, &["-N", "-R", &format!("{listen}:127.0.0.1:9"), &name]);
            assert!(
                refused.stderr.contains("remote port forwarding failed"),
                "host {host}, {listen}: {refused:?}"
            );
        }
        for words in [[name.as_str(), "echo in"].as_slice(), &["-tt", &name], &["-s", &name, "sftp"]] {
            let refused = ssh(hopper, host, words);
            assert!(refused.code != 0 && refused.stdout.is_empty(), "host {host}, {words:?}: {refused:?}");
        }
    }
}

#[test]
fn a_key_with_the_printed_options_lets_the_plan_pass_and_nothing_else() {
    let Some(bed) = bed(3) else { return };
    bed.far_end(3);
    let (hopper, topology) = (Hopper::on(&bed), Topology::line(&bed));
    Page::of(&hopper, &topology).authorize(&bed);
    assert_the_plan_passes(&hopper, &topology);
    assert_nothing_else_does(&hopper);
}

#[test]
fn an_account_with_the_printed_settings_lets_the_plan_pass_and_nothing_else() {
    let Some(bed) = bed(3) else { return };
    bed.far_end(3);
    let (hopper, topology) = (Hopper::on(&bed), Topology::line(&bed));
    Page::of(&hopper, &topology).configure(&bed);
    assert_the_plan_passes(&hopper, &topology);
    assert_nothing_else_does(&hopper);
    // What the line for a key cannot forbid.
    let socket = bed.path("socket");
    for host in 1..=3 {
        let listen = format!("{}:127.0.0.1:9", socket.display());
        let refused = ssh(&hopper, host, &["-N", "-R", &listen, &network::name(host)]);
        assert!(refused.stderr.contains("remote port forwarding failed"), "host {host}: {refused:?}");
        assert!(!socket.exists(), "host {host} listens on a unix socket");
    }
}

/// The same hosts, with a forward to this.
fn reaching(bed: &Bed, to: &str) -> Topology {
    let forwards = json!({ "data": { "listen": NEAR, "to": format!("{}/{to}", id(bed.last())) } });
    Topology::line(bed).top("forwards", forwards)
}

/// `up` fails where the last host refuses to open what another file asks for.
fn assert_refused(hopper: &Hopper, topology: &Topology) {
    let ended = hopper.try_up(topology, &[]);
    assert_eq!(ended.code, 7, "{}", ended.stderr);
    hopper.assert_nothing_left();
}

#[test]
fn another_topology_is_refused_at_the_same_hosts() {
    let Some(bed) = bed(2) else { return };
    bed.far_end(2);
    bed.serve(2, "127.0.0.1", FAR + 1, false);
    let (hopper, topology) = (Hopper::on(&bed), Topology::line(&bed));
    let page = Page::of(&hopper, &topology);
    let others = [format!("127.0.0.1:{}", FAR + 1), format!("localhost:{FAR}"), listening(&bed, 2, "socket")];
    page.authorize(&bed);
    for other in &others {
        assert_refused(&hopper, &reaching(&bed, other));
    }
    page.configure(&bed);
    for other in &others {
        assert_refused(&hopper, &reaching(&bed, other));
    }
    assert_the_plan_passes(&hopper, &topology);
}

/// A unix socket where somebody listens on a host.
fn listening(bed: &Bed, host: usize, name: &str) -> String {
    let socket = bed.path(&format!("host{host}/{name}"));
    let mut agent = bed.on(host, "ssh-agent");
    bed.background(host, name, agent.arg("-D").arg("-a").arg(&socket));
    assert!(super::until::until(super::until::SOON, || Path::new(&socket).exists()), "nobody listens");
    socket.to_str().expect("a plain path").to_owned()
}

#[test]
fn where_a_socket_is_granted_no_other_is_and_no_port() {
    let Some(bed) = bed(2) else { return };
    bed.far_end(2);
    let (hopper, topology) = (Hopper::on(&bed), reaching(&bed, &listening(&bed, 2, "socket")));
    let other = reaching(&bed, &listening(&bed, 2, "other"));
    let page = Page::of(&hopper, &topology);
    page.authorize(&bed);
    hopper.up(&topology, &[]);
    hopper.down();
    assert_refused(&hopper, &other);
    assert_nothing_else_does(&hopper);
    page.configure(&bed);
    hopper.up(&topology, &[]);
    hopper.down();
    for host in 1..=2 {
        bed.authorize(host, &bed.key().public());
    }
    assert_refused(&hopper, &other);
    assert_refused(&hopper, &Topology::line(&bed));
    assert_nothing_else_does(&hopper);
}

/// A filter as hosts have it: what is known comes in, the rest is dropped.
const FILTER: &str = "table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iifname lo accept
    }
}";

#[test]
fn the_printed_rules_let_the_plan_in_and_nothing_else() {
    let Some(bed) = bed(2) else { return };
    bed.far_end(2);
    bed.serve(2, "0.0.0.0", FAR + 1, false);
    bed.open(2, FAR + 1);
    for host in 1..=2 {
        feed(bed.on(host, "nft").args(["-f", "-"]), FILTER);
    }
    let (hopper, topology) = (Hopper::on(&bed), Topology::line(&bed).impatient());
    assert_eq!(hopper.try_up(&topology, &[]).code, 6);
    let page = Page::of(&hopper, &topology);
    for host in 1..=2 {
        let file = bed.path(&format!("host{host}/grants.nft"));
        fs::write(&file, page.block(host, "table")).expect("write the rules");
        must(bed.on(host, "nft").args(["-c", "-f"]).arg(&file));
        must(bed.on(host, "nft").arg("-f").arg(&file));
    }
    assert_the_plan_passes(&hopper, &topology);
    assert_eq!(bed.connects(1, &network::address(2), 22), "ok");
    assert_eq!(bed.connects(1, &network::address(2), FAR + 1), "silent", "another port is let in");
}
