//! The control socket: closed to others, deaf to garbage, patient with the mute.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

use super::client::echo;
use super::detached::small;
use super::home::Home;

#[test]
fn the_socket_and_its_folder_are_the_owners_alone() {
    let home = Home::new();
    home.up(&home.file("mine.json", small("mine")), &[]);
    let socket = home.socket("mine").metadata().expect("the socket is where it is promised");
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    let folder = home.path("run/hopper").metadata().expect("its folder");
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    home.run(&["down", "mine"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn garbage_changes_nothing() {
    let home = Home::new();
    home.up(&home.file("deaf.json", small("deaf")), &[]);
    let listen = home.listen("deaf", "echo");
    // One that connects and never says a word stays open beside all the others.
    let mute = UnixStream::connect(home.socket("deaf")).expect("connect to the control socket");
    let endless = vec![b'x'; 3 << 20];
    let deep = "[".repeat(100_000) + "\n";
    let garbage: [&[u8]; 8] = [
        b"",
        b"\n\n\n",
        b"not json\n",
        b"{}\n",
        b"{\"jsonrpc\":\"2.0\",\"method\":\"no such thing\",\"id\":1}\n",
        b"\xff\xfe\x00\x1b]0;title\x07\n{\"half\":",
        deep.as_bytes(),
        &endless,
    ];
    for bytes in garbage {
        let mut stream = UnixStream::connect(home.socket("deaf")).expect("connect to the control socket");
        stream.set_write_timeout(Some(Duration::from_secs(2))).expect("set a timeout");
        stream.set_read_timeout(Some(Duration::from_millis(200))).expect("set a timeout");
        // It may hang up on us at any moment: that is an answer too.
        stream.write_all(bytes).ok();
        stream.read_to_end(&mut Vec::new()).ok();
    }
    assert_eq!(home.status("deaf")["state"], "up");
    assert_eq!(echo(&listen, b"untouched"), b"untouched");
    home.run(&["down", "deaf"]).with(0);
    drop(mute);
    home.assert_nothing_left();
}

#[test]
fn a_run_tells_the_plan_it_obeys() {
    let home = Home::new();
    let file = home.file("plain.json", small("plain"));
    home.up(&file, &["--carrier", "port"]);
    let mut stream = UnixStream::connect(home.socket("plain")).expect("connect to the control socket");
    stream.write_all(b"{\"do\":\"hello\",\"protocol\":1}\n{\"do\":\"plan\"}\n").expect("ask");
    let mut lines = BufReader::new(stream).lines().map(|line| line.expect("an answer"));
    let told: Value = serde_json::from_str(&lines.nth(1).expect("two answers")).expect("JSON");
    let mut planned = home.run(&["plan", &file, "--carrier", "port", "--json"]).with(0).json();
    // That is of this command, not of the plan.
    let not_looked_up = planned.as_object_mut().and_then(|plan| plan.shift_remove("not_looked_up"));
    assert_eq!((&told["plan"], not_looked_up), (&planned, Some(serde_json::json!(["gate"]))));
    home.run(&["down", "plain"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn a_runtime_folder_that_others_can_enter_is_refused() {
    let home = Home::new();
    let folder = home.path("run/hopper");
    std::fs::create_dir(&folder).expect("make a folder");
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).expect("open a folder");
    let said = home.run(&["up", &home.file("open.json", small("open")), "--lab", "-d"]).with(9).stderr;
    assert!(said.contains("H0903") && said.contains("run/hopper"), "{said}");
    home.assert_nothing_left();
}
