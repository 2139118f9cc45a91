//! Where the files of one run live. Makes paths from a checked name; judges the folders they are in.

use std::fs::{File, TryLockError};
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::{Claim, Dirs, failure};
use crate::engine::Failure;

/// Where the files of one run live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    name: String,
    dirs: Dirs,
}

impl Place {
    /// The place of the topology with this name. Touches no file.
    ///
    /// # Errors
    /// H0909 when no topology can have this name, H0904 when the socket's path does not fit.
    pub fn new(dirs: &Dirs, name: &str) -> Result<Self, Failure> {
        if !is_name(name) {
            return Err(failure::bad_name(name));
        }
        let place = Place { name: name.to_owned(), dirs: dirs.clone() };
        let socket = place.socket();
        // The system itself knows its limit: 108 bytes on Linux, 104 elsewhere.
        match SocketAddr::from_pathname(&socket) {
            Ok(_) => Ok(place),
            Err(_) => Err(failure::too_long(&socket)),
        }
    }

    /// The topology's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The control socket.
    pub fn socket(&self) -> PathBuf {
        self.dirs.runtime.join(self.socket_name())
    }

    /// The run's own folder for logs. It exists, mode 0700, once the place is claimed.
    pub fn state(&self) -> PathBuf {
        self.dirs.state.join(&self.name)
    }

    /// Takes the place for a new run: makes the folders, takes the lock, and removes what a dead run
    /// left ([`Claim::leftovers`] says what). The place is taken until the claim is dropped.
    ///
    /// # Errors
    /// H0902 when it is already running, H0903 for an unsafe folder, H0908 for any other trouble.
    pub fn claim(&self) -> Result<Claim, Failure> {
        Folder::create(&self.dirs.state)?;
        Folder::create(&self.state())?;
        Claim::take(self, Folder::create(&self.dirs.runtime)?)
    }

    /// Whether a run holds the place at this moment.
    ///
    /// # Errors
    /// H0903 for an unsafe folder, H0908 when the lock cannot be looked at.
    pub fn is_running(&self) -> Result<bool, Failure> {
        Ok(self.watch()?.is_some())
    }

    /// An eye on the run that holds the place at this moment; `None` when there is none. It stays on
    /// that run: another one that takes the place later does not count.
    pub(super) fn watch(&self) -> Result<Option<Watch>, Failure> {
        let Some(folder) = self.open()? else { return Ok(None) };
        let file = folder.lock_file(&self.lock_name(), false);
        let Some(lock) = file.map_err(|error| failure::files(&self.lock(), error))? else { return Ok(None) };
        let watch = Watch { lock, path: self.lock() };
        Ok(if watch.lives()? { Some(watch) } else { None })
    }

    /// Removes what a dead run left, and returns the paths; empty when there was nothing.
    ///
    /// # Errors
    /// H0902 when the run is alive, H0903 for an unsafe folder, H0908 when something cannot be removed.
    pub fn clean_up(&self) -> Result<Vec<PathBuf>, Failure> {
        let Some(folder) = self.open()? else { return Ok(Vec::new()) };
        let had_lock = folder.has(&self.lock_name());
        if !had_lock && !folder.has(&self.socket_name()) {
            return Ok(Vec::new());
        }
        let mut claim = Claim::take(self, folder)?;
        let mut removed = claim.take_leftovers();
        drop(claim);
        if had_lock {
            removed.push(self.lock());
        }
        Ok(removed)
    }

    /// The runtime folder, judged; `None` when no run ever made it.
    pub(super) fn open(&self) -> Result<Option<Folder>, Failure> {
        Folder::open(&self.dirs.runtime)
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.dirs.runtime.join(self.lock_name())
    }

    pub(super) fn lock_name(&self) -> String {
        format!("{}.lock", self.name)
    }

    pub(super) fn socket_name(&self) -> String {
        format!("{}.sock", self.name)
    }

    pub(super) fn runtime(&self) -> &Path {
        &self.dirs.runtime
    }
}

/// An open lock file of a run.
#[derive(Debug)]
pub(super) struct Watch {
    lock: File,
    path: PathBuf,
}

impl Watch {
    /// Whether the run still holds its lock.
    pub(super) fn lives(&self) -> Result<bool, Failure> {
        match self.lock.try_lock_shared() {
            // Let go at once: lookers must not keep a new run away.
            Ok(()) => self.lock.unlock().map(|()| false).map_err(|error| failure::files(&self.path, error)),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(failure::files(&self.path, error)),
        }
    }
}

/// `^[a-z0-9][a-z0-9._-]{0,62}$`: nothing that could leave the folder.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 63
        && name.bytes().next().is_some_and(plain)
        && name.bytes().all(|byte| plain(byte) || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs(runtime: &str) -> Dirs {
        Dirs { runtime: runtime.into(), state: "/state".into() }
    }

    #[test]
    fn a_name_can_never_leave_the_folder() {
        for name in ["", "..", ".hidden", "a/b", "/etc", "A", "a b", "a\0", "é", "-x", &"a".repeat(64)] {
            let failure = Place::new(&dirs("/run"), name).unwrap_err();
            assert_eq!((failure.code, failure.exit.code()), ("H0909", 2), "{name:?}");
        }
        for name in ["a", "0", "corp", "vnc-through-three-firewalls", "a..b_c", &"a".repeat(63)] {
            assert!(Place::new(&dirs("/run"), name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn a_path_that_does_not_fit_is_named_with_a_way_out() {
        let failure = Place::new(&dirs(&format!("/{}", "r".repeat(100))), "corp").unwrap_err();
        assert_eq!((failure.code, failure.exit.code()), ("H0904", 9));
        assert!(failure.message.contains("(111 bytes)"), "{failure}");
        assert!(failure.help[1].contains("XDG_RUNTIME_DIR"));
    }
}
