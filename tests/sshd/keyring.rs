//! Secrets from the desktop's keyring: a real one, on a message bus of its own.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use super::accounts::files_with;
use super::bed::{Bed, NEAR};
use super::command::{argv, must};
use super::hopper::Hopper;
use super::load::MIB;
use super::topology::Topology;
use super::typed::{CANARY, with_password};
use super::until::{SOON, until};

/// Starts a bus on host 0 with a keyring on it that is unlocked, and has the password of `hopper/gate`. Gives the
/// bus's address.
fn with_keyring(bed: &Bed) -> String {
    let (address, folder) = (bed.path("bus"), bed.path("keyring"));
    fs::create_dir_all(&folder).expect("make a folder");
    let unlocked = format!(
        "printf unlocks | gnome-keyring-daemon --unlock --components=secrets && \
         printf {CANARY} | secret-tool store --label=gate service hopper account hopper/gate && \
         echo $DBUS_SESSION_BUS_ADDRESS > '{0}.new' && mv '{0}.new' '{0}' && exec sleep 600",
        address.display()
    );
    let mut session = bed.on(0, "dbus-run-session");
    session.args(["--", "sh", "-c", &unlocked]);
    session.env("HOME", &folder).env("XDG_RUNTIME_DIR", &folder).env("TMPDIR", &folder);
    session.env_remove("XDG_DATA_HOME").env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    bed.background(0, "keyring", &mut session);
    assert!(until(SOON, || address.exists()), "no keyring");
    fs::read_to_string(address).expect("read the address").trim().to_owned()
}

fn kept_under(bed: &Bed, name: &str) -> Topology {
    Topology::line(bed).hosts("auth", json!(["password"])).hosts("secret", json!({ "keyring": name }))
}

#[test]
fn a_password_comes_from_the_keyring_and_is_found_nowhere_else() {
    let Some(bed) = with_password(1) else { return };
    let bus = with_keyring(&bed);
    let hopper = Hopper::on(&bed).with("DBUS_SESSION_BUS_ADDRESS", bus.as_ref());
    hopper.up(&kept_under(&bed, "hopper/gate"), &["-vv"]);
    bed.load_whole(0, NEAR, &[("both", MIB, 1)]);
    hopper.down();
    hopper.assert_nothing_left();
    for folder in ["state", "run", "home"] {
        let found = files_with(&bed.path(folder), CANARY);
        assert!(found.is_empty(), "{found:?}");
    }
    // The keyring is open, and has nothing by this name.
    let ended = hopper.try_up(&kept_under(&bed, "hopper/other"), &["--progress", "plain"]);
    says_what_to_type(&ended.stderr, ended.code, "hopper/other");
    hopper.assert_nothing_left();
}

#[test]
fn without_a_keyring_or_its_program_the_error_says_what_to_type() {
    let Some(bed) = with_password(1) else { return };
    let hopper = Hopper::on(&bed).with("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere".as_ref());
    let ended = hopper.try_up(&kept_under(&bed, "gate"), &["--progress", "plain"]);
    says_what_to_type(&ended.stderr, ended.code, "gate");
    // The bed itself needs one program there.
    let bare = bed.path("bare");
    fs::create_dir_all(&bare).expect("make a folder");
    let ip = must(&mut argv(&["sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; command -v ip"]));
    symlink(ip.trim(), bare.join("ip")).expect("make a link");
    let hopper = Hopper::on(&bed).with("PATH", bare.as_os_str());
    let ended = hopper.try_up(&kept_under(&bed, "gate"), &["--progress", "plain"]);
    says_what_to_type(&ended.stderr, ended.code, "gate");
    assert!(ended.stderr.contains("libsecret-tools"), "{}", ended.stderr);
    hopper.assert_nothing_left();
    assert!(!bed.log(1).contains("Failed password"), "{}", bed.log(1));
}

fn says_what_to_type(said: &str, code: i32, name: &str) {
    assert_eq!(code, 4, "{said}");
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let store = format!("secret-tool store --label={name} service hopper account {name}");
    assert!(words.contains("H0405") && words.contains(&store), "{said}");
    assert!(!said.contains(CANARY), "{said}");
}
