//! The files of an ssh configuration, read for a machine that has no `ssh` to ask. Knows where they are and which of
//! them `ssh` would read; what they say is worked out elsewhere. Never runs anything.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::openssh::{ConfigFile, NoAnswer};
use crate::topology::{ConfigText, Include, Lookup, Person, Written};

/// The files that `ssh` would read by itself, as they stood when they were read.
#[derive(Debug)]
pub struct ConfigFiles {
    texts: Vec<ConfigText>,
    home: PathBuf,
}

/// The machine's own folder.
const MACHINE: &str = "/etc/ssh";
/// The most of a file that is read, in bytes.
const LONGEST: u64 = 1 << 20;

impl ConfigFiles {
    /// Reads them; a file that does not exist says nothing.
    ///
    /// # Errors
    /// When one cannot be read, or others than the person and root can write it: `ssh` does not read that either.
    pub fn read(config: &ConfigFile, home: &Path) -> Result<Self, NoAnswer> {
        let machine = Path::new(MACHINE).join("ssh_config");
        let files = match config {
            ConfigFile::Usual => vec![(home.join(".ssh/config"), true, true), (machine, false, false)],
            ConfigFile::This(file) => vec![(file.clone(), true, false)],
            ConfigFile::Nothing => Vec::new(),
        };
        let read = |(file, is_own, is_checked): (PathBuf, bool, bool)| {
            self::read(&file, is_own, is_checked)
                .map_err(|why| NoAnswer::Unreadable(format!("{}: {why}", file.display())))
        };
        let texts = files.into_iter().filter_map(|file| read(file).transpose()).collect::<Result<_, _>>()?;
        Ok(ConfigFiles { texts, home: home.to_owned() })
    }

    /// What they say of a name, in the words of `ssh -G`.
    ///
    /// # Errors
    /// What of them hopper cannot do as `ssh` would.
    pub fn answer(&self, lookup: &Lookup, person: &Person<'_>) -> Result<String, NoAnswer> {
        self.written(person, &|pattern, is_own| self.included(pattern, is_own), |written| {
            written.answer(lookup).map_err(NoAnswer::NotUnderstood)
        })
    }

    /// What would be so without them.
    pub fn without(&self, person: &Person<'_>) -> String {
        self.written(person, &|_, _| Ok(Vec::new()), |written| written.without())
    }

