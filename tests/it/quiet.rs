//! `plan` and `check` touch nothing: no socket, no file but the topology, seen from outside by strace.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::home::{Home, root};

/// What the system's loader and the runtime's start read, whatever the program.
const SYSTEM: [&str; 5] = ["/lib", "/usr/", "/etc/ld.so", "/proc/", "/sys/"];

/// What the system calls were, a line each; `None` where they cannot be watched: the test has then said so.
fn traced(home: &Home, words: &[&str], code: i32) -> Option<String> {
    let trace = home.path("out/trace");
    let mut strace = Command::new("strace");
    home.environment(&mut strace).args(["-f", "-q", "-e", "trace=network,file,process", "-o"]).arg(&trace);
    let able = Command::new("strace").args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    if !able.is_ok_and(|status| status.success()) {
        eprintln!("skipped: strace is not installed, or not allowed");
        return None;
    }
    strace.arg(env!("CARGO_BIN_EXE_hopper")).args(words).stdin(Stdio::null());
    home.start_command(&mut strace).ended().with(code);
    Some(fs::read_to_string(&trace).expect("read the trace"))
}

#[test]
fn plan_and_check_touch_nothing_but_the_topology() {
    let home = Home::new();
    let right = root().join("topologies/vnc-through-three-firewalls.json");
    let wrong = root().join("tests/topologies/wrong/many-problems.json");
    let cases: [(&[&str], &Path, i32); 4] = [
        (&["plan"], &right, 0),
        (&["check"], &right, 0),
        (&["up", "--dry-run"], &right, 0),
        (&["check"], &wrong, 10),
    ];
    for (verb, file, code) in cases {
        let file = file.to_str().expect("text");
        let Some(trace) = traced(&home, &[verb, &[file]].concat(), code) else { return };
        assert!(trace.contains(file), "the trace shows nothing:\n{trace}");
        // Every line but the first: that one starts hopper itself.
        for call in trace.lines().skip(1) {
            let name =
                call.split_whitespace().nth(1).and_then(|call| call.split('(').next()).unwrap_or_default();
            let path = call.split('"').nth(1);
            let network = ["socket", "connect", "bind", "sendto", "socketpair"].contains(&name);
            let writes = ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| call.contains(flag));
            let elsewhere = path.is_some_and(|path| {
                path.starts_with('/') && path != file && !SYSTEM.iter().any(|known| path.starts_with(known))
            });
            assert!(!network && !writes && !elsewhere && name != "execve", "{verb:?}: {call}");
        }
    }
    home.assert_nothing_left();
    assert!(!home.path("run/hopper").exists() && !home.path("state/hopper").exists(), "not even a folder");
}
