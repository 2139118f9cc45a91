//! No descriptor is left: who connects waits, and so does who asks how it stands; nothing spins, and nobody is lost.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::client::connect;
use super::home::Home;
use super::until::until;

const ECHO: &str = r#"{
  "hopper": 1, "name": "echo",
  "hosts": { "b": "alice@b", "far": { "ssh": false } },
  "links": ["local -> b -> far"],
  "forwards": { "echo": "auto -> far:7000" }
}"#;

/// Lets the process have so many descriptors.
fn allow(pid: u32, descriptors: u64) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id");
    let limit = Rlimit { current: Some(descriptors), maximum: Some(4096) };
    prlimit(Some(pid), Resource::Nofile, limit).expect("set the limit");
}

/// Processor time used so far, in hundredths of a second.
fn used(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let fields = stat.rsplit(')').next().expect("a status");
    fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

#[test]
fn clients_beyond_the_last_descriptor_wait_and_nothing_spins() {
    let home = Home::new();
    home.up(&home.file("echo.json", ECHO), &[]);
    let listen = home.listen("echo", "echo");
    let pid =
        u32::try_from(home.status("echo")["pid"].as_u64().expect("a process id")).expect("a process id");
    // What is open stays open; the next one is refused.
    allow(pid, 3);

    let mut clients: Vec<TcpStream> = (0..16).map(|_| connect(&listen)).collect();
    let log = home.path("state/hopper/echo/run.log");
    let said = || fs::read_to_string(&log).unwrap_or_default().matches("cannot accept clients").count();
    assert!(until(|| said() > 0), "{}", fs::read_to_string(&log).unwrap_or_default());
    let asking = home.start(&["status", "echo", "--json"]);
    // A second of looking, in which it could have tried a hundred thousand times.
    let before = used(pid);
    let mut looks = 0;
    until(|| {
        looks += 1;
        looks > 100
    });
    let spent = used(pid) - before;
    assert!(spent < 40, "it used {spent} of about 100 hundredths of a second");
    assert_eq!(said(), 1, "it is told once");

    allow(pid, 4096);
    for (nth, client) in clients.iter_mut().enumerate() {
        let words = format!("client {nth}");
        client.write_all(words.as_bytes()).expect("speak");
        client.shutdown(Shutdown::Write).expect("end one side");
        let mut heard = String::new();
        client.read_to_string(&mut heard).unwrap_or_else(|error| panic!("client {nth}: {error}"));
        assert_eq!(heard, words);
    }
    // Who asked in between is answered, before or after the clients: so that answer's count may be any.
    assert_eq!(asking.ended().with(0).json()["forwards"][0]["id"], "echo");
    assert_eq!(home.status("echo")["forwards"][0]["connections"], 16);
    home.run(&["down", "echo"]).with(0);
    home.assert_nothing_left();
}
