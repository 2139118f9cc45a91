//! The hold of a living run on its place: an advisory lock that dies with the process. It never reads
//! or writes anything in the lock file.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::folder::Folder;
use super::{Place, failure};
use crate::engine::Failure;

/// How often a taken lock is tried again, and the pause between: somebody who only looks whether a
/// run lives holds the lock for an instant.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(10);

/// A run's hold on its place. The system lets go of it when the process ends, however it ends; drop
/// it last, because `down` waits for exactly that. Dropping removes the lock file.
#[derive(Debug)]
pub struct Claim {
    place: Place,
    folder: Folder,
    file: File,
    leftovers: Vec<PathBuf>,
}

impl Claim {
    /// The place that is held.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What a dead run had left here and was removed; worth a note.
    pub fn leftovers(&self) -> &[PathBuf] {
        &self.leftovers
    }

    /// Removes the lock file and keeps the lock until the process is gone, memory, threads and all: whoever
    /// waits in `down` returns no earlier.
    pub fn end_with_process(self) {
        match self.file.try_clone() {
            Ok(lock) => std::mem::forget(lock),
            Err(error) => tracing::debug!(%error, "the lock ends a moment before the process"),
        }
    }

    pub(super) fn take_leftovers(&mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.leftovers)
    }

    pub(super) fn take(place: &Place, folder: Folder) -> Result<Self, Failure> {
        let file = lock(place, &folder)?;
        // Under the lock nobody else can be using the socket.
        let stale =
            folder.remove(&place.socket_name()).map_err(|error| failure::files(&place.socket(), error))?;
        Ok(Claim { place: place.clone(), folder, file, leftovers: stale.into_iter().collect() })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let name = self.place.lock_name();
        // Still locked while it is unlinked, so a newcomer either fails to lock this file or finds
        // that the name no longer leads to it. Failing is harmless: a free lock means nothing.
        if self.folder.leads_to(&name, &self.file).unwrap_or(false) {
            let _ = self.folder.remove(&name);
        }
    }
}

fn lock(place: &Place, folder: &Folder) -> Result<File, Failure> {
    let io = |error| failure::files(&place.lock(), error);
    let name = place.lock_name();
    let mut tries = 0;
    loop {
        let file = folder
            .lock_file(&name, true)
            .map_err(io)?
            .ok_or_else(|| failure::files(&place.lock(), "it vanished"))?;
        match file.try_lock() {
            // A lock on a file that its last owner unlinked meanwhile keeps nobody out.
            Ok(()) if folder.leads_to(&name, &file).map_err(io)? => return Ok(file),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if tries < TRIES => {
                tries += 1;
                thread::sleep(PAUSE);
            }
            Err(TryLockError::WouldBlock) => return Err(failure::already_running(place.name())),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::control::Dirs;

    fn place(temp: &tempfile::TempDir) -> Place {
        let dirs = Dirs { runtime: temp.path().join("run"), state: temp.path().join("state") };
        Place::new(&dirs, "corp").unwrap()
    }

    #[test]
    fn a_held_place_is_running_and_cannot_be_taken_or_cleaned() {
        let temp = tempfile::tempdir().unwrap();
        let place = place(&temp);
        assert!(!place.is_running().unwrap());
        let claim = place.claim().unwrap();
        assert!(claim.leftovers().is_empty());
        assert!(place.is_running().unwrap());
        assert_eq!(fs::metadata(place.state()).unwrap().permissions().mode() & 0o777, 0o700);
        for failure in [place.claim().unwrap_err(), place.clean_up().unwrap_err()] {
            assert_eq!((failure.code, failure.exit.code()), ("H0902", 9));
        }
        drop(claim);
        assert!(!place.is_running().unwrap());
        assert!(!place.lock().exists(), "nothing is left");
        assert!(place.claim().is_ok());
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_named() {
        let temp = tempfile::tempdir().unwrap();
        let place = place(&temp);
        drop(place.claim().unwrap());
        assert_eq!(place.clean_up().unwrap(), Vec::<PathBuf>::new());

        drop(UnixListener::bind(place.socket()).unwrap());
        fs::write(place.lock(), "4711").unwrap();
        assert_eq!(place.clean_up().unwrap(), [place.socket(), place.lock()]);
        assert!(!place.socket().exists() && !place.lock().exists());

        drop(UnixListener::bind(place.socket()).unwrap());
        assert_eq!(place.claim().unwrap().leftovers(), [place.socket()]);
    }

    #[test]
    fn of_many_who_take_and_drop_at_once_only_one_holds_it_at_a_time() {
        let temp = tempfile::tempdir().unwrap();
        let place = place(&temp);
        let holders = Arc::new(AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        if let Ok(claim) = place.claim() {
                            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                            holders.fetch_sub(1, Ordering::SeqCst);
                            drop(claim);
                        }
                    }
                });
            }
        });
        assert!(!place.lock().exists());
    }
}
