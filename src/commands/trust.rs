//! `hopper trust`: goes to hosts through the chain, shows their keys, and records those that are accepted. Exit
//! code 0 when every key is right in the end, else that of the first thing in the way.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use super::asker::{self, Asker};
use super::file::Source;
use super::person::{self, Terminal};
use super::signals::Signals;
use super::status::runtime;
use super::{Ended, Log, Talk, resolve, trouble};
use crate::control::Questions;
use crate::engine::{self, Exit, Failure, Phase, World};
use crate::plan::{self, Plan, PlanOptions};
use crate::report::trust::{json, line, pin};
use crate::ssh::{Learning, RealNetwork};
use crate::topology::{
    Address, CarrierKind, Check, Endpoint, Forward, ForwardId, HostId, HostKeyChecking, Listen, OnDown,
    Plain, Strategy, Target, Topology, escape, nearest,
};

/// What `trust` was asked to do.
#[derive(Debug)]
pub struct Options {
    /// The topology: a path, a name, or `-`.
    pub topology: OsString,
    /// The hosts to go to; every host that a forward goes through when there is none.
    pub hosts: Vec<String>,
    /// The fingerprint of the key that may take the place of others.
    pub replace: Option<String>,
    /// Print pins, record nothing.
    pub print: bool,
    /// Accept new keys without asking.
    pub accept_new: bool,
    /// Whether a person may be asked.
    pub ask: bool,
}

/// Goes to the hosts.
///
/// # Errors
/// When it cannot even start. What is wrong with a host is told here.
pub fn run(talk: &Talk, log: &Log, options: &Options) -> Ended {
    let source = Source::read(&options.topology)?;
    let topology = match source.topology() {
        Ok(topology) => topology,
        Err(problems) => return Ok(source.tell(talk, &problems)),
    };
    let wanted = wanted(&topology, &options.hosts)?;
    if options.replace.is_some() && wanted.len() != 1 {
        let message = "--replace takes the key of one host".to_owned();
        return Err(trouble("H0310", Exit::Usage, Phase::Plan, message, "name that host and no other"));
    }
    let learning = Learning {
        checking: if options.accept_new { HostKeyChecking::AcceptNew } else { HostKeyChecking::Ask },
        record: !options.print,
        replace: options.replace.clone().and_then(|sha256| Some((wanted.first()?.clone(), sha256))),
    };
    // Every key is to be seen from here, whoever logs in later.
    let from_here = PlanOptions {
        carrier: Some(CarrierKind::Channel),
        strategy: Some(Strategy::Nested),
        at: Some(HostId::local()),
    };
    // As up: what is recorded here is what it asks for.
    let resolved = resolve::resolve(topology)?;
    if !talk.json {
        resolve::tell(talk, &resolved);
    }
    // With what other machines' hoppers keep: it is not seen any more once the forwards are others.
    let seen = resolved.topology.seen_from(&HostId::local()).into_owned();
    let plan = match plan::plan(&leading_to(seen, &wanted), &from_here) {
        Ok(plan) => plan,
        Err(errors) => return resolve::no_plan(talk, &resolved, &errors),
    };
    resolve::refuse_commands(&resolved, &plan)?;
    log.start(None)?;
    let terminal = Terminal::default();
    let runtime = runtime()?;
    let ended = runtime.block_on(walk(talk, options, (&resolved.topology, &plan), learning, &terminal));
    // A question that nobody answered still waits for the terminal; it must not hold up the end.
    runtime.shutdown_background();
    terminal.restore();
    ended
}

async fn walk(
    talk: &Talk,
    options: &Options,
    (topology, plan): (&Topology, &Plan),
    learning: Learning,
    terminal: &Terminal,
) -> Ended {
    let mut signals = Signals::listen().map_err(|error| {
        trouble("H0304", Exit::Other, Phase::Control, format!("cannot listen to signals: {error}"), "")
    })?;
    let asker = Asker {
        terminal: terminal.clone(),
        aside: Arc::new(|question: &mut dyn FnMut()| question()),
        hops: asker::hops(plan),
        name: plan.topology.clone(),
        questions: Questions::default(),
        // Nobody could answer: a walk has no socket.
        unlock_within: Duration::ZERO,
        in_background: Arc::default(),
    };
    let notice = asker.notice();
    let login =
        person::login(topology, plan, if options.ask { asker.ask() } else { asker::nobody() }, notice)?;
    let world = World { network: Arc::new(RealNetwork), trust: person::trust().learning(learning), login };
    let walking = engine::walk(plan, &world, |seen| match talk.json {
        true => {}
        false if options.print => talk.data(&pin(seen)),
        false => talk.data(&line(seen)),
    });
    let mut walked = tokio::select! {
        walked = walking => walked,
        exit = signals.next() => return Ok(exit),
    };
    if let Some(spelled) = &options.replace {
        for failure in walked.failures.iter_mut().filter(|failure| failure.code == "H0501") {
            failure.facts.insert(0, ("spelled out", spelled.clone()));
        }
    }
    let exit = walked.failures.first().map_or(Exit::Done, |failure| failure.exit);
    if talk.json {
        talk.json(&json(&plan.topology, &walked));
        return Ok(exit);
    }
    for failure in &walked.failures {
        talk.failure(failure, Some(plan));
    }
    if !walked.missed.is_empty() {
        let missed: Vec<String> = walked.missed.iter().map(|id| escape(id.as_str())).collect();
        talk.say(&format!("Not seen, since they are behind it: {}\n", missed.join(", ")));
    }
    if plan.tunnels.is_empty() {
        talk.say("No forward goes through a host; name one to go there.\n");
    }
    Ok(exit)
}

/// The hosts named, once each.
fn wanted(topology: &Topology, named: &[String]) -> Result<Vec<HostId>, Failure> {
    let mut wanted = BTreeSet::new();
    for name in named {
        let id = HostId::new(name.as_str());
        match topology.host(&id) {
            Some(host) if host.ssh => wanted.insert(id),
            Some(_) => {
                return Err(no_such_host(format!("{} has no SSH server", escape(name)), String::new()));
            }
            None => {
                let known = topology.hosts.iter().filter(|host| host.ssh).map(|host| host.id.as_str());
                let meant = nearest(name, known).filter(|_| name.len() <= 64);
                let help = meant.map(|meant| format!("did you mean \"{}\"?", escape(&meant)));
                let message = format!("there is no host named \"{}\"", escape(name));
                return Err(no_such_host(message, help.unwrap_or_default()));
            }
        };
    }
    Ok(wanted.into_iter().collect())
}

fn no_such_host(message: String, help: String) -> Failure {
    trouble("H0310", Exit::Usage, Phase::Plan, message, &help)
}

/// The topology with one forward into each of these hosts in place of its own; as it is when there is none.
fn leading_to(topology: Topology, hosts: &[HostId]) -> Topology {
    if hosts.is_empty() {
        return topology;
    }
    let into = |host: &HostId| Forward {
        id: ForwardId(host.to_string()),
        at: HostId::local(),
        on: None,
        listen: Listen::AUTO,
        to: Target::Within { host: host.clone(), endpoint: Endpoint::Tcp(Address::new("localhost", 22)) },
        check: Check::None,
        required: true,
        expose: false,
        plain: Plain::Last,
        on_down: OnDown::default(),
        protocol: None,
    };
    Topology { forwards: hosts.iter().map(into).collect(), ..topology }
}
