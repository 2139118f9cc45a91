//! `hopper status`: shows how runs stand. Exit code 0 when up or resting, 8 when not all of it is, 3 when nothing
//! runs.

use std::ffi::OsStr;
use std::time::SystemTime;

use serde_json::Value;

use super::file::name_of;
use super::obeyed::is_changed;
use super::{Ended, Talk, trouble};
use crate::control::{Client, Dirs, Found, Limits, Place, list_running};
use crate::engine::{Exit, Failure, Phase, RunState, Status, TunnelState};
use crate::report::status;

/// Shows one run, or all.
///
/// # Errors
/// When a run cannot be reached.
pub fn run(talk: &Talk, wanted: Option<&OsStr>) -> Ended {
    let dirs = Dirs::from_env()?;
    match wanted {
        Some(wanted) => one(talk, &dirs, &name_of(wanted)?),
        None => all(talk, &dirs),
    }
}

fn one(talk: &Talk, dirs: &Dirs, name: &str) -> Ended {
    match ask(dirs, name) {
        Ok(status) if talk.json => {
            talk.json(&json(&status));
            Ok(exit(&status))
        }
        Ok(status) => {
            talk.data(&status::text(&status, talk.out, SystemTime::now()));
            Ok(exit(&status))
        }
        Err(failure) if failure.exit == Exit::NotRunning && !talk.json => {
            talk.data(&status::not_running(name, talk.out));
            if !Place::new(dirs, name)?.state().exists() {
                talk.say("Nothing of that name ever ran here.\n");
            }
            Ok(Exit::NotRunning)
        }
        Err(failure) => Err(failure),
    }
}

fn all(talk: &Talk, dirs: &Dirs) -> Ended {
    let (mut shown, mut worst) = (Vec::new(), Exit::NotRunning);
    for found in running(dirs)? {
        match ask(dirs, &found.name) {
            Ok(status) => {
                let exit = exit(&status);
                if matches!(worst, Exit::NotRunning | Exit::Done) {
                    worst = exit;
                }
                shown.push(status);
            }
            // It ended between the two questions.
            Err(failure) if failure.exit == Exit::NotRunning => {}
            Err(failure) => return Err(failure),
        }
    }
    if talk.json {
        talk.json(&Value::Array(shown.iter().map(json).collect()));
    } else if shown.is_empty() {
        talk.say("Nothing is running.\n");
    }
    if !talk.json {
        shown.iter().for_each(|one| talk.data(&status::text(one, talk.out, SystemTime::now())));
    }
    Ok(worst)
}

fn ask(dirs: &Dirs, name: &str) -> Result<Status, Failure> {
    let place = Place::new(dirs, name)?;
    let asking = async { Client::connect(&place, Limits::default()).await?.status().await };
    let mut status = runtime()?.block_on(asking)?;
    if let Some(file) = &mut status.file {
        file.changed = Some(is_changed(file));
    }
    Ok(status)
}

/// A login or a host key that failed for good says more than that something is missing.
fn exit(status: &Status) -> Exit {
    // What rests is opened for whoever comes: nothing is wrong with it.
    if [RunState::Up, RunState::Resting].iter().any(|good| status.state == good.as_str()) {
        return Exit::Done;
    }
    let failed = status.tunnels.iter().filter(|tunnel| tunnel.state == TunnelState::Failed.as_str());
    let codes = failed.filter_map(|tunnel| tunnel.code.as_deref());
    let mut final_ones = codes.filter_map(|code| match code.get(..3) {
        Some("H04") => Some(Exit::Login),
        Some("H05") => Some(Exit::HostKey),
        _ => None,
    });
    final_ones.next_back().unwrap_or(Exit::Degraded)
}

fn json(status: &Status) -> Value {
    serde_json::to_value(status).unwrap_or_default()
}

/// The runs that answer.
pub(super) fn running(dirs: &Dirs) -> Result<Vec<Found>, Failure> {
    Ok(list_running(dirs)?.into_iter().filter(|found| found.running).collect())
}

/// The run that was named, else the only one that is found; `None` when none is.
///
/// # Errors
/// H0305 when none was named and several are found; the help is `verb` with each of them.
pub(super) fn named_or_only(
    wanted: Option<&OsStr>,
    verb: &str,
    find: impl FnOnce() -> Result<Vec<Found>, Failure>,
) -> Result<Option<String>, Failure> {
    if let Some(wanted) = wanted {
        return name_of(wanted).map(Some);
    }
    match find()?.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only.name.clone())),
        several => Err(which(verb, several)),
    }
}

fn which(verb: &str, running: &[Found]) -> Failure {
    let message = "several topologies are running; say which".to_owned();
    let mut failure = trouble("H0305", Exit::Usage, Phase::Control, message, "");
    failure.help = running.iter().map(|found| format!("hopper {verb} {}", found.name)).collect();
    failure
}

/// A small runtime for a short question.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| trouble("H0304", Exit::Other, Phase::Control, format!("cannot start: {error}"), ""))
}
