//! Data through a chain: the server at its far end, and many streams at once at the near end.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::bed::{Bed, FAR};
use super::command::signal;
use super::until::{SOON, until};

/// Streams of this many MiB are long compared with every buffer on the way.
pub const MIB: u64 = 1 << 20;

/// A whole load must be through by then; a stream that stands still says so itself before.
const PATIENCE: Duration = Duration::from_secs(150);

/// How one stream went; see `near_end.py` for the words of `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended: `ok`, `short`, `reset`, `mismatch`, `silent`, `refused`.
    pub end: String,
    /// Bytes that arrived.
    pub received: u64,
}

/// Several streams to run at once: what each does, how many bytes, how many such streams.
pub type Job = (&'static str, u64, usize);

/// A load on its way.
pub struct Load {
    child: Child,
    out: PathBuf,
}

/// A Python program that stands beside this file.
pub fn script(name: &str) -> [PathBuf; 2] {
    let system = PathBuf::from("/usr/bin/python3");
    let python = if system.exists() { system } else { PathBuf::from("python3") };
    [python, PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sshd").join(name)]
}

impl Bed {
    /// The data server on this host, reachable there at 127.0.0.1 only.
    pub fn far_end(&self, host: usize) {
        self.serve(host, "127.0.0.1", FAR, false);
    }

    /// The same; gives its process, for a test that wants it gone.
    pub fn far_end_that_can_end(&self, host: usize) -> u32 {
        self.serve(host, "127.0.0.1", FAR, false)
    }

    /// A data server on a host; a silent one accepts and never says a word.
    pub fn serve(&self, host: usize, address: &str, port: u16, silent: bool) -> u32 {
        let [python, far] = script("far_end.py");
        let mut command = self.on(host, python);
        command.arg(far).args([address, &port.to_string()]).args(silent.then_some("--silent"));
        let pid = self.background(host, &format!("server{host}-{port}"), &mut command);
        self.wait_for_port(host, port);
        pid
    }

    /// Starts these streams from a host to `address:port` as that host sees it.
    pub fn start_load(&self, host: usize, address: &str, port: u16, jobs: &[Job]) -> Load {
        let jobs: Vec<Value> = jobs
            .iter()
            .map(|(does, bytes, count)| json!({"do": does, "bytes": bytes, "count": count}))
            .collect();
        let [python, near] = script("near_end.py");
        let mut number = 0;
        while self.path(&format!("load{number}.log")).exists() {
            number += 1;
        }
        let out = self.path(&format!("load{number}.log"));
        let file = File::create(&out).expect("make a log");
        let mut command: Command = self.on(host, python);
        command.arg(near).args([address, &port.to_string(), &Value::from(jobs).to_string()]);
        command.stdin(Stdio::null()).stderr(file.try_clone().expect("share the log")).stdout(file);
        Load { child: command.spawn().expect("start the load"), out }
    }

    /// Runs these streams to their end.
    pub fn load(&self, host: usize, address: &str, port: u16, jobs: &[Job]) -> Vec<Outcome> {
        let outcomes = self.start_load(host, address, port, jobs).finish();
        assert_eq!(outcomes.len(), jobs.iter().map(|job| job.2).sum::<usize>(), "every stream reports");
        outcomes
    }

    /// Runs these streams and insists that every byte of every one arrives.
    pub fn load_whole(&self, host: usize, port: u16, jobs: &[Job]) {
        let outcomes = self.load(host, "127.0.0.1", port, jobs);
        let bad: Vec<_> = outcomes.iter().filter(|outcome| outcome.end != "ok").collect();
        assert!(bad.is_empty(), "{} of {} streams failed: {bad:?}", bad.len(), outcomes.len());
    }

    /// How an attempt to connect from a host ends: `ok`, `refused`, `silent`, or the system's words.
    pub fn connects(&self, host: usize, address: &str, port: u16) -> String {
        self.load(host, address, port, &[("connect", 0, 1)]).remove(0).end
    }
}

impl Load {
    fn lines(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.out).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits until data arrives on a stream.
    pub fn wait_until_flowing(&self) {
        let flows = || self.lines().iter().any(|line| line.get("flowing").is_some());
        assert!(until(SOON, flows), "no data arrives: {:?}", self.lines());
    }

    /// Waits until data arrives on so many of the streams: one that is not there yet is held, and cut by nobody.
    pub fn wait_until_flow(&self, count: usize) {
        let flow = || self.lines().iter().filter(|line| line.get("flowing").is_some()).count() >= count;
        assert!(until(SOON, flow), "not all have data: {:?}", self.lines());
    }

    /// Whether a stream that paused reads on.
    pub fn resumed(&self) -> bool {
        self.lines().iter().any(|line| line.get("resumed").is_some())
    }

    /// Lets the streams begin that were told to do it later.
    pub fn go(&self) {
        assert!(signal("USR1", self.child.id()), "the load is over: {:?}", self.lines());
    }

    /// Ends it, whatever its streams do.
    pub fn abandon(mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// Waits for every stream to end.
    pub fn finish(mut self) -> Vec<Outcome> {
        let ended = until(PATIENCE, || matches!(self.child.try_wait(), Ok(Some(_))));
        if !ended {
            self.child.kill().ok();
            self.child.wait().ok();
        }
        assert!(ended, "the load does not end; so far: {:?}", self.lines());
        let outcome = |line: &Value| {
            let end = line.get("end")?.as_str()?.to_owned();
            Some(Outcome { end, received: line.get("received")?.as_u64()? })
        };
        self.lines().iter().filter_map(outcome).collect()
    }
}
