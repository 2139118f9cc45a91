//! The promise on the first page: a screen behind three firewalls that dislike VNC.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::bed::Bed;
use super::command::must;
use super::hopper::Hopper;
use super::network;
use super::reference::ssh_chain;
use super::topology::{Topology, id};

/// Host 4 is the screen; host 3 is its neighbour, and the only one its own firewall lets in.
const SCREEN: usize = 4;
const RFB: u16 = 5900;
/// Where it appears on host 0: display 1.
const LOCAL: u16 = 5901;

/// Five hosts, a real screen on the last, and firewalls on the three between that drop and count VNC.
fn office() -> Option<Bed> {
    let bed = Bed::hosts(SCREEN)?;
    for host in 1..SCREEN {
        bed.start_sshd(host, "");
    }
    bed.open(SCREEN, RFB);
    // A display is also a lock file and a socket in /tmp: a private one keeps tests apart.
    let shell = "mount -t tmpfs none /tmp && cd /tmp && exec Xtigervnc :1 -rfbport 5900 -SecurityTypes None \
        -geometry 320x200 -depth 24 -retro -desktop bed";
    bed.background(SCREEN, "screen", bed.on(SCREEN, "sh").args(["-c", shell]));
    bed.wait_for_port(SCREEN, RFB);
    Some(bed)
}

/// Takes a picture of the screen that answers on host 0, and looks whether it is one.
fn assert_picture(bed: &Bed) {
    let file = bed.path("screen.jpg");
    must(snapshot(bed, 0, "127.0.0.1:1", &file).env("HOME", bed.path("home")));
    let jpeg = fs::read(&file).expect("vncsnapshot wrote a file");
    assert!(jpeg.starts_with(&[0xff, 0xd8, 0xff]) && jpeg.ends_with(&[0xff, 0xd9]), "not a whole JPEG");
    assert!(jpeg.len() > 4000, "a JPEG of only {} bytes", jpeg.len());
    assert_eq!(size(&jpeg), Some((320, 200)), "the size of the picture");
}

fn snapshot(bed: &Bed, host: usize, display: &str, file: &Path) -> Command {
    let mut command = bed.on(host, "vncsnapshot");
    // vncsnapshot waits for ever when this server sends it a cursor, or any encoding but this.
    command.args(["-quiet", "-nocursor", "-encodings", "raw", "-quality", "90", display]).arg(file);
    command
}

/// Width and height as the frame header of a JPEG has them.
fn size(jpeg: &[u8]) -> Option<(u16, u16)> {
    let mut at = 2;
    loop {
        let [0xff, kind, high, low] = *jpeg.get(at..at + 4)? else { return None };
        if matches!(kind, 0xc0..=0xc2) {
            let word = |n: usize| Some(u16::from_be_bytes([*jpeg.get(at + n)?, *jpeg.get(at + n + 1)?]));
            return Some((word(7)?, word(5)?));
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
}

/// Every firewall drops VNC and counts it; nobody but its neighbour reaches the screen.
fn assert_no_way_but_ssh(bed: &Bed) {
    for host in 1..SCREEN {
        let before = bed.screens_dropped(host);
        assert_eq!(
            bed.connects(host - 1, &network::address(host), RFB),
            "silent",
            "VNC passes firewall {host}"
        );
        assert!(bed.screens_dropped(host) > before, "firewall {host} counted nothing");
    }
    for host in 0..SCREEN - 1 {
        assert_ne!(
            bed.connects(host, &network::address(SCREEN), RFB),
            "ok",
            "host {host} reaches the screen"
        );
    }
}

fn topology(bed: &Bed) -> Topology {
    let route: Vec<_> = (1..SCREEN).map(id).collect();
    Topology::line(bed)
        .host(SCREEN, "ssh", json!(false))
        .top(
            "firewalls",
            json!({ "fw1": { "deny": ["5900-5999"] }, "fw2": { "deny": ["5900-5999"] },
            "fw3": { "deny": ["5900-5999"] } }),
        )
        .top(
            "links",
            json!([
                { "from": "local", "to": route[0], "through": ["fw1"] },
                { "from": route[0], "to": route[1], "through": ["fw2"] },
                { "from": route[1], "to": route[2], "through": ["fw3"] },
                { "from": route[2], "to": id(SCREEN), "ports": [RFB] },
            ]),
        )
        .top(
            "forwards",
            json!({ "vnc": { "listen": LOCAL, "to": format!("{}:{RFB}", id(SCREEN)),
                "check": { "banner": "RFB " } } }),
        )
}

#[test]
fn reference_a_screen_behind_three_firewalls_appears_through_ssh() {
    let Some(bed) = office() else { return };
    assert_no_way_but_ssh(&bed);
    ssh_chain(&bed, SCREEN - 1, &format!("{}:{RFB}", network::name(SCREEN)), LOCAL);
    assert_picture(&bed);
}

fn a_screen_appears(carrier: &str) {
    let Some(bed) = office() else { return };
    assert_no_way_but_ssh(&bed);
    let hopper = Hopper::on(&bed);
    hopper.up(&topology(&bed), &["--carrier", carrier]);
    assert_picture(&bed);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn a_screen_behind_three_firewalls_appears_and_nothing_is_left() {
    a_screen_appears("channel");
}

#[test]
fn a_screen_behind_three_firewalls_appears_over_real_ports() {
    a_screen_appears("port");
}

/// The picture of the source document, exactly: two tunnels, the first one's client on the first host.
#[test]
fn a_screen_behind_three_firewalls_appears_with_two_tunnels() {
    let Some(bed) = office() else { return };
    bed.restart_sshd(1, &format!("SetEnv HOME={}", bed.path("home").display()));
    bed.open(1, 2201);
    assert_no_way_but_ssh(&bed);
    let hopper = Hopper::on(&bed);
    let topology = topology(&bed)
        .host(1, "client", json!("exec"))
        .host(1, "bind", json!("any"))
        .host(2, "identities", json!([bed.key().path()]))
        .host(2, "host_key", json!({ "file": bed.known_hosts() }));
    hopper.up(&topology, &["--strategy", "telescoped"]);
    let status = hopper.status().expect("status answers");
    let servers: Vec<_> =
        status["tunnels"].as_array().expect("tunnels").iter().map(|it| &it["server"]).collect();
    assert_eq!(servers, ["h1", "h2", "h3"], "the session that starts the client, and two tunnels");
    assert_picture(&bed);
    hopper.down();
    hopper.assert_nothing_left();
}
