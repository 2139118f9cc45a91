//! A secret that hopper was given is found nowhere it could be read later: not in its arguments or environment,
//! and not in a file when it crashes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::accounts::files_with;
use super::bed::Bed;
use super::command::signal;
use super::hopper::Hopper;
use super::topology::Topology;
use super::typed::{CANARY, PASSWORDS, carries, with_password};
use super::until::{SOON, until};

/// What a process of this host shows of itself.
fn shown(pid: u32) -> String {
    let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    String::from_utf8_lossy(&[read("cmdline"), read("environ")].concat()).into_owned()
}

fn kept(bed: &Bed) -> std::path::PathBuf {
    let kept = bed.path("kept");
    fs::write(&kept, format!("{CANARY}\n")).expect("write the secret");
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o600)).expect("close it");
    kept
}

#[test]
fn no_process_on_the_host_shows_a_secret_and_a_crash_leaves_none_behind() {
    let Some(bed) = with_password(1) else { return };
    let cores = bed.path("cores");
    fs::create_dir(&cores).expect("make a folder");
    let topology = Topology::line(&bed)
        .hosts("auth", json!(["password"]))
        .hosts("secret", json!({ "command": ["cat", kept(&bed)] }));
    let file = topology.write(&bed);
    let hopper = Hopper::on(&bed);
    // Where core files are allowed, and would be written.
    let script = "ulimit -c unlimited; cd \"$0\" && exec \"$@\"";
    let mut command = bed.on(0, "sh");
    command.args(["-c", script]).arg(&cores).args([env!("CARGO_BIN_EXE_hopper"), "up"]).arg(file);
    let mut running = hopper.start_command(&mut command);
    let up = || hopper.status().is_some_and(|status| status["state"] == "up");
    assert!(until(SOON, || hopper.socket().exists() && up()), "{}", running.stderr());
    let pid = hopper.pid();
    for process in bed.pids(0) {
        assert!(!shown(process).contains(CANARY), "process {process} shows it");
    }
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("read its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
    assert!(signal("ABRT", pid));
    assert!(until(SOON, || running.is_over()), "it lives on");
    let left: Vec<_> = fs::read_dir(&cores).expect("look").flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "{left:?}");
    let found = files_with(&bed.path("state"), CANARY);
    assert!(found.is_empty(), "{found:?}");
    hopper.down();
}

#[test]
fn a_program_that_keeps_a_secret_gets_none_of_the_others() {
    let Some(bed) = Bed::hosts(1) else { return };
    bed.set_password(1, "none");
    bed.start_sshd(1, PASSWORDS);
    bed.far_end(1);
    let hopper = Hopper::on(&bed).with("KEY_PW", CANARY.as_ref());
    let topology = Topology::line(&bed).hosts("auth", json!(["key", "password"])).hosts(
        "secret",
        json!([
            { "env": "KEY_PW", "for": "passphrase" },
            { "command": ["sh", "-c", "echo ${KEY_PW-none}"], "for": "password" },
        ]),
    );
    hopper.up(&topology, &[]);
    carries(&hopper);
}
