//! What is written, and what stays as it was.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";
const OLD: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOV4wgdMrCVzBhAS1Sfn5ODZg48k7mG4/aUMFyWA3VoM";

fn key() -> PublicKey {
    format!("{KEY} a comment").parse().unwrap()
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_line_is_added_and_the_mode_and_the_link_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("known_hosts"));
    // The last line has no end.
    fs::write(&real, format!("g {OLD}")).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real", &link).unwrap();
    KnownHostsFile::lock(&link).unwrap().append("[h]:2222", &key()).unwrap();
    assert_eq!(fs::read_to_string(&real).unwrap(), format!("g {OLD}\n[h]:2222 {KEY}\n"));
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(names_in(folder.path()), ["known_hosts", "real"], "nothing lies beside it");
}

#[test]
fn a_file_that_is_not_there_is_made_for_the_person_alone() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".ssh/known_hosts");
    KnownHostsFile::lock(&file).unwrap().append("h", &key()).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("h {KEY}\n"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
}

#[test]
fn what_could_be_taken_for_anything_but_one_name_is_not_written() {
    for name in
        ["", "a b", "a\nb", "a\tb", "a,b", "*", "h?", "!h", "#h", "|1|x|y", "@revoked", "h\u{1b}[2J", "ö"]
    {
        assert!(line(name, &key()).is_err(), "{name:?}");
    }
    for name in ["h", "h.example.net", "[h]:2222", "2001:db8::1", "[fe80::1%eth0]:22", "a_b-c"] {
        assert_eq!(line(name, &key()).unwrap(), format!("{name} {KEY}"));
    }
}

#[test]
fn a_replaced_key_is_gone_under_every_plain_name_and_the_rest_stays() {
    // What `ssh-keygen -H` makes of `myhost`.
    let hashed = "|1|88C6lAGlRbdl2KD8AXdyWqUi9tc=|BGxOyCdvV7dkMchrMTlXHibK5Ls=";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    let before = format!(
        "# mine\nMyHost {OLD}\n  g,[m.net]:22,f\t{OLD} note\n{hashed} {OLD}\n@revoked myhost {OLD}\nmy* {OLD}\n\
         myhost,!k {OLD}\nother {OLD}\nmyhost not a key\n"
    );
    fs::write(&file, before).unwrap();
    let names = ["[m.net]:22".to_owned(), "myhost".to_owned()];
    KnownHostsFile::lock(&file).unwrap().replace(&names, "myhost", &key()).unwrap();
    let after = format!(
        "# mine\ng,f\t{OLD} note\n@revoked myhost {OLD}\nmy* {OLD}\nother {OLD}\nmyhost not a key\nmyhost {KEY}\n"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), after);
}

#[test]
fn many_writers_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    let writers = (0..16).map(|writer| {
        let file = file.clone();
        std::thread::spawn(move || {
            for line in 0..8 {
                KnownHostsFile::lock(&file).unwrap().append(&format!("h{writer}-{line}"), &key()).unwrap();
            }
        })
    });
    writers.collect::<Vec<_>>().into_iter().for_each(|writer| writer.join().unwrap());
    let text = fs::read_to_string(&file).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 16 * 8);
    assert!(lines.iter().all(|line| line.ends_with(KEY)), "{text}");
}

#[test]
fn what_is_no_file_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    assert!(KnownHostsFile::lock(folder.path()).is_err());
}
