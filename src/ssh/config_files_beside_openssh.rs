//! The same configurations given to the real `ssh -G`: what hopper reads by itself must come to the same settings, or
//! be refused. Configurations come from a generator, with files that include others.

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::topology::{HostId, SshSettings};

/// How many configurations are tried, each with two names.
const CONFIGURATIONS: usize = 1000;

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(words).prop_map(str::to_owned)
}

/// A line that sets something, mostly what hopper takes over.
fn setting() -> impl Strategy<Value = String> {
    let name = one_of(&["gate.net", "g2", "%h.net", "a%%b", "x-%h-%h", "GATE.Net", "%%h", "10.0.0.1"]);
    let path = one_of(&[
        "~/.ssh/a",
        "~/.ssh/b",
        "/k/%h-%r",
        "\"/k/c\"",
        "'/k/d'",
        "none",
        "/k/%n.%p",
        "~/.ssh/id_rsa",
    ]);
    let jump = one_of(&["none", "b", "ann@b:7", "b,c", "ssh://ann@b:7", "[2001:db8::1]:9,b", "NONE", "b, c"]);
    let kex = one_of(&[
        "curve25519-sha256",
        "+diffie-hellman-group1-sha1",
        "-ecdh-*",
        "^diffie-hellman-group14-sha256",
        "ecdh-*",
        "diffie-hellman-group14-sha1,curve25519-sha256",
    ]);
    let mac =
        one_of(&["hmac-sha2-256,hmac-sha1", "hmac-sha1", "-hmac-sha1*", "+hmac-sha1", "^hmac-sha2-512"]);
    let cipher =
        one_of(&["aes128-ctr,aes128-cbc", "+aes*-cbc", "-chacha*", "aes256-gcm@openssh.com", "3des-cbc"]);
    let line = prop_oneof![
        6 => name.prop_map(|name| format!("HostName {name}")),
        4 => one_of(&["User bob", "user=ann", "USER  =  \"bob\"", "User tester", "User carl # who"]),
        4 => one_of(&["Port 22", "Port 2222", "port=443", "Port 0x10", "Port \"7\""]),
        6 => (one_of(&["IdentityFile", "identityfile", "CertificateFile", "IdentityFile2"]), path)
            .prop_map(|(key, path)| format!("{key} {path}")),
        2 => one_of(&["IdentitiesOnly yes", "IdentitiesOnly TRUE", "IdentitiesOnly no", "IdentitiesOnly maybe"]),
        2 => one_of(&["IdentityAgent none", "IdentityAgent /k/%r@%h", "IdentityAgent SSH_AUTH_SOCK"]),
        2 => one_of(&["HostKeyAlias Gate", "HostKeyAlias=a", "UserKnownHostsFile /k/one", "UserKnownHostsFile none"]),
        2 => one_of(&["UserKnownHostsFile /k/one \"/k/two\"", "GlobalKnownHostsFile /k/g1 /k/g2"]),
        2 => one_of(&["ServerAliveInterval 30", "ServerAliveInterval 1m30s", "ServerAliveCountMax 5"]),
        3 => jump.prop_map(|jump| format!("ProxyJump {jump}")),
        2 => one_of(&["ProxyCommand nc %h %p", "ProxyCommand none", "ProxyCommand=exec  nc '%h' 22"]),
        1 => kex.prop_map(|list| format!("KexAlgorithms {list}")),
        1 => mac.prop_map(|list| format!("MACs {list}")),
        1 => cipher.prop_map(|list| format!("Ciphers {list}")),
        1 => one_of(&["HostKeyAlgorithms ssh-ed25519", "HostKeyAlgorithms +ssh-rsa", "HostKeyAlgorithms -ssh-*"]),
        2 => one_of(&["Compression yes", "ForwardAgent yes", "LogLevel ERROR", "", "  # a note", "SendEnv LANG"]),
        1 => one_of(&["IgnoreUnknown Odd*", "OddThing 1", "Bad", "User \"open", "User bob ann", "CanonicalizeHostname no"]),
    ];
    (one_of(&["", "  ", "\t"]), line, one_of(&["", "", " ", "\r"]))
        .prop_map(|(before, line, after)| format!("{before}{line}{after}"))
}

