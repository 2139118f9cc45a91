//! `hopper explain`: the route that a running forward takes, and how each hop of it stands now. Exit code 0
//! when the forward is up or rests, 8 when it is not, 3 when nothing runs.

use std::ffi::OsStr;
use std::time::SystemTime;

use super::plan_diff::no_plan;
use super::plan_explain::no_such_forward;
use super::{Ended, Talk, status};
use crate::control::{Client, Dirs, Limits, Place};
use crate::engine::Exit;
use crate::plan::Said;
use crate::report::explain::Route;
use crate::report::taken::as_taken;
use crate::topology::escape;

/// Explains a forward of one run; of the only one when none is named.
///
/// # Errors
/// When the run cannot be asked, or has no such forward.
pub fn run(talk: &Talk, forward: &str, wanted: Option<&OsStr>) -> Ended {
    let dirs = Dirs::from_env()?;
    let verb = format!("explain {}", escape(forward));
    let Some(name) = status::named_or_only(wanted, &verb, || status::running(&dirs))? else {
        talk.say("Nothing is running. Without a run: hopper plan FILE --explain\n");
        return Ok(Exit::NotRunning);
    };
    let place = Place::new(&dirs, &name)?;
    let asked = async {
        let mut client = Client::connect(&place, Limits::default()).await?;
        Ok((client.plan().await?, client.status().await?))
    };
    let (plan, status) = status::runtime()?.block_on(asked)?;
    let plan = as_taken(Said::read(&plan).map_err(|error| no_plan(&name, &error))?, &status);
    let Some(route) = Route::new(&status, &plan, forward) else {
        return Err(no_such_forward(forward, plan.forwards.iter().map(|one| one.id.as_str())));
    };
    if talk.json {
        talk.json(&route.json());
    } else {
        talk.data(&route.text(talk.out, SystemTime::now()));
        // The run knows its plan, and no longer the file that the plan was made of.
        let shown = wanted.map(|wanted| escape(&wanted.to_string_lossy()));
        let file = shown.filter(|shown| *shown != name).unwrap_or_else(|| "FILE".to_owned());
        let forward = escape(forward);
        talk.say(&format!(
            "Why this route, and what else there is: hopper plan {file} --explain {forward}\n"
        ));
    }
    Ok(if route.is_well() { Exit::Done } else { Exit::Degraded })
}
