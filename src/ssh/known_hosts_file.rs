//! One known_hosts file that is being written: locked, and changed as a whole or not at all. Its mode and its
//! owner stay; what is put in is one line without a control character.
//!
//! Decides nothing about trust.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use russh::keys::PublicKey;
use russh::keys::ssh_key::known_hosts::HostPatterns;
use rustix::fs::OFlags;

use super::host_field;
use super::known_hosts::{parse, read};

/// How long another program may hold the lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// A file that nobody else of good will writes meanwhile.
pub(super) struct KnownHostsFile {
    /// Where it really is: a link stays a link.
    path: PathBuf,
    locked: File,
}

impl KnownHostsFile {
    /// Waits for the lock, up to some seconds. A file that does not exist is made, and its folder, both
    /// for the person alone.
    pub fn lock(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let since = Instant::now();
        loop {
            let file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .custom_flags(OFlags::NONBLOCK.bits() as i32)
                .open(path)?;
            if !file.metadata()?.is_file() {
                return Err(io::Error::other("it is no regular file"));
            }
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if since.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(20));
                    continue;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::other("another program holds its lock"));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Whoever held the lock before may have put another file in its place.
            let path = fs::canonicalize(path)?;
            let (ours, there) = (file.metadata()?, fs::metadata(&path)?);
            if (ours.dev(), ours.ino()) == (there.dev(), there.ino()) {
                return Ok(KnownHostsFile { path, locked: file });
            }
        }
    }

    /// Adds a key under a name.
    pub fn append(self, name: &str, key: &PublicKey) -> io::Result<()> {
        let mut bytes = read(&self.path)?.unwrap_or_default();
        add(&mut bytes, name, key)?;
        self.replace_with(&bytes)
    }

    /// Adds a key under a name, and takes out every other key that is recorded for the host under just one of
    /// these names, markers apart. What a pattern says stays.
    pub fn replace(self, names: &[String], name: &str, key: &PublicKey) -> io::Result<()> {
        let bytes = read(&self.path)?.unwrap_or_default();
        let mut kept = Vec::with_capacity(bytes.len());
        for line in bytes.split_inclusive(|&b| b == b'\n') {
            match without(&String::from_utf8_lossy(line), names) {
                Some(Some(shorter)) => kept.extend_from_slice(shorter.as_bytes()),
                Some(None) => {}
                None => kept.extend_from_slice(line),
            }
        }
        add(&mut kept, name, key)?;
        self.replace_with(&kept)
    }

    /// Puts this content in its place in one step.
    fn replace_with(self, bytes: &[u8]) -> io::Result<()> {
        let KnownHostsFile { path, locked } = self;
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let mut beside = name.to_owned();
        beside.push(".hopper");
        let beside = folder.join(beside);
        // The lock is ours, so what lies there was left by a crash.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let written = write_like(&locked, &beside, bytes).and_then(|()| fs::rename(&beside, &path));
        if written.is_err() {
            // What went wrong first is what is told.
            let _ = fs::remove_file(&beside);
        }
        written?;
        File::open(folder)?.sync_all()
    }
}

/// Writes a new file with the mode and the owner of another.
fn write_like(model: &File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    let (wanted, is) = (model.metadata()?, file.metadata()?);
    if (wanted.uid(), wanted.gid()) != (is.uid(), is.gid()) {
        fchown(&file, Some(wanted.uid()), Some(wanted.gid()))?;
    }
    file.set_permissions(wanted.permissions())?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Puts a line at the end, on a line of its own.
fn add(bytes: &mut Vec<u8>, name: &str, key: &PublicKey) -> io::Result<()> {
    let line = line(name, key)?;
    if bytes.last().is_some_and(|&b| b != b'\n') {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(line.as_bytes());
    bytes.push(b'\n');
    Ok(())
}

/// The line that records a key under a name: nothing that could be taken for two lines, several names, a
/// pattern, a marker, a hash or a comment.
pub(super) fn line(name: &str, key: &PublicKey) -> io::Result<String> {
    let plain = |c: char| c.is_ascii_graphic() && !",*?!#|@".contains(c);
    if name.is_empty() || !name.chars().all(plain) {
        return Err(io::Error::other("a host of this name cannot be recorded"));
    }
    let key = PublicKey::from(key.key_data().clone()).to_openssh().map_err(io::Error::other)?;
    Ok(format!("{name} {key}"))
}

/// A line without these names: `None` when it stays as it is, `Some(None)` when nothing of it is left.
fn without(line: &str, names: &[String]) -> Option<Option<String>> {
    let entry = parse(line).ok().flatten().filter(|entry| entry.marker().is_none())?;
    let is_one = |pattern: &str| names.iter().any(|name| name.eq_ignore_ascii_case(pattern));
    match entry.host_patterns() {
        hashed @ HostPatterns::HashedName { .. } => {
            names.iter().any(|name| host_field::is_hash_of(hashed, name)).then_some(None)
        }
        HostPatterns::Patterns(patterns) => {
            let rest: Vec<&str> =
                patterns.iter().map(String::as_str).filter(|pattern| !is_one(pattern)).collect();
            if rest.len() == patterns.len() {
                return None;
            }
            // What only excludes names nobody.
            let names_somebody = rest.iter().any(|pattern| !pattern.starts_with('!'));
            let line = line.trim_start();
            let after = line.find([' ', '\t']).map_or("", |at| &line[at..]);
            Some(names_somebody.then(|| format!("{}{after}", rest.join(","))))
        }
    }
}

#[cfg(test)]
#[path = "known_hosts_file_tests.rs"]
mod tests;
