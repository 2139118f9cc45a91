//! A hopper that runs, and one that has ended. One that still runs when its test ends is killed.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::until::until;

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

impl Running {
    /// A child whose output goes to these files.
    pub fn new(child: Child, stdout: PathBuf, stderr: PathBuf) -> Running {
        Running { child, stdout, stderr }
    }

    /// What it has written to stderr by now.
    pub fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// Whether it has ended.
    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().expect("look at the child").is_some()
    }

    /// Waits until its stderr holds these words.
    pub fn wait_for(&mut self, words: &str) {
        let mut over = false;
        let said = until(|| {
            // In this order: what it said last is there once it is over.
            over = self.is_over();
            self.stderr().contains(words) || over
        });
        assert!(said && self.stderr().contains(words), "never said {words:?}:\n{}", self.stderr());
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.child.id(), signal);
    }

    /// Waits for its end.
    pub fn ended(mut self) -> Ended {
        assert!(until(|| self.is_over()), "does not end:\n{}", self.stderr());
        let status = self.child.wait().expect("wait for the child");
        let code = status.code().or(status.signal().map(|signal| 128 + signal)).expect("it ended");
        Ended { code, stdout: read(&self.stdout), stderr: read(&self.stderr) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Ended {
    /// Insists on an exit code.
    #[track_caller]
    pub fn with(self, code: i32) -> Ended {
        assert_eq!(self.code, code, "stdout:\n{}stderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// What it wrote to stderr, but for the hosts that it says it did not look up: that is always last.
    pub fn complaint(&self) -> &str {
        let said = self.stderr.as_str();
        said.find("up also asks your ssh configuration about").map_or(said, |at| &said[..at])
    }

    /// Its stdout as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}:\n{}", self.stdout))
    }
}

/// Sends a signal to a process that lives.
pub fn kill(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, signal).expect("send a signal");
}

fn read(file: &PathBuf) -> String {
    String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()
}
