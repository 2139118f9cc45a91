//! A run that reads its file again, by `hopper reload` and at SIGHUP: what is the same goes on, the rest follows the
//! file, and a file that cannot be obeyed changes nothing.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use super::client::{assert_refuses, connect, echo};
use super::home::Home;
use super::running::kill;
use super::until::until;

/// Two gates one behind the other, kept alive in their own ways.
fn shop(alive: [u8; 2], forwards: &str) -> String {
    format!(
        r#"{{ "hopper": 1, "name": "shop",
  "hosts": {{ "gate": {{ "keepalive": {{ "max": {} }} }}, "inner": {{ "keepalive": {{ "max": {} }} }}, "web": {{ "ssh": false }} }},
  "links": ["local -> gate -> inner -> web"], "forwards": {{ {forwards} }} }}"#,
        alive[0], alive[1]
    )
}

const FIRST: &str = r#""first": "auto -> web:7000""#;
const BOTH: &str = r#""first": "auto -> web:7000", "second": "auto -> gate/127.0.0.1:7001""#;

/// A run in the background, with its file.
fn up(home: &Home, forwards: &str) -> String {
    let file = home.file("shop.json", shop([3, 3], forwards));
    home.up(&file, &[]);
    file
}

fn steps(told: &Value) -> Vec<String> {
    let parts =
        ["tunnels", "forwards"].into_iter().flat_map(|kind| told["diff"][kind].as_array().expect("a list"));
    parts
        .map(|part| {
            format!("{} {}", part["step"].as_str().unwrap_or("?"), part["id"].as_str().unwrap_or("?"))
        })
        .collect()
}

