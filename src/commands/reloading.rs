//! What a run does when it is told to read its file again: plan it as `up` did, with the same options, and hand the
//! plan to the engine. Whatever is wrong with the file leaves the run as it is.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use super::file::Source;
use super::obeyed::Obeyed;
use super::worlds::{Worlds, refuse_others_in_lab};
use super::{autossh, resolve, trouble};
use crate::control::Reloaded;
use crate::engine::{self, Board, Event, Exit, Failure, Phase, World};
use crate::plan::{self, Plan, PlanOptions};
use crate::report::problem::Look;
use crate::report::{Style, failure, no_plan};
use crate::topology::{HostId, Resolved, escape};

/// How a run reads its file again.
pub struct Reloading {
    /// The file; `None` when it came from standard input.
    pub file: Option<Obeyed>,
    /// Whether hosts are looked up in the person's ssh configuration.
    pub resolve: bool,
    /// What the planner is asked beyond the file.
    pub options: PlanOptions,
    /// Where and as whom a plan is built.
    pub worlds: Worlds,
    /// How errors are drawn.
    pub style: Style,
    /// How the run stands.
    pub board: Board,
    /// Where plans are handed to.
    pub reloads: UnboundedSender<engine::Reload>,
    /// Where it is told what came of it.
    pub events: UnboundedSender<Event>,
}

/// Somebody wants the file to be read again, and to be told what came of it.
pub type Wanted = oneshot::Sender<Reloaded>;

/// Why the file is not obeyed.
struct Unfit {
    failure: Failure,
    /// For people, in full.
    text: String,
    /// For machines.
    errors: Vec<Value>,
}

impl Reloading {
    /// Reads the file again whenever it is wanted, once for each time and one after the other.
    pub async fn serve(self, mut wanted: UnboundedReceiver<Wanted>) {
        let this = Arc::new(self);
        while let Some(answer) = wanted.recv().await {
            match this.hand_over().await {
                Ok((outcome, read)) => {
                    let this = this.clone();
                    tokio::spawn(async move {
                        let reloaded = this.outcome(outcome.await.ok());
                        if let (true, Some(file), Some(read)) = (reloaded.taken, &this.file, read) {
                            file.follow(&read);
                        }
                        // Whoever asked may have left, and a signal waits for no answer.
                        drop(answer.send(reloaded));
                    });
                }
                Err(unfit) => {
                    let told = Reloaded {
                        taken: false,
                        exit: unfit.failure.exit.code(),
                        text: unfit.text,
                        errors: unfit.errors,
                    };
                    let event = Event::NotReloaded { failure: unfit.failure };
                    event.log();
                    // Nobody may be there to see it.
                    drop(this.events.send(event));
                    drop(answer.send(told));
                }
            }
        }
    }

    /// What will come of it, and the file as it was read.
    async fn hand_over(
        self: &Arc<Self>,
    ) -> Result<(oneshot::Receiver<engine::Reloaded>, Option<Obeyed>), Unfit> {
        let this = self.clone();
        // Reads files, and may run `ssh -G`.
        let planned = tokio::task::spawn_blocking(move || this.planned()).await;
        let (plan, world, read) = planned.unwrap_or_else(|_| Err(self.unfit(broken())))?;
        let (told, outcome) = oneshot::channel();
        // A run that has ended drops it, and with it the sender.
        drop(self.reloads.send(engine::Reload { plan, world, told }));
        Ok((outcome, read))
    }

