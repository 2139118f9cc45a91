//! Who hopper logs in as: agent, locked keys, every usual kind of key, and keys it cannot use.

use std::fs;
use std::time::Duration;

use serde_json::json;

use super::bed::{Bed, NEAR};
use super::command::{argv, must};
use super::hopper::{Ended, Hopper};
use super::keys::Key;
use super::load::{MIB, script};
use super::topology::Topology;

/// Two hosts that let in this key and no other; the user's usual key is gone.
fn only(bed: &Bed, key: &Key) {
    for host in 1..=bed.last() {
        bed.authorize(host, &key.public());
    }
    if key.path() != bed.key().path() {
        fs::remove_file(bed.key().path()).expect("remove the usual key");
        fs::remove_file(bed.key().path().with_extension("pub")).expect("remove its public half");
    }
}

fn works(hopper: &Hopper, topology: &Topology) {
    hopper.up(topology, &[]);
    still_works(hopper);
}

fn still_works(hopper: &Hopper) {
    hopper.bed().load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
}

fn a_key_of_this_kind_logs_in(kind: &str) {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let key = Key::make(bed.path("home/.ssh/other"), kind, "");
    only(&bed, &key);
    let named = Topology::line(&bed).hosts("identities", json!(["~/.ssh/other"]));
    works(&Hopper::on(&bed), &named);
}

#[test]
fn an_ecdsa_key_logs_in() {
    a_key_of_this_kind_logs_in("ecdsa");
}

#[test]
fn an_rsa_key_logs_in() {
    a_key_of_this_kind_logs_in("rsa");
}

#[test]
fn an_ecdsa_key_under_its_usual_name_is_found() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    only(&bed, &Key::make(bed.path("home/.ssh/id_ecdsa"), "ecdsa", ""));
    works(&Hopper::on(&bed), &Topology::line(&bed));
}

#[test]
fn the_ssh_agent_logs_in_without_any_key_file() {
    let Some(bed) = Bed::line(2) else { return };
    bed.far_end(2);
    let key = Key::make(bed.path("elsewhere/key"), "ed25519", "");
    only(&bed, &key);
    let socket = bed.path("agent.sock");
    bed.background(0, "agent", bed.on(0, "ssh-agent").arg("-D").arg("-a").arg(&socket));
    assert!(super::until::until(super::until::SOON, || socket.exists()), "no agent");
    must(bed.on(0, "ssh-add").arg("-q").arg(key.path()).env("SSH_AUTH_SOCK", &socket));
    works(&Hopper::on(&bed).with_agent(socket), &Topology::line(&bed));
}

#[test]
fn an_agent_that_is_gone_does_not_keep_a_key_file_from_logging_in() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let hopper = Hopper::on(&bed).with_agent(bed.path("no-such-agent.sock"));
    works(&hopper, &Topology::line(&bed));
}

/// One host that wants a key whose passphrase is `open sesame`.
fn locked() -> Option<Bed> {
    let bed = Bed::line(2)?;
    bed.far_end(2);
    let key = Key::make(bed.path("elsewhere/key"), "ed25519", "open sesame");
    only(&bed, &key);
    fs::rename(key.path(), bed.key().path()).expect("put the locked key in its usual place");
    fs::rename(key.path().with_extension("pub"), bed.key().path().with_extension("pub"))
        .expect("and its half");
    Some(bed)
}

/// `up -d` on a terminal where someone answers the question for the passphrase.
fn typed(hopper: &Hopper, answer: &str) -> Ended {
    typed_after(hopper, answer, "0")
}

/// The same by someone who takes so many seconds.
fn typed_after(hopper: &Hopper, answer: &str, seconds: &str) -> Ended {
    let file = Topology::line(hopper.bed()).write(hopper.bed());
    let [python, terminal] = script("terminal.py");
    let mut command = hopper.bed().on(0, python);
    command.arg(terminal).args(["passphrase", answer, seconds, env!("CARGO_BIN_EXE_hopper"), "up", "-d"]);
    command.arg(file);
    hopper.start_command(&mut command).ended()
}

#[test]
fn a_passphrase_is_asked_on_the_terminal_and_the_run_outlives_it() {
    let Some(bed) = locked() else { return };
    let hopper = Hopper::on(&bed);
    let ended = typed(&hopper, "open sesame");
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(!ended.stdout.contains("sesame"), "the passphrase was shown: {}", ended.stdout);
    let asked = ended.stdout.to_lowercase().matches("passphrase").count();
    assert_eq!(asked, 1, "one key on two hosts is unlocked once: {}", ended.stdout);
    still_works(&hopper);
}

#[test]
fn a_person_may_take_longer_for_a_passphrase_than_any_timer() {
    let Some(bed) = locked() else { return };
    let hopper = Hopper::on(&bed);
    let ended = typed_after(&hopper, "open sesame", "27");
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    still_works(&hopper);
}

#[test]
fn a_wrong_passphrase_is_told_and_no_login_is_tried() {
    let Some(bed) = locked() else { return };
    let hopper = Hopper::on(&bed);
    let ended = typed(&hopper, "open barley");
    assert_eq!(ended.code, 4, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("what was given does not fit"), "{}", ended.stdout);
    assert_eq!(bed.logins(1), 0);
    hopper.assert_nothing_left();
}