#[test]
fn a_forward_is_added_beside_a_stream_that_goes_on_and_removed_again() {
    let home = Home::new();
    up(&home, FIRST);
    let listen = home.listen("shop", "first");
    let mut stream = connect(&listen);
    let mut said = |words: &[u8]| {
        stream.write_all(words).expect("speak");
        let mut heard = vec![0; words.len()];
        stream.read_exact(&mut heard).expect("hear");
        assert_eq!(heard, words);
    };
    said(b"before");
    home.file("shop.json", shop([3, 3], BOTH));
    let told = home.run(&["reload", "shop", "--json"]).with(0).json();
    assert_eq!((&told["schema"], &told["taken"]), (&"hopper.reload/1".into(), &true.into()), "{told}");
    assert_eq!(steps(&told), ["keep T1", "keep T2", "keep first", "open second"], "{told}");
    said(b"with another one beside");
    assert_eq!(home.listen("shop", "first"), listen, "it is the same listener");
    let second = home.listen("shop", "second");
    assert_eq!(echo(&second, b"new"), b"new");
    let status = home.status("shop");
    assert_eq!(
        (&status["state"], &status["forwards"][0]["connections"]),
        (&"up".into(), &1.into()),
        "{status}"
    );

    home.file("shop.json", shop([3, 3], FIRST));
    let ended = home.run(&["reload"]).with(0);
    assert!(ended.stdout.ends_with("0 opened, 0 changed, 1 closed, 3 kept.\n"), "{}", ended.stdout);
    assert_refuses(&second);
    said(b"and after it is gone");
    home.run(&["down", "shop"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn status_says_that_the_file_is_not_the_one_that_is_obeyed() {
    let home = Home::new();
    let file = up(&home, FIRST);
    let changed = || home.status("shop")["file"]["changed"].clone();
    let said = || home.run(&["status", "shop"]).with(0).stdout;
    assert!(changed() == false && !said().contains("changed"), "{}", said());
    home.file("shop.json", "{");
    assert_eq!(changed(), true);
    let line = format!("{file} was changed since it was read");
    assert!(said().contains(&line) && said().contains("hopper reload shop"), "{}", said());
    home.run(&["reload", "shop"]).with(10);
    assert_eq!(changed(), true, "what cannot be obeyed is not");
    home.file("shop.json", shop([3, 3], BOTH));
    home.run(&["reload", "shop"]).with(0);
    assert!(changed() == false && !said().contains("changed"), "{}", said());
    std::fs::remove_file(&file).expect("remove it");
    assert_eq!(changed(), true);
    home.run(&["down", "shop"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn a_host_that_changed_is_opened_anew_with_what_stands_on_it() {
    let home = Home::new();
    let file = up(&home, BOTH);
    let (first, second) = (home.listen("shop", "first"), home.listen("shop", "second"));
    let mut stream = connect(&second);
    home.file("shop.json", shop([3, 9], BOTH));
    let planned = home.run(&["plan", &file, "--diff", "--detailed-exitcode"]).with(2).stdout;
    assert!(planned.contains("~ first   over a session that is opened anew"), "{planned}");
    let told = home.run(&["reload", &file, "--json"]).with(0).json();
    assert_eq!(steps(&told), ["keep T1", "change T2", "change first", "keep second"], "{told}");
    stream.write_all(b"still").expect("speak");
    let mut heard = [0; 5];
    stream.read_exact(&mut heard).expect("the gate was never left");
    assert_eq!(home.listen("shop", "second"), second);
    assert_refuses(&first);
    assert_eq!(echo(&home.listen("shop", "first"), b"anew"), b"anew");
    home.run(&["plan", &file, "--diff", "--detailed-exitcode"]).with(0);
    home.run(&["down", "shop"]).with(0);
    home.assert_nothing_left();
}

/// The session to z goes to another place in the plan and back again, and is closed from there.
#[test]
fn what_goes_on_is_still_known_after_the_plan_changed_twice() {
    let text = |hosts: &str, links: &str, forwards: &str| {
        format!(
            r#"{{ "hopper": 1, "name": "shop", "hosts": {{ {hosts} "z": "z" }}, "links": [{links} "local -> z"],
                 "forwards": {{ {forwards} "end": "auto -> z/127.0.0.1:7000" }} }}"#
        )
    };
    let alone = text("", "", "");
    let beside =
        text(r#""a": "a", "b": "b","#, r#""local -> a -> b","#, r#""other": "auto -> b/127.0.0.1:7001","#);
    let home = Home::new();
    let file = home.file("shop.json", &alone);
    home.up(&file, &[]);
    home.file("shop.json", &beside);
    home.run(&["reload", "shop"]).with(0);
    assert_eq!(home.status("shop")["tunnels"][0]["server"], "a", "z is not the first any more");
    home.file("shop.json", &alone);
    home.run(&["reload", "shop"]).with(0);
    assert_eq!(echo(&home.listen("shop", "end"), b"still"), b"still");
    home.run(&["down", "shop"]).with(0);
    let log = home.run(&["logs", "shop"]).with(0).stdout;
    let end = log.split("closing").last().unwrap_or_default();
    assert!(end.contains("tunnel closed tunnel=T1") && end.trim_end().ends_with("down"), "{log}");
    home.assert_nothing_left();
}

#[test]
fn a_file_that_cannot_be_obeyed_changes_nothing() {
    let home = Home::new();
    let file = up(&home, FIRST);
    let listen = home.listen("shop", "first");
    let unreadable = || std::fs::remove_file(&file).expect("take the file away");
    let write = |text: &str| drop(home.file("shop.json", text));
    for (code, break_it) in [
        ("H0104", &(|| write(&shop([3, 3], r#""first": "auto -> wob:7000""#))) as &dyn Fn()),
        ("H0101", &|| write("{ \"hopper\": 1, ")),
        ("H0201", &|| write(&shop([3, 3], r#""first": "auto -> web:7000""#).replace("local -> ", ""))),
        ("H0314", &|| write(&shop([3, 3], FIRST).replace("\"shop\"", "\"other\""))),
        ("H0302", &unreadable),
    ] {
        break_it();
        let ended = home.run(&["reload", "shop"]).with(10);
        assert!(
            ended.stderr.contains(code) && ended.stderr.contains("goes on as it was"),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.stdout, "");
        let told = home.run(&["reload", "shop", "--json"]).with(10).json();
        assert_eq!((&told["taken"], &told["errors"][0]["code"]), (&false.into(), &code.into()), "{told}");
    }
    assert_eq!(home.status("shop")["state"], "up");
    assert_eq!((home.listen("shop", "first"), echo(&listen, b"untouched")), (listen, b"untouched".to_vec()));
    home.file("shop.json", shop([3, 3], BOTH));
    home.run(&["reload", "shop"]).with(0);
    home.run(&["down", "shop"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn a_port_that_is_taken_costs_only_its_forward_until_it_is_free() {
    let home = Home::new();
    up(&home, FIRST);
    let taken = TcpListener::bind("127.0.0.1:0").expect("take a port");
    let port = taken.local_addr().expect("its address").port();
    home.file("shop.json", shop([3, 3], &format!(r#"{FIRST}, "second": "{port} -> gate/127.0.0.1:7001""#)));
    let ended = home.run(&["reload", "shop"]).with(7);
    assert!(
        ended.stderr.contains("H0701") && ended.stderr.contains("goes on with the rest"),
        "{}",
        ended.stderr
    );
    let status = home.run(&["status", "shop", "--json"]).with(8).json();
    assert_eq!(
        (&status["state"], &status["forwards"][1]["code"]),
        (&"degraded".into(), &"H0701".into()),
        "{status}"
    );
    assert_eq!(echo(&home.listen("shop", "first"), b"on"), b"on");
    drop(taken);
    home.run(&["reload", "shop"]).with(0);
    assert_eq!(echo(&format!("127.0.0.1:{port}"), b"free"), b"free");
    home.run(&["down", "shop"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn a_listener_goes_from_one_forward_to_another() {
    let home = Home::new();
    let free =
        TcpListener::bind("127.0.0.1:0").expect("find a port").local_addr().expect("its address").port();
    up(&home, &format!(r#""old": "{free} -> web:7000""#));
    let mut stream = connect(&format!("127.0.0.1:{free}"));
    home.file("shop.json", shop([3, 3], &format!(r#""new": "{free} -> gate/127.0.0.1:7001""#)));
    let told = home.run(&["reload", "--json"]).with(0).json();
    assert_eq!(steps(&told), ["keep T1", "close T2", "open new", "close old"], "{told}");
    assert!(!matches!(stream.read(&mut [0; 1]), Ok(1..)), "whoever was connected to the old one is cut");
    assert_eq!(echo(&format!("127.0.0.1:{free}"), b"handed on"), b"handed on");
    home.run(&["down", "shop"]).with(0);
    home.assert_nothing_left();
}

#[test]
fn what_was_read_from_standard_input_cannot_be_read_again() {
    let home = Home::new();
    let file = home.file("shop.json", shop([3, 3], FIRST));
    home.run_on(&["up", "-", "--lab", "-d"], &file).with(0);
    let ended = home.run(&["reload"]).with(10);
    assert!(ended.stderr.contains("H0314") && ended.stderr.contains("standard input"), "{}", ended.stderr);
    home.run(&["down"]).with(0);
    home.run(&["reload"]).with(3);
    home.run(&["reload", "shop"]).with(3);
    home.assert_nothing_left();
}

#[test]
fn a_run_without_a_terminal_reads_its_file_again_at_sighup() {
    let home = Home::new();
    let file = up(&home, FIRST);
    let pid = u32::try_from(home.status("shop")["pid"].as_u64().expect("a pid")).expect("a pid");
    home.file("shop.json", shop([3, 3], BOTH));
    kill(pid, Signal::HUP);
    let forwards = || home.status("shop")["forwards"].as_array().map_or(0, Vec::len);
    assert!(until(|| forwards() == 2 && home.status("shop")["state"] == "up"), "{}", home.status("shop"));
    home.run(&["plan", &file, "--diff", "--detailed-exitcode"]).with(0);
    home.run(&["down", "shop"]).with(0);

    // The same in the foreground, as a supervisor starts it: a session of its own has no terminal.
    let hopper = env!("CARGO_BIN_EXE_hopper");
    let mut command = Command::new("setsid");
    home.environment(&mut command).args([hopper, "up", &file, "--lab", "--progress", "json"]);
    let mut run = home.start_command(command.stdin(Stdio::null()));
    run.wait_for("\"event\":\"up\"");
    home.file("shop.json", "{");
    run.signal(Signal::HUP);
    run.wait_for("\"event\":\"not-reloaded\"");
    home.file("shop.json", shop([3, 3], FIRST));
    run.signal(Signal::HUP);
    run.wait_for("\"event\":\"reloaded\"");
    assert_eq!(home.status("shop")["forwards"].as_array().map(Vec::len), Some(1));
    run.signal(Signal::TERM);
    run.ended().with(0);
    home.assert_nothing_left();
}
