//! The same files and names given to `ssh-keygen -F`: it must find what [`Records`] finds, line by line.
//!
//! Files come from a generator; many are put one after another and asked about at once, since a line means the
//! same wherever it stands.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;

/// Files in one go, and goes. Their product is how many files are tried.
const FILES: usize = 100;
const GOES: usize = 30;

/// The names asked for, as hopper and ssh spell them.
const NAMES: [&str; 10] = [
    "a",
    "b",
    "ab",
    "a.net",
    "b.a.net",
    "[a]:22",
    "[a]:2222",
    "[a.net]:2222",
    "2001:db8::1",
    "[2001:db8::1]:2222",
];

const KEYS: [&str; 4] = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOV4wgdMrCVzBhAS1Sfn5ODZg48k7mG4/aUMFyWA3VoM",
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBElizQrQBIPHdxtuXMH3QXe8nPC58Y7+dIaO92zEaiDUUWq1D9oT7GlSFllYztNZpCgRrHuYyjlMBaBH8z3lgTU=",
    // No key, though it looks like one.
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
];

/// What `ssh-keygen -H` makes of some of the names.
fn hash(name: &str, salt: u8) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    use russh::keys::ssh_key::known_hosts::HostPatterns;
    let salt = vec![salt; 20];
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&salt).unwrap();
    mac.update(name.as_bytes());
    HostPatterns::HashedName { salt, hash: mac.finalize().into_bytes().into() }.to_string()
}

fn pattern() -> impl Strategy<Value = String> {
    let some = prop::sample::select(vec![
        "a",
        "A",
        "b",
        "ab",
        "a.net",
        "*.net",
        "*",
        "?",
        "a*",
        "??",
        "*a*",
        "[a]:22",
        "[a]:2222",
        "[*]:2222",
        "[a.net]:*",
        "[*",
        "2001:db8::1",
        "*:*",
        "[2001:db8::1]:2222",
        "*.*.net",
        "",
        "a?net",
        "**",
        "b.a.ne*t",
    ]);
    (prop::bool::weighted(0.2), some)
        .prop_map(|(not, pattern)| format!("{}{pattern}", if not { "!" } else { "" }))
}

fn hosts() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::collection::vec(pattern(), 1..4).prop_map(|patterns| patterns.join(",")),
        2 => (prop::sample::select(NAMES.to_vec()), 0..9u8).prop_map(|(name, salt)| hash(name, salt)),
        1 => prop::sample::select(vec!["|1|x|y", "|1|AAAA|AAAA", "|2|AAAA|AAAA", "|", "|1|", "a,", ",a", "!", "!a,"])
            .prop_map(str::to_owned),
    ]
}

fn line() -> impl Strategy<Value = String> {
    let marker = prop_oneof![
        5 => Just(""),
        1 => prop::sample::select(vec!["@revoked", "@cert-authority", "@unheard-of", "@", "@revoked @revoked"]),
    ];
    let gap = || prop::sample::select(vec![" ", " ", "\t", "  ", " \t "]);
    let end = prop::sample::select(vec!["", "", " a comment", "\t# note", " a b c", "\r"]);
    let begin = prop::sample::select(vec!["", "", "", " ", "\t", "#", "# "]);
    let key = prop::sample::select(KEYS.to_vec());
    let whole = (begin, marker, gap(), hosts(), gap(), gap(), key, end).prop_map(
        |(begin, marker, after, hosts, gap, other, key, end)| {
            let marker = if marker.is_empty() { String::new() } else { format!("{marker}{after}") };
            format!("{begin}{marker}{hosts}{gap}{}{end}", key.replacen(' ', other, 1))
        },
    );
    prop_oneof![
        12 => whole,
        1 => prop::sample::select(vec!["", "a", "a ", "a ssh-ed25519", "@revoked", "@revoked a", "a #", "   \t"])
            .prop_map(str::to_owned),
    ]
}

/// The lines that record something for this name, as hopper reads them: number, marker, fingerprint.
fn ours(text: &str, name: &str) -> BTreeSet<(usize, &'static str, String)> {
    let mut records = Records::default();
    records.collect(text, Path::new("known_hosts"), &[name.to_owned()]);
    let found = records.records.iter().map(|record| {
        let marker = match record.role {
            Role::Host => "",
            Role::Authority => "CA",
            Role::Revoked => "REVOKED",
        };
        (record.line, marker, record.key.fingerprint(russh::keys::HashAlg::Sha256).to_string())
    });
    found.collect()
}

/// The same, as `ssh-keygen` reads them.
fn theirs(file: &Path, name: &str) -> BTreeSet<(usize, &'static str, String)> {
    let said =
        Command::new("ssh-keygen").args(["-l", "-F", name, "-f"]).arg(file).output().expect("run ssh-keygen");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let (mut found, mut place) = (BTreeSet::new(), None);
    for line in said.lines() {
        if let Some(told) = line.strip_prefix("# Host ") {
            let mut words = told.split_whitespace().skip_while(|word| *word != "line").skip(1);
            let number = words.next().and_then(|number| number.parse().ok()).expect("a line number");
            let marker = match words.next() {
                Some("CA") => "CA",
                Some("REVOKED") => "REVOKED",
                _ => "",
            };
            place = Some((number, marker));
        } else if let (Some((number, marker)), Some(print)) =
            (place.take(), line.split_whitespace().find(|word| word.starts_with("SHA256:")))
        {
            found.insert((number, marker, print.to_owned()));
        }
    }
    found
}

#[test]
fn thousands_of_files_say_the_same_to_openssh() {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        assert!(std::env::var_os("HOPPER_REQUIRE_ALL").is_none(), "required, but there is no ssh-keygen");
        eprintln!("skipped: there is no ssh-keygen");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let files = prop::collection::vec(prop::collection::vec(line(), 1..8), FILES);
    let mut found = 0;
    for go in 0..GOES {
        let files = files.new_tree(&mut runner).unwrap().current();
        let text: String = files.iter().flatten().map(|line| format!("{line}\n")).collect();
        let file = folder.path().join(go.to_string());
        std::fs::write(&file, &text).unwrap();
        for name in NAMES {
            let (ours, theirs) = (ours(&text, name), theirs(&file, name));
            let odd: Vec<_> = ours
                .symmetric_difference(&theirs)
                .map(|(number, marker, _)| {
                    let by = if ours.iter().any(|one| one.0 == *number) { "hopper" } else { "ssh-keygen" };
                    format!(
                        "only {by} finds {name:?} {marker} in {:?}",
                        text.lines().nth(number - 1).unwrap()
                    )
                })
                .collect();
            assert!(odd.is_empty(), "{}", odd.join("\n"));
            found += ours.len();
        }
    }
    assert!(found > FILES * GOES, "hardly anything was found: {found}");
}
