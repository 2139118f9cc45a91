//! What a person would type: passwords, whatever a server asks, one-time codes, and logins that take two
//! of them; at the terminal, or from where the file says that it is kept.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::accounts::files_with;
use super::bed::{Bed, NEAR};
use super::hopper::{Ended, Hopper};
use super::load::{MIB, script};
use super::topology::Topology;

/// What must never be found anywhere.
pub const CANARY: &str = "xyzzy-7f3a-canary";

/// sshd takes root's password.
pub const PASSWORDS: &str = "PermitRootLogin yes\nPasswordAuthentication yes\nAuthenticationMethods password";
/// PAM asks.
const ASKS: &str = "PermitRootLogin yes\nUsePAM yes\nKbdInteractiveAuthentication yes\n";

/// `hosts` hosts where root has a password that sshd takes.
pub fn with_password(hosts: usize) -> Option<Bed> {
    let bed = Bed::hosts(hosts)?;
    for host in 1..=hosts {
        bed.set_password(host, CANARY);
        bed.start_sshd(host, PASSWORDS);
    }
    bed.far_end(hosts);
    Some(bed)
}

/// Two hosts, the first of which lets in by key and the second by what PAM asks.
pub fn that_asks(first: &str, password: bool, code: bool) -> Option<(Bed, String)> {
    let bed = Bed::hosts(2)?;
    bed.start_sshd(1, "");
    bed.set_password(2, CANARY);
    let code = bed.ask_by_pam(2, password, code);
    bed.start_sshd(2, &format!("{ASKS}{first}"));
    bed.far_end(2);
    Some((bed, code))
}

/// `up` with these words on a terminal where somebody answers these questions.
fn typed(hopper: &Hopper, topology: &Topology, answers: &[(&str, &str)], words: &[&str]) -> Ended {
    let file = topology.write(hopper.bed());
    let file = file.to_str().expect("a plain path");
    on_terminal(hopper, answers, &[&["up"], words, &[file]].concat())
}

/// hopper with these words on a terminal where somebody answers these questions.
pub fn on_terminal(hopper: &Hopper, answers: &[(&str, &str)], words: &[&str]) -> Ended {
    let [python, terminal] = script("terminal.py");
    let mut command = hopper.bed().on(0, python);
    command.arg(terminal);
    let (last, others) = answers.split_last().expect("an answer");
    for (prompt, answer) in others {
        command.args(["--also", prompt, answer]);
    }
    command.args([last.0, last.1, "0", env!("CARGO_BIN_EXE_hopper")]).args(words);
    hopper.start_command(&mut command).ended()
}

pub fn carries(hopper: &Hopper) {
    hopper.bed().load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}

/// How often the server was told something wrong.
fn failures(bed: &Bed, host: usize) -> usize {
    bed.log(host).lines().filter(|line| line.starts_with("Failed ")).count()
}

fn asks(bed: &Bed, auth: Value) -> Topology {
    Topology::line(bed).host(2, "auth", auth)
}

