//! `hopper logs`: prints the log of a run in the background, or of the last one.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};

use super::{Ended, Log, Talk, status, trouble};
use crate::control::{Dirs, Place, list_running};
use crate::engine::{Exit, Phase};
use crate::topology::escape;

/// Prints the last lines of the log.
///
/// # Errors
/// H0306 when there is no log.
pub fn run(talk: &Talk, wanted: Option<&OsStr>, lines: usize) -> Ended {
    let dirs = Dirs::from_env()?;
    let Some(name) = status::named_or_only(wanted, "logs", || list_running(&dirs))? else {
        talk.say("Nothing is running. The log of an earlier run: hopper logs NAME\n");
        return Ok(Exit::NotRunning);
    };
    let path = Log::of_background(&Place::new(&dirs, &name)?.state());
    let file = File::open(&path).map_err(|error| {
        let message = format!("no log of \"{name}\" at {}: {error}", path.display());
        trouble(
            "H0306",
            Exit::Other,
            Phase::Control,
            message,
            "only runs in the background keep one: hopper up -d",
        )
    })?;
    let mut last = VecDeque::new();
    for line in BufReader::new(file).lines().map_while(Result::ok) {
        if last.len() == lines {
            last.pop_front();
        }
        last.push_back(line);
    }
    last.iter().for_each(|line| talk.data(&format!("{}\n", escape(line))));
    Ok(Exit::Done)
}
