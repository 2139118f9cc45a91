//! A person's home of the test's own: the real binary runs in it, and sees nothing of the machine.
//! What still runs in it when the test ends is killed, also after a panic.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::running::{Ended, Running, kill};
use super::until::until;

/// See the module.
pub struct Home {
    dir: TempDir,
    commands: AtomicUsize,
}

/// The folder of the project, where every hopper starts.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Home {
    /// A new one.
    pub fn new() -> Home {
        let dir = TempDir::with_prefix("hp").expect("make a folder");
        for folder in ["home", "run", "state", "config", "files", "out"] {
            let folder = dir.path().join(folder);
            fs::create_dir(&folder).expect("make a folder");
            fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).expect("close a folder");
        }
        Home { dir, commands: AtomicUsize::new(0) }
    }

    /// A path in it.
    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// Writes a topology file; its path as an argument.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path("files").join(name);
        fs::write(&path, text).expect("write a file");
        path.into_os_string().into_string().expect("a path of text")
    }

    /// Puts this home's environment on a command, and nothing else.
    pub fn environment<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env_clear().current_dir(root());
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("USER", "tester").env("TERM", "dumb");
        command.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1").env("COLUMNS", "80");
        command.env("HOME", self.path("home")).env("XDG_RUNTIME_DIR", self.path("run"));
        command.env("XDG_STATE_HOME", self.path("state")).env("XDG_CONFIG_HOME", self.path("config"))
    }

    /// `hopper` with these words, in this home.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hopper"));
        self.environment(&mut command).args(words);
        command
    }

    /// Starts `hopper` with these words.
    pub fn start(&self, words: &[&str]) -> Running {
        self.start_command(self.command(words).stdin(Stdio::null()))
    }

    /// Starts a command; its output goes to files.
    pub fn start_command(&self, command: &mut Command) -> Running {
        let number = self.commands.fetch_add(1, Ordering::Relaxed);
        let (stdout, stderr) =
            (self.path(&format!("out/{number}-out")), self.path(&format!("out/{number}-err")));
        let file = |path: &Path| File::create(path).expect("make a file");
        let child = command.stdout(file(&stdout)).stderr(file(&stderr)).spawn();
        Running::new(child.unwrap_or_else(|error| panic!("{command:?}: {error}")), stdout, stderr)
    }

    /// Runs `hopper` with these words to its end.
    pub fn run(&self, words: &[&str]) -> Ended {
        self.start(words).ended()
    }

    /// The same with a file as its standard input.
    pub fn run_on(&self, words: &[&str], input: impl AsRef<Path>) -> Ended {
        let input = File::open(input).expect("open the input");
        self.start_command(self.command(words).stdin(input)).ended()
    }

    /// `up --lab -d`, which must come up.
    #[track_caller]
    pub fn up(&self, file: &str, more: &[&str]) {
        self.run(&[&["up", file, "--lab", "-d"], more].concat()).with(0);
    }

    /// The status of a run that lives, whatever it is.
    #[track_caller]
    pub fn status(&self, name: &str) -> Value {
        let status = self.run(&["status", name, "--json"]).json();
        assert_eq!(status["schema"], "hopper.status/1", "{status}");
        status
    }

    /// Where a run listens for a forward.
    #[track_caller]
    pub fn listen(&self, name: &str, forward: &str) -> String {
        let status = self.status(name);
        let forwards = status["forwards"].as_array().expect("a list of forwards");
        let found = forwards.iter().find(|one| one["id"] == forward).and_then(|one| one["listen"].as_str());
        found.unwrap_or_else(|| panic!("{forward} listens nowhere: {status}")).to_owned()
    }

    /// The control socket of a run.
    pub fn socket(&self, name: &str) -> PathBuf {
        self.path(&format!("run/hopper/{name}.sock"))
    }

    /// Insists that nothing is left: no process, and no file but logs.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        assert_eq!(self.processes(), Vec::<u32>::new(), "processes");
        let mut left = files_below(&self.path("run"));
        left.extend(files_below(&self.path("home")));
        left.extend(files_below(&self.path("config")));
        left.extend(files_below(&self.path("state")).into_iter().filter(|file| !file.ends_with("run.log")));
        assert_eq!(left, Vec::<PathBuf>::new(), "files");
    }

    /// The processes that run in this home, without those that only wait to be buried.
    pub fn processes(&self) -> Vec<u32> {
        let mark = format!("XDG_RUNTIME_DIR={}", self.path("run").display());
        let lives_here = |pid: &u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|one| one == mark.as_bytes())
        };
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(lives_here).collect()
    }

    /// Kills the one process that runs here, without warning, and waits until it is gone.
    #[track_caller]
    pub fn kill_outright(&self) {
        let processes = self.processes();
        assert_eq!(processes.len(), 1, "{processes:?}");
        kill(processes[0], Signal::KILL);
        assert!(until(|| self.processes().is_empty()), "does not die");
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        for pid in self.processes() {
            // It may end by itself at this moment.
            let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
            pid.map(|pid| rustix::process::kill_process(pid, Signal::KILL).ok());
        }
    }
}

/// Every file, socket or pipe below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
