//! The control socket: one run of a name, deaf to garbage, closed to others.

use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::bed::{Bed, NEAR};
use super::hopper::Hopper;
use super::load::MIB;
use super::topology::Topology;

#[test]
fn a_second_up_of_the_same_name_is_refused_and_hurts_nobody() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    let first = hopper.pid();
    for more in [["--progress", "plain"].as_slice(), &["-d"]] {
        let ended = hopper.try_up(&Topology::line(&bed), more);
        assert_eq!(ended.code, 9, "{}", ended.stderr);
    }
    assert_eq!(hopper.pid(), first);
    assert_eq!(bed.visits(1), 1, "the second run contacted a host");
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn the_control_socket_and_its_folder_are_the_owners_alone() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    let socket = hopper.socket().metadata().expect("the socket is where it is promised");
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    let folder = bed.path("run/hopper").metadata().expect("its folder");
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    hopper.down();
    hopper.assert_nothing_left();
}

#[test]
fn garbage_on_the_control_socket_changes_nothing() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let hopper = Hopper::on(&bed);
    hopper.up(&Topology::line(&bed), &[]);
    let endless = vec![b'x'; 3 << 20];
    let deep = "[".repeat(100_000) + "\n";
    let garbage: [&[u8]; 7] = [
        b"",
        b"\n\n\n",
        b"not json\n",
        b"{\"jsonrpc\":\"2.0\",\"method\":\"no such thing\",\"id\":1}\n",
        b"\xff\xfe\x00\x1b]0;title\x07\n{\"half\":",
        deep.as_bytes(),
        &endless,
    ];
    // One that connects and never says a word stays open beside all the others.
    let mute = UnixStream::connect(hopper.socket()).expect("connect to the control socket");
    for bytes in garbage {
        let mut stream = UnixStream::connect(hopper.socket()).expect("connect to the control socket");
        stream.set_write_timeout(Some(Duration::from_secs(2))).expect("set a timeout");
        stream.set_read_timeout(Some(Duration::from_millis(200))).expect("set a timeout");
        // It may hang up on us at any moment: that is an answer too.
        stream.write_all(bytes).ok();
        stream.read_to_end(&mut Vec::new()).ok();
    }
    assert_eq!(hopper.status().expect("status answers")["state"], "up");
    bed.load_whole(0, NEAR, &[("both", MIB, 2)]);
    hopper.down();
    drop(mute);
    hopper.assert_nothing_left();
}

#[test]
fn status_of_nothing_is_3_and_down_of_nothing_is_0() {
    let Some(bed) = Bed::hosts(1) else { return };
    let hopper = Hopper::on(&bed);
    assert_eq!(hopper.run(&["status", "bed"]).code, 3);
    assert_eq!(hopper.run(&["down", "bed"]).code, 0);
    assert_eq!(hopper.run(&["down", "--all"]).code, 0);
    hopper.assert_nothing_left();
}
