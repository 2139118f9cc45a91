//! `hopper up`: builds a plan and holds it until somebody wants it down.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::oneshot;

use super::asker::{self, Asker};
use super::file::Source;
use super::obeyed::Obeyed;
use super::person::Terminal;
use super::reloading::Reloading;
use super::signals::Signals;
use super::worlds::{Worlds, refuse_others_in_lab};
use super::{Ended, Log, Talk, autossh, detach, limits, resolve, trouble};
use crate::control::{Claim, Dirs, Hooks, Limits, Place, Questions, Server};
use crate::engine::{
    self, Controls, Event, Exit, Failure, ForwardState, Outcome, Phase, RunState, Snapshot, TunnelState,
};
use crate::lab::Lab;
use crate::plan::{self, Plan, PlanOptions, show};
use crate::report::{Mode, Reporter, Sink, Style};
use crate::topology::{HostId, Resolved, Topology};

/// What `up` was asked to do.
#[derive(Debug)]
pub struct Options {
    /// The topology: a path, a name, or `-`.
    pub topology: OsString,
    /// Go to the background once it is up.
    pub detach: bool,
    /// Hold the run for a parent that waits for it to be up.
    pub held: bool,
    /// Play all hosts inside hopper.
    pub lab: bool,
    /// Look hosts up in the person's ssh configuration; never in the lab.
    pub resolve: bool,
    /// What the planner is asked beyond the file.
    pub plan: PlanOptions,
    /// How progress is shown.
    pub progress: Mode,
    /// When to give up.
    pub timeout: Option<Duration>,
    /// Whether a person may be asked.
    pub ask: bool,
    /// How long to wait for `hopper unlock` where there is no terminal to ask at.
    pub unlock_within: Duration,
}

/// Builds the topology and holds it.
///
/// # Errors
/// What kept it from being built, unless it was told on the way.
pub fn run(talk: &Talk, log: &Log, options: Options) -> Ended {
    if options.detach && !options.held {
        return detach::in_background(talk, &options);
    }
    let source = Source::read(&options.topology)?;
    let mut topology = match source.topology() {
        Ok(topology) => topology,
        Err(problems) => return Ok(source.tell(talk, &problems)),
    };
    let from_autossh = autossh::lay_under(&autossh::from_env()?, &mut topology.policy);
    let at = options.plan.at.clone().unwrap_or_else(HostId::local);
    let part = PlanOptions { at: Some(at), ..options.plan.clone() };
    let resolved = match options.resolve {
        true => resolve::resolve(topology)?,
        false => Resolved::as_it_is(topology),
    };
    let plan = match plan::plan(&resolved.topology, &part) {
        Ok(plan) => plan,
        Err(errors) => return resolve::no_plan(talk, &resolved, &errors),
    };
    resolve::refuse_commands(&resolved, &plan)?;
    if options.lab {
        refuse_others_in_lab(&resolved.topology, &options.plan)?;
    }
    let topology = resolved.topology.seen_from(&plan.at).into_owned();
    let claim = Place::new(&Dirs::from_env()?, &topology.name)?.claim()?;
    log.start(options.held.then(|| claim.place().state()).as_deref())?;
    if !claim.leftovers().is_empty() {
        talk.say(&format!(
            "An earlier run of {} ended without cleaning up; its files were removed.\n",
            topology.name
        ));
    }
    if !matches!(options.progress, Mode::Json | Mode::None) {
        resolve::tell(talk, &resolved);
        autossh::tell(talk, from_autossh.as_ref());
        talk.say(&show::warnings(&plan, talk.err.width));
    }
    limits::set();
    let terminal = Terminal::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        trouble("H0304", Exit::Other, Phase::Control, format!("cannot start: {error}"), "")
    })?;
    let ended = runtime.block_on(hold(talk, &options, source.file, &topology, plan, &claim, &terminal));
    // A question that nobody answered still waits for the terminal; it must not hold up the end.
    runtime.shutdown_background();
    terminal.restore();
    claim.end_with_process();
    ended
}