/// The first line of a block.
fn block() -> impl Strategy<Value = String> {
    let pattern =
        one_of(&["*", "gate", "!gate", "g*", "?ate", "other", "GATE", "\"gate\"", "*.net", "!other", "g2"]);
    let host =
        prop::collection::vec(pattern, 1..4).prop_map(|patterns| format!("Host {}", patterns.join(" ")));
    let condition = one_of(&[
        "all",
        "host gate",
        "host *.net,g2",
        "host=gate.net",
        "!host gate",
        "originalhost gate,Other",
        "user bob",
        "!user bob,ann",
        "user \"tester\"",
        "localuser root",
        "localuser nobody",
        "final",
        "canonical",
        "host *,!gate",
        "exec false",
        "exec true",
    ]);
    let conditions = prop::collection::vec(condition, 1..3);
    prop_oneof![
        4 => host,
        3 => conditions.prop_map(|conditions| format!("Match {}", conditions.join(" "))),
    ]
}

fn text(includes: &'static [&'static str]) -> impl Strategy<Value = String> {
    let include = one_of(includes).prop_map(|file| format!("Include {file}"));
    let line = prop_oneof![10 => setting(), 4 => block(), 1 => include];
    prop::collection::vec(line, 0..14)
        .prop_map(|lines| lines.iter().map(|line| format!("{line}\n")).collect())
}

/// What becomes of a name: settings, or none.
fn settings(answer: &str, without: &str, name: &str, person: &Person<'_>) -> Option<SshSettings> {
    let mut settings = SshSettings::read(answer, without, name, person).ok()?;
    for list in settings.algorithms.values_mut() {
        // Which comes first in a list that is changed by +, - or ^ is up to each program; which are in it is not. And
        // an older ssh does not have the newest of all.
        list.retain(|name| *name != "mlkem768x25519-sha256");
        list.sort_unstable();
    }
    Some(settings)
}

fn ssh(file: &Path, home: &Path, name: &str, user: Option<&str>) -> Option<String> {
    let mut command = Command::new("ssh");
    command.arg("-G").arg("-F").arg(file).env("HOME", home);
    if let Some(user) = user {
        command.args(["-l", user]);
    }
    let said = command.args(["--", name]).output().expect("run ssh");
    said.status.success().then(|| String::from_utf8_lossy(&said.stdout).into_owned())
}

#[test]
fn thousands_of_configurations_come_to_the_same_or_are_refused() {
    if Command::new("ssh").arg("-V").output().is_err() {
        assert!(std::env::var_os("HOPPER_REQUIRE_ALL").is_none(), "required, but there is no ssh");
        eprintln!("skipped: there is no ssh");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".ssh");
    std::fs::create_dir_all(folder.join("d")).unwrap();
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let files = (text(&["d/*", "d/a", "~/.ssh/d/b", "none", "d/a d/b"]), text(&["d/b"]), text(&["none"]));
    let (mut same, mut refused) = (0, 0);
    let variable = |_: &str| None;
    let local_user = ssh(Path::new("none"), home.path(), "x", None).unwrap();
    let local_user = local_user.lines().find_map(|line| line.strip_prefix("user ")).unwrap().to_owned();
    let person = Person { home: "/h", user: &local_user, variable: &variable };
    let usual = ssh(Path::new("none"), home.path(), "hopper", None).unwrap();
    for _ in 0..CONFIGURATIONS {
        let (main, one, two) = files.new_tree(&mut runner).unwrap().current();
        let file = folder.join("config");
        for (name, text) in [("config", &main), ("d/a", &one), ("d/b", &two)] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        for (name, user) in [("gate", None), ("Other", Some("bob"))] {
            let whole = || format!("{name}\n--- config\n{main}--- d/a\n{one}--- d/b\n{two}");
            let lookup = Lookup {
                host: HostId::new("h"),
                name: name.to_owned(),
                user: user.map(str::to_owned),
                port: None,
            };
            let read = ConfigFiles::read(&ConfigFile::This(file.clone()), home.path()).unwrap();
            let ours = read.answer(&lookup, &person);
            let theirs = ssh(&file, home.path(), name, user);
            match (ours, theirs) {
                (Err(_), None) => {}
                (Err(_), Some(_)) => refused += 1,
                // `ssh` refuses what stands in a block that does not count as well.
                (Ok(_), None) => {}
                (Ok(ours), Some(theirs)) => {
                    let ours = settings(&ours, &read.without(&person), name, &person);
                    assert_eq!(ours, settings(&theirs, &usual, name, &person), "{}", whole());
                    same += 1;
                }
            }
        }
    }
    println!("{same} the same, {refused} refused that ssh answers");
    assert!(same > CONFIGURATIONS / 2 && refused < same / 4, "{same} the same, {refused} refused");
}