#[test]
fn a_password_is_asked_for_each_host_that_wants_one_and_not_shown() {
    let Some(bed) = with_password(2) else { return };
    let hopper = Hopper::on(&bed);
    let topology = Topology::line(&bed).hosts("auth", json!(["password"]));
    let ended = typed(&hopper, &topology, &[("the password of root: ", CANARY)], &["-d"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(!ended.stdout.contains(CANARY), "the password was shown: {}", ended.stdout);
    for asked in ["hop 1, h1: the password of root", "hop 2, h2: the password of root"] {
        assert_eq!(ended.stdout.matches(asked).count(), 1, "{asked}: {}", ended.stdout);
    }
    carries(&hopper);
}

#[test]
fn a_wrong_password_is_refused_three_times_and_told() {
    let Some(bed) = with_password(1) else { return };
    let hopper = Hopper::on(&bed);
    let topology = Topology::line(&bed).hosts("auth", json!(["password"]));
    let ended = typed(&hopper, &topology, &[("the password of root: ", "wrong")], &["--progress", "plain"]);
    assert_eq!(ended.code, 4, "{}", ended.stdout);
    assert_eq!(failures(&bed, 1), 3, "{}", bed.log(1));
    for words in ["H0401", "h1 refused every way", "password   refused", "accepts", "not tried again"] {
        assert!(ended.stdout.contains(words), "does not say {words}: {}", ended.stdout);
    }
    hopper.assert_nothing_left();
}

#[test]
fn a_password_is_never_sent_where_the_file_does_not_allow_it() {
    let Some(bed) = with_password(1) else { return };
    let hopper = Hopper::on(&bed);
    let secret = json!({ "command": ["echo", CANARY], "for": "password" });
    let ended = hopper.try_up(&Topology::line(&bed).hosts("secret", secret), &["--progress", "plain"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(!bed.log(1).contains("password for root"), "{}", bed.log(1));
    assert!(ended.stderr.contains("\"auth\": [\"agent\", \"key\", \"password\"]"), "{}", ended.stderr);
    hopper.assert_nothing_left();
}

#[test]
fn a_password_comes_from_wherever_the_file_says_and_is_found_nowhere_else() {
    let Some(bed) = with_password(1) else { return };
    let kept = bed.path("kept");
    fs::write(&kept, format!("{CANARY}\nnothing else counts\n")).expect("write the secret");
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o600)).expect("close it");
    let askpass = bed.path("askpass");
    fs::write(&askpass, format!("#!/bin/sh\ncat '{}'\n", kept.display())).expect("write the program");
    fs::set_permissions(&askpass, fs::Permissions::from_mode(0o700)).expect("make it run");
    let folder = bed.path("");
    let hopper = Hopper::on(&bed)
        .with("GATE_PW", CANARY.as_ref())
        .with("SSH_ASKPASS", askpass.as_os_str())
        .with("CREDENTIALS_DIRECTORY", folder.as_os_str());
    for secret in [
        json!({ "command": ["cat", kept] }),
        json!({ "file": kept }),
        json!({ "credential": "kept" }),
        json!({ "askpass": true }),
        json!({ "env": "GATE_PW" }),
    ] {
        let topology =
            Topology::line(&bed).hosts("auth", json!(["password"])).hosts("secret", secret.clone());
        hopper.up(&topology, &["-vv"]);
        let pid = hopper.pid();
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).expect("read the arguments");
        assert!(!String::from_utf8_lossy(&arguments).contains(CANARY), "{secret}");
        let told = [&["status", "--json"][..], &["status"], &["logs"], &["explain", "data", "--json"]];
        for words in told {
            let said = hopper.run(words);
            assert!(!format!("{said:?}").contains(CANARY), "{secret}: {words:?} tells it");
        }
        hopper.bed().load_whole(0, NEAR, &[("both", MIB, 1)]);
        hopper.down();
        hopper.assert_nothing_left();
        for folder in ["state", "run", "home"] {
            let found = files_with(&bed.path(folder), CANARY);
            assert!(found.is_empty(), "{secret}: {found:?}");
        }
    }
}

#[test]
fn a_secret_that_cannot_be_had_is_told_and_nobody_is_asked_instead() {
    let Some(bed) = with_password(1) else { return };
    let hopper = Hopper::on(&bed);
    let open = bed.path("open");
    fs::write(&open, CANARY).expect("write the secret");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).expect("open it");
    for (secret, words) in [
        (json!({ "command": ["sh", "-c", format!("echo {CANARY}; exit 7")] }), "exit status: 7"),
        (json!({ "file": open }), "chmod 600"),
        (json!({ "env": "GATE_PW" }), "GATE_PW is not set"),
        (json!({ "credential": "gate" }), "CREDENTIALS_DIRECTORY"),
        (json!({ "askpass": true }), "SSH_ASKPASS names no program"),
    ] {
        let topology = Topology::line(&bed).hosts("auth", json!(["password"])).hosts("secret", secret);
        let ended = hopper.try_up(&topology, &["--progress", "plain"]);
        assert_eq!(ended.code, 4, "{}", ended.stderr);
        assert!(ended.stderr.contains("H0405") && ended.stderr.contains(words), "{words}: {}", ended.stderr);
        assert!(!ended.stderr.contains(CANARY), "{}", ended.stderr);
        hopper.assert_nothing_left();
    }
    assert_eq!(failures(&bed, 1), 0, "{}", bed.log(1));
}

