//! Fuzz target: a known_hosts file of any bytes never breaks the judgement of a host key, and a recorded
//! revocation is never overruled by what stands around it.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use hopper::ssh::{HostKeyRefusal, Trust};
use hopper::topology::{Host, HostId};
use libfuzzer_sys::fuzz_target;
use russh::keys::PublicKey;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";

/// In memory where there is such a folder: the file is written for every input.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    folder.join(format!("hopper-fuzz-{}", std::process::id()))
});

static SHOWN: LazyLock<PublicKey> = LazyLock::new(|| KEY.parse().expect("a key"));

fn judge(text: &[u8], id: &str) -> Result<(), HostKeyRefusal> {
    std::fs::write(&*FILE, text).expect("write the file");
    let mut host = Host::new(HostId::new(id));
    host.host_key.file = Some(FILE.to_str().expect("a plain path").to_owned());
    Trust::default().expectation(&host)?.judge(&SHOWN)
}

fuzz_target!(|data: &[u8]| {
    for id in ["h", "gate-b.example.net"] {
        let alone = judge(data, id);
        let around = [&b"\n@revoked * "[..], KEY.as_bytes(), b"\n"].concat();
        let after = judge(&[data, &around].concat(), id);
        assert!(matches!(after, Err(HostKeyRefusal::Revoked { .. })), "revoked, but: {after:?}");
        let trusted = format!("{id} {KEY}\n");
        let before = judge(&[trusted.as_bytes(), data].concat(), id);
        let revoked = matches!(alone, Err(HostKeyRefusal::Revoked { .. }));
        assert_eq!(before.is_ok(), !revoked, "recorded in line 1, and: {before:?}");
    }
    std::fs::remove_file(&*FILE).expect("remove the file");
});
