//! Going to the background: the program is started anew, builds on the person's terminal like any
//! other run, and lets go of the terminal and of its parent once everything is up.
//!
//! Nothing is forked: a runtime does not survive that.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process, setsid};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::signals::Signals;
use super::up::Options;
use super::{Ended, Talk, trouble};
use crate::engine::{Exit, Failure, Phase};

/// Starts this program again to hold the run, and waits until it is up.
///
/// # Errors
/// H0304 when it cannot be started.
pub fn in_background(talk: &Talk, options: &Options) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| cannot(&error))?.block_on(wait_for_run(talk, options))
}

/// In the run: leaves the person's terminal and folder, and tells the parent that it is up.
///
/// # Errors
/// When the parent is gone: then nobody knows of this run.
pub fn let_go(name: &str, degraded: bool) -> io::Result<()> {
    // First of all: once the parent has returned, its terminal may close and take everybody on it along.
    // Fails only for the leader of a group, and then there is no terminal to leave.
    let _ = setsid();
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stderr(&nothing)?;
    std::env::set_current_dir("/")?;
    let word = if degraded { DEGRADED } else { UP };
    let mut out = io::stdout().lock();
    out.write_all(format!("{word} {name}\n").as_bytes())?;
    out.flush()?;
    rustix::stdio::dup2_stdout(&nothing)?;
    Ok(())
}

/// What the run writes once it is up, followed by its name.
const UP: &str = "up";
/// The same, where a forward that is not required failed.
const DEGRADED: &str = "degraded";

async fn wait_for_run(talk: &Talk, options: &Options) -> Ended {
    let mut signals = Signals::listen().map_err(|error| cannot(&error))?;
    let mut child = start(options).map_err(|error| cannot(&error))?;
    let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let Some(out) = child.stdout.take() else { return Err(cannot(&io::Error::other("no pipe to it"))) };
    let mut lines = BufReader::new(out).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line {
                Ok(Some(line)) => match line.split_once(' ') {
                    Some((word @ (UP | DEGRADED), name)) => {
                        let pid = child.id().unwrap_or_default();
                        talk.say(&format!("Running in the background (pid {pid}).\nStop it with: hopper down {name}\n"));
                        return Ok(if word == UP { Exit::Done } else { Exit::Degraded });
                    }
                    // An error as JSON: the run's data is ours.
                    _ => talk.data(&format!("{line}\n")),
                },
                Ok(None) | Err(_) => break,
            },
            exit = signals.next() => pass_on(exit, pid),
        }
    }
    let status = child.wait().await.map_err(|error| cannot(&error))?;
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    Ok(code.map_or(Exit::Other, Exit::of_code))
}

fn start(options: &Options) -> io::Result<Child> {
    // In front: behind a `--` it would be taken for a file.
    Command::new(std::env::current_exe()?)
        .arg("--held")
        .args(std::env::args_os().skip(1))
        .stdin(if options.topology == "-" { Stdio::inherit() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .spawn()
}

/// A Ctrl-C on our terminal reaches the run by itself; any other signal comes to us alone.
fn pass_on(exit: Exit, run: Option<Pid>) {
    let signal = match exit {
        Exit::Interrupted if File::open("/dev/tty").is_ok() => return,
        Exit::Interrupted => Signal::INT,
        _ => Signal::TERM,
    };
    if let Some(run) = run {
        // Gone already: its end is read from the pipe.
        let _ = kill_process(run, signal);
    }
}

fn cannot(error: &io::Error) -> Failure {
    let message = format!("cannot start a run in the background: {error}");
    trouble("H0304", Exit::Other, Phase::Control, message, "without -d it stays in the foreground")
}
