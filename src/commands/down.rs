//! `hopper down`: takes a run down, waits until nothing is left of it, and cleans up after a dead one.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use super::{Ended, Talk, status};
use crate::control::{self, Dirs, Gone, Limits, Place, list_running};
use crate::engine::{Exit, Failure};
use crate::topology::escape;

/// Takes one topology down; the only one that runs when none is named. That nothing runs is no error.
///
/// # Errors
/// When it is not over after `patience`, or the run cannot be reached.
pub fn run(talk: &Talk, wanted: Option<&OsStr>, patience: Duration) -> Ended {
    let dirs = Dirs::from_env()?;
    let Some(name) = status::named_or_only(wanted, "down", || list_running(&dirs))? else {
        talk.say("Nothing is running.\n");
        return Ok(Exit::Done);
    };
    one(talk, &dirs, &name, patience)
}

/// Takes every topology of this person down.
///
/// # Errors
/// The first failure, after all were tried.
pub fn all(talk: &Talk, patience: Duration) -> Ended {
    let dirs = Dirs::from_env()?;
    let found = list_running(&dirs)?;
    if found.is_empty() {
        talk.say("Nothing is running.\n");
    }
    let mut first: Option<Failure> = None;
    for found in found {
        if let Err(failure) = one(talk, &dirs, &found.name, patience) {
            match first {
                None => first = Some(failure),
                Some(_) => drop(talk.failure(&failure, None)),
            }
        }
    }
    first.map_or(Ok(Exit::Done), Err)
}

fn one(talk: &Talk, dirs: &Dirs, name: &str, patience: Duration) -> Ended {
    let place = Place::new(dirs, name)?;
    let gone = |gone| match gone {
        Gone::Forward(id) | Gone::Tunnel { id, server: None } => {
            talk.say(&format!("{}: closed\n", escape(&id)));
        }
        Gone::Tunnel { id, server: Some(server) } => {
            talk.say(&format!("{} {}: closed\n", escape(&id), escape(&server)));
        }
    };
    let ended = status::runtime()?.block_on(control::down(&place, Limits::default(), patience, gone))?;
    match ended {
        control::Ended::Closed => talk.say(&format!("{name} is down. Nothing is left running.\n")),
        control::Ended::NotRunning(left) if left.is_empty() && place.state().exists() => {
            talk.say(&format!("{name} is not running.\n"));
        }
        control::Ended::NotRunning(left) if left.is_empty() => {
            talk.say(&format!("{name} is not running; nothing of that name ever ran here.\n"));
        }
        control::Ended::NotRunning(left) => {
            talk.say(&format!(
                "{name} was not running: it had died or been killed. What it left behind was removed:\n{}",
                list(&left)
            ));
        }
        control::Ended::Died(left) => {
            talk.say(&format!(
                "{name} died before it was done. What it left behind was removed:\n{}",
                list(&left)
            ));
        }
    }
    Ok(Exit::Done)
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("  {}\n", path.display())).collect()
}