#[test]
fn pam_asks_for_a_password_and_a_one_time_code_in_two_rounds() {
    let Some((bed, code)) = that_asks("", true, true) else { return };
    let hopper = Hopper::on(&bed);
    let topology = asks(&bed, json!(["keyboard-interactive"]));
    let answers = [("\"password:\"", CANARY), ("one-time password (oath) for `root':", &code)];
    let ended = typed(&hopper, &topology, &answers, &["-d"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, bed.log(2));
    assert!(!ended.stdout.contains(CANARY), "{}", ended.stdout);
    assert!(ended.stdout.contains("hop 2, h2 asks: \"Password:\""), "{}", ended.stdout);
    assert!(bed.log(2).contains("Accepted keyboard-interactive"), "{}", bed.log(2));
    carries(&hopper);
}

#[test]
fn a_key_and_then_a_one_time_code_log_in_together() {
    let Some((bed, code)) = that_asks("AuthenticationMethods publickey,keyboard-interactive", false, true)
    else {
        return;
    };
    let hopper = Hopper::on(&bed);
    let topology = asks(&bed, json!(["keyboard-interactive", "key"]));
    let ended = typed(&hopper, &topology, &[("one-time password", &code)], &["-d"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, bed.log(2));
    for part in ["Partial publickey", "Accepted keyboard-interactive"] {
        assert!(bed.log(2).contains(part), "{}", bed.log(2));
    }
    carries(&hopper);
}

#[test]
fn a_code_and_a_password_may_come_from_commands_each_for_its_question() {
    let Some((bed, code)) = that_asks("AuthenticationMethods publickey,keyboard-interactive", true, true)
    else {
        return;
    };
    let hopper = Hopper::on(&bed);
    let topology = asks(&bed, json!(["key", "keyboard-interactive"])).host(
        2,
        "secret",
        json!([
            { "command": ["echo", code], "answers": "one-time" },
            { "command": ["echo", CANARY], "for": "keyboard-interactive" },
        ]),
    );
    hopper.up(&topology, &[]);
    carries(&hopper);
}

#[test]
fn a_key_alone_where_a_code_is_wanted_too_says_what_is_missing() {
    let Some((bed, _)) = that_asks("AuthenticationMethods publickey,keyboard-interactive", false, true)
    else {
        return;
    };
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&Topology::line(&bed), &["--progress", "plain"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    for words in ["wants keyboard-interactive too", "taken; now it", "\"keyboard-interactive\"]"] {
        assert!(ended.stderr.contains(words), "does not say {words}: {}", ended.stderr);
    }
    // Nobody at a terminal, and a code wanted: told at once.
    let ended = hopper.try_up(&asks(&bed, json!(["key", "keyboard-interactive"])), &["-d"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    for words in ["H0402", "h2 needs an answer to \"One-time password", "hop 2"] {
        assert!(ended.stderr.contains(words), "does not say {words}: {}", ended.stderr);
    }
    assert_eq!(bed.log(2).matches("Failed keyboard-interactive").count(), 0, "{}", bed.log(2));
    hopper.assert_nothing_left();
}

#[test]
fn a_host_that_lets_in_anybody_is_only_entered_when_the_file_says_so() {
    let Some(bed) = Bed::hosts(1) else { return };
    bed.set_password(1, "");
    bed.start_sshd(1, "PermitRootLogin yes\nPasswordAuthentication yes\nPermitEmptyPasswords yes");
    bed.far_end(1);
    fs::remove_file(bed.key().path()).expect("remove the usual key");
    fs::remove_file(bed.key().path().with_extension("pub")).expect("and its half");
    let hopper = Hopper::on(&bed);
    let refused = hopper.try_up(&Topology::line(&bed), &["--progress", "plain"]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("\"auth\": [\"none\"]"), "{}", refused.stderr);
    hopper.up(&Topology::line(&bed).hosts("auth", json!(["none"])), &[]);
    carries(&hopper);
}

#[test]
fn a_ctrl_c_at_a_question_is_an_interruption_and_no_refusal() {
    let Some(bed) = with_password(1) else { return };
    let hopper = Hopper::on(&bed);
    let topology = Topology::line(&bed).hosts("auth", json!(["password"]));
    let ended = typed(&hopper, &topology, &[("the password of root: ", "\x03")], &["-d"]);
    assert_eq!(ended.code, 130, "{}", ended.stdout);
    assert!(!ended.stdout.contains("error["), "{}", ended.stdout);
    assert_eq!(failures(&bed, 1), 0, "{}", bed.log(1));
    hopper.assert_nothing_left();
}
