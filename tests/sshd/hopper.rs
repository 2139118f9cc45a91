//! The real binary on host 0 of a bed, with a home of its own.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::bed::Bed;
use super::command::signal;
use super::topology::{NAME, Topology};
use super::until::until;

/// No single command may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// hopper on host 0.
pub struct Hopper<'b> {
    bed: &'b Bed,
    host: usize,
    runs: Cell<usize>,
    variables: Vec<(String, OsString)>,
    /// What listened on host 0 before hopper first ran.
    pub(crate) before: Vec<String>,
    /// The known_hosts file as it was.
    pub(crate) known: Vec<u8>,
}

/// A command that runs.
pub struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// A command that ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; 128 and the signal when one killed it.
    pub code: i32,
    /// All it wrote to stdout.
    pub stdout: String,
    /// All it wrote to stderr.
    pub stderr: String,
}

impl<'b> Hopper<'b> {
    /// Remembers how host 0 looks before hopper runs.
    pub fn on(bed: &'b Bed) -> Hopper<'b> {
        let known = fs::read(bed.known_hosts()).unwrap_or_default();
        Hopper { bed, host: 0, runs: Cell::new(0), variables: Vec::new(), before: bed.listeners(0), known }
    }

    /// Somebody else's hopper, on another host.
    pub fn at(bed: &'b Bed, host: usize) -> Hopper<'b> {
        let hopper = Hopper { host, ..Hopper::on(bed) };
        for folder in ["run", "state"] {
            let folder = hopper.folder(folder);
            fs::create_dir_all(&folder).expect("make a folder");
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("close the folder");
        }
        hopper
    }

    /// Where it keeps its sockets or its logs.
    fn folder(&self, kind: &str) -> PathBuf {
        self.bed.path(&if self.host == 0 { kind.to_owned() } else { format!("{kind}{}", self.host) })
    }

    /// From now on with this ssh-agent.
    pub fn with_agent(self, socket: PathBuf) -> Hopper<'b> {
        self.with("SSH_AUTH_SOCK", socket.as_os_str())
    }

    /// From now on with this environment variable.
    pub fn with(mut self, name: &str, value: &OsStr) -> Hopper<'b> {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The bed it runs in.
    pub fn bed(&self) -> &'b Bed {
        self.bed
    }

    /// The control socket of the run.
    pub fn socket(&self) -> PathBuf {
        self.folder("run").join(format!("hopper/{NAME}.sock"))
    }

    /// Puts hopper's own environment on a command, and nothing else.
    pub fn environment<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin").env("LANG", "C.UTF-8");
        command.env("USER", "root").env("HOME", self.bed.path("home"));
        command.env("XDG_RUNTIME_DIR", self.folder("run")).env("XDG_STATE_HOME", self.folder("state"));
        command.envs(self.variables.iter().cloned())
    }

    /// Starts `hopper` with these words.
    pub fn start(&self, words: &[&str]) -> Running {
        let mut command = self.bed.on(self.host, env!("CARGO_BIN_EXE_hopper"));
        self.start_command(command.args(words))
    }

    /// Starts a command that runs hopper in some other way.
    pub fn start_command(&self, command: &mut Command) -> Running {
        let number = self.runs.replace(self.runs.get() + 1);
        let out = |kind: &str| self.bed.path(&format!("hopper{number}-{kind}-at{}.log", self.host));
        let (stdout, stderr) = (out("stdout"), out("stderr"));
        let file = |path: &Path| File::create(path).expect("make a log");
        command.stdin(Stdio::null()).stdout(file(&stdout)).stderr(file(&stderr));
        let child = self.environment(command).spawn().expect("start hopper");
        Running { child, stdout, stderr }
    }

    /// Runs `hopper` with these words to its end.
    pub fn run(&self, words: &[&str]) -> Ended {
        self.start(words).ended()
    }

    /// `up` in the background; it must come up.
    pub fn up(&self, topology: &Topology, more: &[&str]) {
        let ended = self.try_up(topology, &[&["-d"], more].concat());
        assert_eq!(ended.code, 0, "up -d: {}", ended.stderr);
    }

    /// `up` until it ends: in the foreground that is only when it fails.
    pub fn try_up(&self, topology: &Topology, more: &[&str]) -> Ended {
        self.start_up(topology, more).ended()
    }

    /// Starts `up`.
    pub fn start_up(&self, topology: &Topology, more: &[&str]) -> Running {
        let file = topology.write(self.bed);
        self.start(&[&["up", file.to_str().expect("a plain path")], more].concat())
    }

    /// `up` in the foreground, waiting until it is up.
    pub fn hold(&self, topology: &Topology, more: &[&str]) -> Running {
        let mut running = self.start_up(topology, more);
        let up = until(PATIENCE, || running.is_over() || self.state().as_deref() == Some("up"));
        assert!(up && !running.is_over(), "up ended or hangs: {}", running.stderr());
        running
    }

    /// `status NAME --json`, when there is any.
    pub fn status(&self) -> Option<Value> {
        serde_json::from_str(&self.run(&["status", NAME, "--json"]).stdout).ok()
    }

    fn state(&self) -> Option<String> {
        self.socket().exists().then(|| Some(self.status()?.get("state")?.as_str()?.to_owned()))?
    }

    /// The process that holds the run, as status tells it.
    pub fn pid(&self) -> u32 {
        let status = self.status().expect("status answers");
        let pid = status["pid"].as_u64().unwrap_or_else(|| panic!("no pid in {status}"));
        u32::try_from(pid).expect("a process id")
    }

    /// `down NAME`; it must succeed.
    pub fn down(&self) -> Ended {
        let ended = self.run(&["down", NAME]);
        assert_eq!(ended.code, 0, "down: {}", ended.stderr);
        ended
    }
}

impl Running {
    /// What it wrote to stderr so far.
    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Whether it ended.
    pub fn is_over(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        assert!(signal(name, self.child.id()), "nobody takes SIG{name}: {}", self.stderr());
    }

    /// Waits for its end.
    pub fn ended(self) -> Ended {
        self.ended_within(PATIENCE)
    }

    /// Waits for its end, not longer than this.
    pub fn ended_within(mut self, limit: Duration) -> Ended {
        let over = until(limit, || self.is_over());
        if !over {
            self.child.kill().ok();
        }
        let status = self.child.wait().expect("wait for hopper");
        assert!(over, "hopper does not end within {limit:?}: {}", self.stderr());
        let stdout = fs::read_to_string(&self.stdout).unwrap_or_default();
        Ended { code: code(status), stdout, stderr: self.stderr() }
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}
