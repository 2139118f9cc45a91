//! A folder that only we can read or change, and work on the names in it. Refuses any other; never
//! repairs one, because whoever made it wrong may have put something in it.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, openat, statat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::failure;
use crate::engine::Failure;

/// An open folder that is ours, mode 0700, and not a symbolic link. What is done through it is done
/// in the folder that was judged, even when the path is swapped meanwhile.
#[derive(Debug)]
pub(super) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens the folder, making it (and what is missing above it) with mode 0700.
    ///
    /// # Errors
    /// H0903 when it cannot be trusted, H0908 when it cannot be made.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        // An existing symbolic link or file is for `open` to judge, which says it better.
        if let Err(error) = made
            && error.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(failure::files(path, error));
        }
        Self::open(path)?.ok_or_else(|| failure::files(path, "it vanished"))
    }

    /// Opens the folder; `None` when there is none.
    ///
    /// # Errors
    /// H0903 when it cannot be trusted, H0908 when it cannot be opened.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, Failure> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => {
                let help = format!("look at it, then remove it: ls -ld {0} && rm {0}", path.display());
                return Err(failure::unsafe_folder(path, "it is a symbolic link or not a folder", help));
            }
            Err(error) => return Err(failure::files(path, error)),
        };
        let stat = fstat(&fd).map_err(|error| failure::files(path, error))?;
        if stat.st_uid != geteuid().as_raw() {
            let help = format!("find out who made it: ls -ld {}", path.display());
            return Err(failure::unsafe_folder(path, "it belongs to somebody else", help));
        }
        let mode = Mode::from_raw_mode(stat.st_mode).bits() & 0o777;
        if mode & 0o077 != 0 {
            let what = format!("others may enter it (mode {mode:04o}, wanted 0700)");
            return Err(failure::unsafe_folder(path, &what, format!("chmod 700 {}", path.display())));
        }
        Ok(Some(Folder { fd, path: path.to_owned() }))
    }

    /// Opens a lock file for locking; `None` when it is absent and not to be made.
    pub(super) fn lock_file(&self, name: &str, create: bool) -> io::Result<Option<File>> {
        let mut flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        flags.set(OFlags::CREATE, create);
        match openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(fd) => {
                let regular = FileType::from_raw_mode(fstat(&fd)?.st_mode) == FileType::RegularFile;
                if regular { Ok(Some(File::from(fd))) } else { Err(Errno::INVAL.into()) }
            }
            Err(Errno::NOENT) if !create => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the name still leads to this open file.
    pub(super) fn leads_to(&self, name: &str, file: &File) -> io::Result<bool> {
        let held = file.metadata()?;
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(stat.st_ino == held.ino() && stat.st_dev == held.dev()),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the name exists.
    pub(super) fn has(&self, name: &str) -> bool {
        statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// Removes a name, never following it, and returns its path; `None` when it was not there.
    pub(super) fn remove(&self, name: &str) -> io::Result<Option<PathBuf>> {
        match unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) => Ok(Some(self.path.join(name))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Every name that is UTF-8; ours all are.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            if let Ok(name) = entry?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_missing_folder_is_made_for_us_alone() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a/b");
        assert!(Folder::open(&path).unwrap().is_none());
        Folder::create(&path).unwrap();
        for folder in [temp.path().join("a"), path] {
            assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_folder_that_others_may_enter_is_refused_with_the_command_that_mends_it() {
        let temp = tempfile::tempdir().unwrap();
        for mode in [0o750, 0o701, 0o777] {
            fs::set_permissions(temp.path(), fs::Permissions::from_mode(mode)).unwrap();
            let failure = Folder::create(temp.path()).unwrap_err();
            assert_eq!((failure.code, failure.exit.code()), ("H0903", 9));
            assert!(failure.message.contains(&format!("{mode:04o}")), "{failure}");
            assert!(failure.help[0].starts_with("chmod 700 "));
        }
    }

    #[test]
    fn a_symbolic_link_is_refused_even_when_it_leads_to_a_good_folder() {
        let temp = tempfile::tempdir().unwrap();
        let (good, link) = (temp.path().join("good"), temp.path().join("link"));
        Folder::create(&good).unwrap();
        symlink(&good, &link).unwrap();
        for judged in [Folder::create(&link).map(Some), Folder::open(&link)] {
            assert_eq!(judged.unwrap_err().code, "H0903");
        }
        symlink(temp.path().join("nowhere"), temp.path().join("dangling")).unwrap();
        assert!(Folder::create(&temp.path().join("dangling")).is_err());
        assert!(!temp.path().join("nowhere").exists());
    }

    #[test]
    fn a_planted_link_in_place_of_the_lock_is_not_followed() {
        let temp = tempfile::tempdir().unwrap();
        let victim = temp.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        let folder = Folder::create(&temp.path().join("run")).unwrap();
        symlink(&victim, temp.path().join("run/corp.lock")).unwrap();
        assert!(folder.lock_file("corp.lock", true).is_err());
        assert_eq!(folder.remove("corp.lock").unwrap(), Some(temp.path().join("run/corp.lock")));
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    }
}