#[test]
fn a_locked_key_and_nobody_to_ask_is_told() {
    let Some(bed) = locked() else { return };
    let hopper = Hopper::on(&bed);
    let ended = hopper.try_up(&Topology::line(&bed), &["-d"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("id_ed25519"), "does not name the key: {}", ended.stderr);
    hopper.assert_nothing_left();
}

#[test]
fn a_key_file_that_is_no_key_is_told_by_name() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    fs::write(bed.path("home/.ssh/broken"), "this is no key\n").expect("write the file");
    fs::create_dir(bed.path("home/.ssh/folder")).expect("make the folder");
    let hopper = Hopper::on(&bed);
    for file in ["broken", "folder", "absent"] {
        let identity = json!([format!("~/.ssh/{file}")]);
        let topology = Topology::line(&bed).hosts("identities", identity).hosts("auth", json!(["key"]));
        let ended = hopper.try_up(&topology, &["--progress", "plain"]);
        assert_eq!(ended.code, 4, "{file}: {}", ended.stderr);
        assert!(ended.stderr.contains(file), "does not name {file}: {}", ended.stderr);
        hopper.assert_nothing_left();
    }
}

#[test]
fn a_key_file_that_is_a_pipe_is_told_instead_of_waited_for() {
    let Some(bed) = Bed::line(1) else { return };
    must(argv(&["mkfifo", "-m", "600"]).arg(bed.path("home/.ssh/pipe")));
    let hopper = Hopper::on(&bed);
    let topology =
        Topology::line(&bed).hosts("identities", json!(["~/.ssh/pipe"])).hosts("auth", json!(["key"]));
    let ended = hopper.start_up(&topology, &["--progress", "plain"]).ended_within(Duration::from_secs(8));
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    for words in ["no regular file", ".ssh/pipe", "h1"] {
        assert!(ended.stderr.contains(words), "does not say {words}: {}", ended.stderr);
    }
    hopper.assert_nothing_left();
}

#[test]
fn no_secret_is_seen_by_other_users_in_arguments_or_logs() {
    let Some(bed) = locked() else { return };
    let hopper = Hopper::on(&bed);
    assert_eq!(typed(&hopper, "open sesame").code, 0);
    let pid = hopper.pid();
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).expect("read the arguments");
    assert!(!String::from_utf8_lossy(&arguments).contains("sesame"));
    let logs =
        must(bed.on(0, "sh").args(["-c", "cat $(find \"$0\" -type f) /dev/null"]).arg(bed.path("state")));
    assert!(!logs.contains("sesame") && !logs.contains("PRIVATE KEY"), "{logs}");
    still_works(&hopper);
}

/// Makes a key with these options of `ssh-keygen`, locked with the passphrase, and lets it in.
fn made(bed: &Bed, name: &str, options: &[&str], passphrase: &str) -> Key {
    let path = bed.path(&format!("home/.ssh/{name}"));
    must(argv(&["ssh-keygen", "-q", "-C", "bed", "-N", passphrase]).args(options).arg("-f").arg(&path));
    let key = Key::existing(path);
    bed.authorize(1, &key.public());
    // Its public half must not be what lets it in.
    fs::remove_file(key.path().with_extension("pub")).expect("remove the public half");
    key
}

#[test]
fn key_files_of_every_form_log_in_locked_and_open() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let kept = bed.path("passphrase");
    fs::write(&kept, "open sesame\n").expect("write the passphrase");
    must(argv(&["chmod", "600"]).arg(&kept));
    let hopper = Hopper::on(&bed);
    let forms: [&[&str]; 9] = [
        &["-t", "ed25519"],
        &["-t", "ed25519", "-Z", "chacha20-poly1305@openssh.com"],
        &["-t", "ed25519", "-Z", "aes256-gcm@openssh.com"],
        &["-t", "ecdsa", "-b", "521"],
        &["-t", "ecdsa", "-b", "384", "-m", "PKCS8"],
        &["-t", "rsa", "-b", "2048"],
        &["-t", "rsa", "-b", "2048", "-m", "PEM"],
        &["-t", "rsa", "-b", "2048", "-m", "PKCS8"],
        &["-t", "ecdsa", "-b", "256", "-m", "PEM"],
    ];
    for (n, form) in forms.iter().enumerate() {
        for passphrase in ["", "open sesame"] {
            // The one form of them that is beyond hopper; see the next test.
            if !passphrase.is_empty() && form.ends_with(&["-m", "PEM"]) && form[1] == "ecdsa" {
                continue;
            }
            let name = format!("form{n}{}", passphrase.len());
            made(&bed, &name, form, passphrase);
            let named = Topology::line(&bed)
                .hosts("identities", json!([format!("~/.ssh/{name}")]))
                .hosts("secret", json!({ "file": kept, "for": "passphrase" }));
            let ended = hopper.try_up(&named, &["-d"]);
            assert_eq!(ended.code, 0, "{form:?} {passphrase:?}: {}", ended.stderr);
            hopper.down();
        }
    }
    hopper.assert_nothing_left();
}

#[test]
fn a_form_beyond_hopper_is_told_with_the_command_that_converts_it() {
    let Some(bed) = Bed::line(1) else { return };
    bed.far_end(1);
    let key = made(&bed, "older", &["-t", "ecdsa", "-m", "PEM"], "open sesame");
    let hopper = Hopper::on(&bed);
    let named = || {
        Topology::line(&bed)
            .hosts("identities", json!(["~/.ssh/older"]))
            .hosts("secret", json!({ "command": ["echo", "open sesame"] }))
    };
    let ended = hopper.try_up(&named(), &["--progress", "plain"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    let said = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let convert = format!("ssh-keygen -p -f {}", key.path().display());
    assert!(said.contains("older PEM form") && said.contains(&convert), "{}", ended.stderr);
    must(argv(&["ssh-keygen", "-p", "-f"]).arg(key.path()).args(["-P", "open sesame", "-N", "open sesame"]));
    works(&hopper, &named());
}