    fn planned(&self) -> Result<(Plan, World, Option<Obeyed>), Unfit> {
        let running = self.board.plan();
        let file = self.file.as_ref().ok_or_else(|| self.unfit(from_standard_input(&running.topology)))?;
        let source = Source::read(file.path().as_os_str()).map_err(|failure| self.unfit(failure))?;
        let mut topology = source.topology().map_err(|problems| {
            let look =
                Look { width: self.style.width, colour: self.style.colour, unicode: self.style.unicode };
            let told = problems.iter().map(|one| format!("{} {}", one.code, one.message)).collect();
            let errors = match source.problems_json(&problems) {
                Value::Array(errors) => errors,
                one => vec![one],
            };
            let text = source.rendered(&problems, look);
            Unfit { failure: not_obeyed(&source.shown, told), text: kept_as_it_is(&text), errors }
        })?;
        if topology.name != running.topology {
            return Err(self.unfit(another(&source.shown, &topology.name, &running.topology)));
        }
        let variables = autossh::from_env().map_err(|failure| self.unfit(failure))?;
        // Told when the run began.
        let _ = autossh::lay_under(&variables, &mut topology.policy);
        let resolved = match self.resolve {
            true => resolve::resolve(topology).map_err(|failure| self.unfit(failure))?,
            false => Resolved::as_it_is(topology),
        };
        let at = Some(self.options.at.clone().unwrap_or_else(HostId::local));
        let options = PlanOptions { at, ..self.options.clone() };
        let plan = plan::plan(&resolved.topology, &options).map_err(|errors| {
            if let Some(failure) = resolve::needs_a_command(&resolved) {
                return self.unfit(failure);
            }
            let told = errors.iter().map(|error| format!("{} {error}", error.code())).collect();
            let text = no_plan::render(&errors, self.style);
            let listed = match no_plan::json(&errors) {
                Value::Array(errors) => errors,
                one => vec![one],
            };
            Unfit { failure: not_obeyed(&source.shown, told), text: kept_as_it_is(&text), errors: listed }
        })?;
        resolve::refuse_commands(&resolved, &plan).map_err(|failure| self.unfit(failure))?;
        if self.worlds.lab.is_some() {
            refuse_others_in_lab(&resolved.topology, &self.options).map_err(|failure| self.unfit(failure))?;
        }
        let topology = resolved.topology.seen_from(&plan.at);
        let world = self.worlds.world(&topology, &plan).map_err(|failure| self.unfit(failure))?;
        Ok((plan, world, source.file))
    }

    /// What whoever asked is told once the plan is settled.
    fn outcome(&self, outcome: Option<engine::Reloaded>) -> Reloaded {
        let plan = self.board.plan();
        let told = |it: &engine::Reloaded| it.obeyed && (!it.closing || !it.missing.is_empty());
        let Some(outcome) = outcome.filter(told) else {
            let failure = closing(&plan.topology);
            let text = failure::render(&failure, None, self.style);
            let errors = vec![failure::json(&failure)];
            return Reloaded { taken: false, exit: failure.exit.code(), text, errors };
        };
        let lost = outcome.missing.iter().find(|(_, required)| *required);
        let exit = match lost {
            Some((failure, _)) => failure.exit,
            None if outcome.whole => Exit::Done,
            None => Exit::Degraded,
        };
        let failures = outcome.missing.iter().map(|(failure, _)| failure);
        let text = failures.clone().map(|one| failure::render(one, Some(&plan), self.style)).collect();
        let errors = failures.map(failure::json).collect();
        Reloaded { taken: true, exit: exit.code(), text, errors }
    }

    fn unfit(&self, failure: Failure) -> Unfit {
        let text = kept_as_it_is(&failure::render(&failure, None, self.style));
        Unfit { text, errors: vec![failure::json(&failure)], failure }
    }
}

/// What a person reads when nothing came of it.
fn kept_as_it_is(text: &str) -> String {
    format!("{}The run goes on as it was.\n", text.strip_suffix("Nothing was started.\n").unwrap_or(text))
}

fn not_obeyed(shown: &str, problems: Vec<String>) -> Failure {
    let many = if problems.len() == 1 { "a problem" } else { "problems" };
    let message = format!("{shown} has {many}, so the run goes on without what changed in it");
    let mut failure = trouble("H0313", Exit::Topology, Phase::Plan, message, "");
    failure.facts = problems.into_iter().map(|problem| ("problem", escape(&problem))).collect();
    failure.help.push(format!("hopper check {shown}"));
    failure
}

fn another(shown: &str, name: &str, running: &str) -> Failure {
    let (name, running) = (escape(name), escape(running));
    let message = format!("{shown} is now called \"{name}\", and the run is \"{running}\"");
    let help = format!("call it \"{running}\" again, or: hopper down {running} and hopper up {shown}");
    trouble("H0314", Exit::Topology, Phase::Plan, message, &help)
}

fn from_standard_input(running: &str) -> Failure {
    let running = escape(running);
    let message = format!("\"{running}\" was started from standard input, which cannot be read again");
    let help = format!("hopper down {running}, and hopper up FILE");
    trouble("H0314", Exit::Topology, Phase::Plan, message, &help)
}

fn closing(running: &str) -> Failure {
    let running = escape(running);
    let message = format!("the running \"{running}\" did not do as asked: it is being closed");
    trouble("H0905", Exit::Control, Phase::Control, message, &format!("hopper logs {running}"))
}

fn broken() -> Failure {
    trouble("H0304", Exit::Other, Phase::Running, "hopper itself broke".to_owned(), "")
}
