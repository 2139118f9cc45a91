//! `hopper reload`: has a run read its file again, waits until that is settled, and prints what changed. Exit code 0
//! when the run is as the file says, 10 when the file cannot be obeyed and nothing changed, 8 when part of it is not up,
//! or the code of what kept a forward that is required from coming up.

use std::ffi::OsStr;
use std::time::Duration;

use serde_json::{Value, json};

use super::plan_diff::no_plan;
use super::{Ended, Talk, status, trouble};
use crate::control::{Client, Dirs, Limits, Place, Reloaded};
use crate::engine::{Exit, Failure, Phase};
use crate::plan::{Diff, diff_between, show};
use crate::topology::escape;

/// Reloads one run; the only one that runs when none is named.
///
/// # Errors
/// When the run cannot be asked, or is not settled within `patience`; then it goes on by itself.
pub fn run(talk: &Talk, wanted: Option<&OsStr>, patience: Option<Duration>) -> Ended {
    let dirs = Dirs::from_env()?;
    let Some(name) = status::named_or_only(wanted, "reload", || status::running(&dirs))? else {
        talk.say("Nothing is running.\n");
        return Ok(Exit::NotRunning);
    };
    let place = Place::new(&dirs, &name)?;
    let asked = async { tokio::time::timeout(patience.unwrap_or(Duration::MAX), ask(&place)).await };
    let asked = status::runtime()?.block_on(asked);
    let (reloaded, before, after) = asked.map_err(|_| not_settled(&name, patience.unwrap_or_default()))??;
    let diff = match &after {
        Some(after) => {
            Some(diff_between(Some(&before), after, &name).map_err(|error| no_plan(&name, &error))?)
        }
        None => None,
    };
    tell(talk, &name, &reloaded, diff.as_ref());
    Ok(Exit::of_code(reloaded.exit.into()))
}

/// What came of it, and the plans of before and after; none when the run has ended.
async fn ask(place: &Place) -> Result<(Reloaded, Value, Option<Value>), Failure> {
    let mut client = Client::connect(place, Limits::default()).await?;
    let before = client.plan().await?;
    let reloaded = client.reload().await?;
    let after = client.plan().await.ok();
    Ok((reloaded, before, after))
}

fn tell(talk: &Talk, name: &str, reloaded: &Reloaded, diff: Option<&Diff>) {
    if talk.json {
        let diff = diff.map(|diff| show::difference_json(diff, true));
        return talk.json(&json!({
            "schema": "hopper.reload/1",
            "topology": name,
            "taken": reloaded.taken,
            "exit": reloaded.exit,
            "errors": reloaded.errors,
            "diff": diff,
        }));
    }
    if let Some(diff) = diff.filter(|_| reloaded.taken) {
        talk.data(&show::difference_done(diff, talk.plan_style()));
    }
    // It came from a process of the same person, and goes to the terminal all the same.
    let text: String = reloaded.text.lines().map(|line| format!("{}\n", escape(line))).collect();
    talk.say(&text);
    if reloaded.taken && reloaded.exit != Exit::Done.code() {
        talk.say(&format!("The run goes on with the rest. How it stands: hopper status {name}\n"));
    }
}

fn not_settled(name: &str, patience: Duration) -> Failure {
    let message =
        format!("\"{name}\" is not as its file says after {} s; it goes on trying", patience.as_secs_f32());
    let help = format!("hopper status {name}");
    trouble("H0911", Exit::Timeout, Phase::Control, message, &help)
}
