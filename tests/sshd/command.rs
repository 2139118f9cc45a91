//! Runs other programs and says plainly what went wrong with them.

use std::io::Write;
use std::process::{Command, Stdio};

/// The same command, killed after a minute: nothing these tests call takes that long.
fn bounded(command: &Command) -> Command {
    let mut bounded = argv(&["timeout", "-k", "1", "60"]);
    bounded.arg(command.get_program()).args(command.get_args());
    bounded.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    bounded
}

/// Runs it to its end; its stdout, or a panic with everything it said.
pub fn must(command: &mut Command) -> String {
    let mut command = bounded(command);
    let out = command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{command:?} ended with {}:\n{stdout}{stderr}", out.status);
    stdout.into_owned()
}

/// Runs it to its end; its stdout, or nothing when it failed.
pub fn may(command: &mut Command) -> Option<String> {
    let out = bounded(command).stdin(Stdio::null()).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Runs it with this text as its input; panics when it fails.
pub fn feed(command: &mut Command, text: &str) {
    let mut command = bounded(command);
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.unwrap_or_else(|e| panic!("{command:?}: {e}"));
    child.stdin.take().expect("stdin is piped").write_all(text.as_bytes()).expect("write to child");
    let out = child.wait_with_output().expect("wait for child");
    assert!(out.status.success(), "{command:?}:\n{text}\n{}", String::from_utf8_lossy(&out.stderr));
}

/// A command line of literal words.
pub fn argv(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

/// Sends a signal to one process; whether it was there.
pub fn signal(name: &str, pid: u32) -> bool {
    may(argv(&["kill", "-s", name]).arg(pid.to_string())).is_some()
}