async fn hold(
    talk: &Talk,
    options: &Options,
    file: Option<Obeyed>,
    topology: &Topology,
    plan: Plan,
    claim: &Claim,
    terminal: &Terminal,
) -> Ended {
    let mut signals = Signals::listen().map_err(|error| cannot_listen(&error))?;
    let reporter = Arc::new(reporter(talk, options, &plan));
    let (questions, in_background) = (Questions::default(), Arc::new(AtomicBool::new(false)));
    let aside = reporter.clone();
    let asker = Asker {
        terminal: terminal.clone(),
        aside: Arc::new(move |question: &mut dyn FnMut()| aside.suspend(question)),
        hops: asker::hops(&plan),
        name: topology.name.clone(),
        questions: questions.clone(),
        unlock_within: options.unlock_within,
        in_background: in_background.clone(),
    };
    let worlds = Worlds { lab: options.lab.then(|| Arc::new(Lab::new(topology))), ask: options.ask, asker };
    let world = worlds.world(topology, &plan)?;
    let controls = Controls::default();
    Signals::let_verify(&controls).map_err(|error| cannot_listen(&error))?;
    let mut run = engine::start(plan, world, controls.clone());
    let (told, mut beside) = unbounded_channel();
    let obeyed_file = file.clone();
    let reloading = Reloading {
        file,
        resolve: options.resolve,
        options: options.plan.clone(),
        worlds,
        style: Style { colour: false, ..talk.err },
        board: run.board.clone(),
        reloads: run.reloads.clone(),
        events: told,
    };
    let (reload, wanted) = unbounded_channel();
    tokio::spawn(reloading.serve(wanted));
    let reload = move || {
        let (answer, outcome) = oneshot::channel();
        // A run that ends reads nothing any more, and whoever asked hears of the end.
        drop(reload.send(answer));
        outcome
    };
    let at_hang_up = reload.clone();
    let at_hang_up = move || drop(at_hang_up());
    if !terminal.is_there() {
        signals.at_hang_up(at_hang_up.clone());
    }
    let (board, obeyed, leave) = (run.board.clone(), run.board.clone(), controls.leave.clone());
    let hooks = Hooks {
        plan: Arc::new(move || obeyed.plan()),
        file: Arc::new(move || obeyed_file.as_ref().and_then(Obeyed::status)),
        snapshot: Arc::new(move || board.snapshot()),
        down: Arc::new(move || leave.cancel()),
        reload: Arc::new(reload),
        questions,
    };
    let server = match Server::bind(claim, hooks, Limits::default()) {
        Ok(server) => server,
        Err(failure) => {
            controls.leave.cancel();
            while run.events.recv().await.is_some() {}
            return Err(failure);
        }
    };
    let mut watch = Watch { reporter: Some(reporter), timed_out: false, waited_for: Vec::new(), left: false };
    let deadline = tokio::time::sleep(options.timeout.unwrap_or(Duration::MAX));
    tokio::pin!(deadline);
    loop {
        tokio::select! {
            event = run.events.recv() => match event {
                Some(event) => {
                    server.event(&event);
                    watch.event(&event);
                    if options.held && matches!(event, Event::Up { .. }) {
                        in_background.store(true, Ordering::Relaxed);
                        watch.go_to_background(&topology.name, run.board.snapshot().state, &controls);
                        signals.at_hang_up(at_hang_up.clone());
                    }
                }
                None => break,
            },
            Some(event) = beside.recv() => watch.event(&event),
            exit = signals.next() => signals.pass_on(exit, &controls),
            () = &mut deadline, if options.timeout.is_some() && !watch.timed_out && signals.first.is_none() => {
                watch.timed_out = true;
                if !run.board.is_up() {
                    watch.waited_for = unfinished(&run.board.snapshot());
                    controls.leave.cancel();
                }
            }
        }
    }
    let outcome = run.outcome.await;
    server.close().await;
    let Ok(outcome) = outcome else {
        return Err(trouble("H0304", Exit::Other, Phase::Running, "hopper itself broke".to_owned(), ""));
    };
    Ok(last_words(talk, &run.board.plan(), &outcome, &signals, &watch, options))
}

fn cannot_listen(error: &std::io::Error) -> Failure {
    trouble("H0304", Exit::Other, Phase::Control, format!("cannot listen to signals: {error}"), "")
}

/// Who watches the run, and what came of it.
struct Watch {
    /// Gone once the run is in the background.
    reporter: Option<Arc<Reporter>>,
    timed_out: bool,
    /// What was being opened or proved when time ran out.
    waited_for: Vec<String>,
    /// The parent is gone, or wanted no more.
    left: bool,
}

impl Watch {
    fn event(&self, event: &Event) {
        if let Some(reporter) = &self.reporter {
            reporter.event(event);
        }
    }

    /// Lets go of the terminal and of the parent, which returns then.
    fn go_to_background(&mut self, name: &str, state: RunState, controls: &Controls) {
        self.reporter = None;
        let degraded = state == RunState::Degraded;
        if let Err(error) = detach::let_go(name, degraded) {
            tracing::warn!(%error, "nobody waits for this run any more; taking it down");
            self.left = true;
            controls.leave.cancel();
        }
    }
}

/// What is being opened or proved at this moment.
fn unfinished(snapshot: &Snapshot) -> Vec<String> {
    let opens = |state| matches!(state, TunnelState::Connecting | TunnelState::Waiting);
    let opening = snapshot.tunnels.iter().filter(|tunnel| opens(tunnel.state));
    let proving = snapshot.forwards.iter().filter(|forward| forward.state == ForwardState::Checking);
    opening
        .map(|tunnel| format!("{} {}", tunnel.id, tunnel.server))
        .chain(proving.map(|forward| format!("{} at {}", forward.id, forward.to)))
        .collect()
}

fn last_words(
    talk: &Talk,
    plan: &Plan,
    outcome: &Outcome,
    signals: &Signals,
    watch: &Watch,
    options: &Options,
) -> Exit {
    if let Some(failure) = &outcome.failure {
        return talk.failure(failure, Some(plan));
    }
    if watch.timed_out && !outcome.was_up {
        let limit = options.timeout.unwrap_or_default().as_secs_f32();
        let message = format!("{} was not up after {limit} s", plan.topology);
        let help = "give it more time, or leave --timeout out: each step has a limit of its own";
        let mut failure = trouble("H0608", Exit::Timeout, Phase::Running, message, help);
        failure.facts.push(("waited for", watch.waited_for.join(", ")));
        return talk.failure(&failure, None);
    }
    if outcome.expired && !outcome.was_up {
        let limit = plan.lifetime.unwrap_or_default().as_secs();
        let message = format!("{} was not up within its lifetime of {limit} s", plan.topology);
        let help = "make \"lifetime\" in the policy longer, or leave it out";
        return talk.failure(&trouble("H0608", Exit::Timeout, Phase::Running, message, help), None);
    }
    match signals.first {
        Some(exit) if !outcome.was_up => exit,
        _ if watch.left => Exit::Other,
        _ if !outcome.was_up => Exit::Terminated,
        _ => Exit::Done,
    }
}

fn reporter(talk: &Talk, options: &Options, plan: &Plan) -> Reporter {
    let reporter = Reporter::new(options.progress, plan, talk.err, Sink::Stderr);
    if options.held {
        reporter
    } else {
        reporter.with_hint("Ctrl-C takes it down. How it stands: hopper status")
    }
}