    fn written<T>(
        &self,
        person: &Person<'_>,
        include: Include<'_>,
        ask: impl FnOnce(&Written<'_>) -> T,
    ) -> T {
        ask(&Written { files: &self.texts, include, person })
    }

    /// What a word of an `Include` names, in the order in which `ssh` reads it.
    fn included(&self, word: &str, is_own: bool) -> Result<Vec<ConfigText>, String> {
        let path = match word.strip_prefix('~') {
            Some(_) if !is_own => return Err("a file of the machine cannot name your home".to_owned()),
            Some("") => self.home.clone(),
            Some(below) => match below.strip_prefix('/') {
                Some(below) => self.home.join(below),
                None => return Err("hopper does not know the homes of others".to_owned()),
            },
            None if is_own => self.home.join(".ssh").join(word),
            None => Path::new(MACHINE).join(word),
        };
        let pattern = path.to_str().ok_or("it is not UTF-8")?;
        if pattern.contains('\\') || pattern.contains("[^") {
            return Err("hopper does not know \\ and [^ in it".to_owned());
        }
        // To `ssh` two stars are one; here they would go down into folders.
        if pattern.contains("**") {
            return Err("hopper does not know ** in it".to_owned());
        }
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        let found = glob::glob_with(pattern, options).map_err(|error| error.msg.to_owned())?;
        // A folder that cannot be looked into has nothing in it, to `ssh` too.
        let mut found: Vec<PathBuf> = found.filter_map(Result::ok).collect();
        found.sort_by(|one, other| one.as_os_str().cmp(other.as_os_str()));
        let read = |file: &PathBuf| {
            self::read(file, is_own, true).map_err(|why| format!("{}: {why}", file.display())).transpose()
        };
        found.iter().filter_map(read).collect()
    }
}

/// A regular file that nobody else can have written; `None` when there is none.
fn read(path: &Path, is_own: bool, is_checked: bool) -> Result<Option<ConfigText>, String> {
    // Whoever puts a pipe there must not make anybody wait.
    let nonblock = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = match File::options().read(true).custom_flags(nonblock).open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.to_string()),
    };
    let known = file.metadata().map_err(|error| error.to_string())?;
    if !known.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let is_trusted = known.uid() == 0 || known.uid() == rustix::process::getuid().as_raw();
    if is_checked && (!is_trusted || known.mode() & 0o022 != 0) {
        return Err("others can write it".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LONGEST {
        return Err("it is larger than 1 MiB".to_owned());
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Some(ConfigText { name: path.display().to_string(), text, is_own }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::HostId;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn answer(home: &Path) -> Result<String, NoAnswer> {
        let variable = |_: &str| None;
        let person = Person { home: "/h", user: "me", variable: &variable };
        let lookup = Lookup { host: HostId::new("g"), name: "gate".to_owned(), user: None, port: None };
        ConfigFiles::read(&ConfigFile::This(home.join(".ssh/config")), home)?.answer(&lookup, &person)
    }

    fn home(config: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join(".ssh/d")).unwrap();
        fs::write(home.path().join(".ssh/config"), config).unwrap();
        home
    }

    #[test]
    fn files_are_included_in_order_and_those_that_are_hidden_or_missing_are_not() {
        let home = home("Include d/* ~/.ssh/d/.hidden none\nUser me\n");
        for (name, text) in
            [("b", "User bob\nPort 2"), ("a", "Port 1"), (".hidden", "HostName h"), (".other", "User x")]
        {
            fs::write(home.path().join(".ssh/d").join(name), text).unwrap();
        }
        let said = answer(home.path()).unwrap();
        assert_eq!(said, "hostname h\nport 1\nuser bob\n");
    }

    #[test]
    fn what_is_no_regular_file_or_what_others_can_write_is_refused() {
        let home = home("Include d/x\n");
        let file = home.path().join(".ssh/d/x");
        for (kind, why) in
            [("folder", "no regular file"), ("pipe", "no regular file"), ("file", "others can")]
        {
            match kind {
                "folder" => fs::create_dir(&file).unwrap(),
                "pipe" => {
                    fs::remove_dir(&file).unwrap();
                    rustix::fs::mkfifoat(rustix::fs::CWD, &file, rustix::fs::Mode::RWXU).unwrap();
                }
                _ => {
                    fs::remove_file(&file).unwrap();
                    fs::write(&file, "User bob").unwrap();
                    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
                }
            }
            match answer(home.path()) {
                Err(NoAnswer::NotUnderstood(not)) => {
                    assert!(not.what.contains(why) && not.place.ends_with("config:1"), "{not:?}");
                }
                other => panic!("{kind}: {other:?}"),
            }
        }
    }

    #[test]
    fn two_stars_are_not_taken_for_what_ssh_does_not_mean() {
        let home = home("Include ~/.ssh/**/c\n");
        fs::create_dir(home.path().join(".ssh/d/e")).unwrap();
        fs::write(home.path().join(".ssh/d/e/c"), "User deep").unwrap();
        let Err(NoAnswer::NotUnderstood(not)) = answer(home.path()) else { panic!("it answered") };
        assert!(not.what.contains("**"), "{not:?}");
    }

    #[test]
    fn a_file_that_includes_itself_ends() {
        let home = home("User bob\nInclude config config\n");
        let Err(NoAnswer::NotUnderstood(not)) = answer(home.path()) else { panic!("it answered") };
        assert!(not.what.contains("without end"), "{not:?}");
    }
}

#[cfg(test)]
#[path = "config_files_beside_openssh.rs"]
mod beside_openssh;
