//! Nothing is left: no process, no port, no file, no session on any host.

use std::fs;
use std::path::{Path, PathBuf};

use super::hopper::Hopper;
use super::until::{SOON, until};

impl Hopper<'_> {
    /// Insists that hopper left nothing behind: not here, not on any host. What it owns itself must be
    /// gone at once; the hosts need a moment to notice a closed session.
    pub fn assert_nothing_left(&self) {
        assert_eq!(self.processes(), Vec::<u32>::new(), "hopper processes on host 0");
        assert_eq!(self.bed().listeners(0), self.before, "listening sockets on host 0");
        assert_eq!(files(&self.bed().path("run")), Vec::<PathBuf>::new(), "files in XDG_RUNTIME_DIR");
        let state = files(&self.bed().path("state"));
        let kept: Vec<_> = state.into_iter().filter(|file| !is_log(file)).collect();
        assert_eq!(kept, Vec::<PathBuf>::new(), "files in XDG_STATE_HOME that are no logs");
        let known = fs::read(self.bed().known_hosts()).unwrap_or_default();
        assert!(known == self.known, "known_hosts was changed");
        for host in 1..=self.bed().last() {
            let quiet = until(SOON, || self.bed().sessions(host).is_empty());
            assert!(quiet, "host {host} still serves sessions: {:?}", self.bed().sessions(host));
        }
    }

    /// The hopper processes on host 0.
    pub fn processes(&self) -> Vec<u32> {
        let is_hopper = |pid: &u32| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "hopper")
        };
        self.bed().pids(0).into_iter().filter(is_hopper).collect()
    }

    /// The ports that listen on host 0 now and did not before hopper ran.
    pub fn new_listeners(&self) -> Vec<String> {
        let now = self.bed().listeners(0);
        now.into_iter().filter(|address| !self.before.contains(address)).collect()
    }
}

fn is_log(file: &Path) -> bool {
    file.extension().is_some_and(|kind| kind == "log" || kind == "jsonl")
}

/// Every file, socket or pipe below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
