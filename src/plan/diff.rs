//! What would have to change for a run to do what a plan says: tunnels and forwards to open, to change, to
//! close and to keep. Compares what `hopper.plan/1` says of either; changes nothing.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{Plan, Said, SaidForward, SaidTunnel, SaidWay, show};

/// What makes a running plan the wanted one.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    /// The topology's name.
    pub topology: String,
    /// What holds for the whole run, where that differs.
    pub policy: Option<Part>,
    /// The wanted tunnels in build order, then those to close, innermost first.
    pub tunnels: Vec<Part>,
    /// The wanted forwards, then those to close.
    pub forwards: Vec<Part>,
}

/// A tunnel or a forward, or what holds for all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its id: in the wanted plan, or in the running one if it is to be closed.
    pub id: String,
    /// Its id in the run.
    pub was: Option<String>,
    /// What it connects, for people; not escaped.
    pub what: String,
    /// What is to be done.
    pub step: Step,
    /// What differs; only where the step is to change it.
    pub changes: Vec<Change>,
}

/// What is to be done with a tunnel or a forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It does not run.
    Open,
    /// It runs, and something of it differs.
    Change,
    /// Nothing wants it any more.
    Close,
    /// It runs as wanted.
    Keep,
}

/// Something that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What, by its name in the file or the plan.
    pub what: String,
    /// What the run has.
    pub from: Value,
    /// What the plan wants.
    pub to: Value,
}

impl Diff {
    /// Everything that is to be told of.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.policy.iter().chain(&self.tunnels).chain(&self.forwards)
    }

    /// How much this is to be done with.
    pub fn count(&self, step: Step) -> usize {
        self.parts().filter(|part| part.step == step).count()
    }

    /// Whether the run is as the plan wants it.
    pub fn is_none(&self) -> bool {
        self.count(Step::Keep) == self.parts().count()
    }
}

/// Compares a run's plan, as `hopper.plan/1`, with the plan that is wanted. Without a run everything is to be
/// opened.
///
/// A tunnel is the same if client, server, user, addresses and carrier are, and it rides the same tunnel; its
/// id may be another. A forward is the same if its id is.
///
/// # Errors
/// When the run's plan is no `hopper.plan/1`.
pub fn diff(running: Option<&Value>, wanted: &Plan) -> Result<Diff, serde_json::Error> {
    diff_between(running, &show::json(wanted), &wanted.topology)
}

/// The same for two plans that a run of this topology told one after the other.
///
/// # Errors
/// When either is no `hopper.plan/1`.
pub fn diff_between(
    before: Option<&Value>,
    after: &Value,
    topology: &str,
) -> Result<Diff, serde_json::Error> {
    let nothing = Said { tunnels: Vec::new(), forwards: Vec::new(), failover: None, policy: Map::new() };
    let before = before.map_or(Ok(nothing), Said::read)?;
    let after = Said::read(after)?;
    let mut known = HashMap::new();
    let (old, new) = (numbers(&before, &mut known), numbers(&after, &mut known));
    let tunnels = tunnels(&before, &after, &old, &new);
    let renewed = tunnels.iter().filter(|part| part.step == Step::Change).map(|part| part.id.as_str());
    let forwards = forwards(&before, &after, &old, &new, &renewed.collect());
    let policy = settings(&flat(&before.policy), &flat(&after.policy));
    let policy = Part::new("policy", Some(&"policy".to_owned()), String::new(), policy);
    let policy = Some(policy).filter(|policy| policy.step == Step::Change);
    Ok(Diff { topology: topology.to_owned(), policy, tunnels, forwards })
}

/// What makes a tunnel the same as another one.
#[derive(PartialEq, Eq, Hash)]
struct Same<'s> {
    client: &'s str,
    run: Option<&'s str>,
    server: &'s str,
    user: Option<&'s str>,
    address: &'s str,
    target: &'s str,
    carrier: Option<&'s str>,
    rides: Option<usize>,
}

/// A number for each tunnel of a plan, by its id: equal numbers mean the same tunnel, also in two plans.
type Numbers<'s> = HashMap<&'s str, usize>;

fn numbers<'s>(said: &'s Said, known: &mut HashMap<Same<'s>, usize>) -> Numbers<'s> {
    let mut numbers = Numbers::new();
    for tunnel in &said.tunnels {
        // A tunnel comes after the one it rides. One that rides nothing known is like no other.
        let below = |id: &String| numbers.get(id.as_str()).copied().unwrap_or(usize::MAX);
        let same = Same {
            client: &tunnel.client,
            run: tunnel.run.as_deref(),
            server: &tunnel.server,
            user: tunnel.user.as_deref(),
            address: &tunnel.address,
            target: &tunnel.target,
            carrier: tunnel.carrier.as_deref(),
            rides: tunnel.through.as_ref().map(below),
        };
        let next = known.len();
        numbers.insert(&tunnel.id, *known.entry(same).or_insert(next));
    }
    numbers
}

fn tunnels(before: &Said, after: &Said, old: &Numbers<'_>, new: &Numbers<'_>) -> Vec<Part> {
    let running: HashMap<usize, &SaidTunnel> =
        before.tunnels.iter().map(|tunnel| (old[tunnel.id.as_str()], tunnel)).collect();
    // A session that differs is opened anew, and so is every one that rides it.
    let mut renewed = HashSet::new();
    let wanted = after.tunnels.iter().map(|tunnel| {
        let was = running.get(&new[tunnel.id.as_str()]);
        let mut changes = Vec::new();
        if let Some(was) = was {
            changes.extend(change("listen", was.listen.clone().into(), tunnel.listen.clone().into()));
            changes.extend(change("standby", was.standby.into(), tunnel.standby.into()));
            changes.extend(change("entry", was.entry.clone().into(), tunnel.entry.clone().into()));
            changes.extend(settings(&was.settings, &tunnel.settings));
            if let (Some(from), Some(to)) = (&was.through, &tunnel.through)
                && renewed.contains(to)
            {
                let (from, to) = (from.clone().into(), to.clone().into());
                changes.push(Change { what: "through".to_owned(), from, to });
            }
            if !changes.is_empty() {
                renewed.insert(&tunnel.id);
            }
        }
        Part::new(&tunnel.id, was.map(|was| &was.id), what(tunnel), changes)
    });
    let kept: HashSet<usize> = new.values().copied().collect();
    let left = before.tunnels.iter().rev().filter(|tunnel| !kept.contains(&old[tunnel.id.as_str()]));
    wanted.chain(left.map(|tunnel| Part::closed(&tunnel.id, what(tunnel)))).collect()
}

fn what(tunnel: &SaidTunnel) -> String {
    let user = tunnel.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let through = tunnel.through.as_ref().map(|below| format!(" through {below}")).unwrap_or_default();
    let entry = tunnel.entry.as_ref().map(|entry| format!(" at {entry}")).unwrap_or_default();
    let by = match tunnel.run.as_deref() {
        None | Some("here") => String::new(),
        Some("hopper") => format!(" by hopper on {}", tunnel.client),
        Some(_) => format!(" by the ssh of {}", tunnel.client),
    };
    format!("{}, ssh {user}{}{through}{entry}{by}", tunnel.server, tunnel.target)
}

fn forwards(
    before: &Said,
    after: &Said,
    old: &Numbers<'_>,
    new: &Numbers<'_>,
    renewed: &HashSet<&str>,
) -> Vec<Part> {
    let running: HashMap<&str, &SaidForward> =
        before.forwards.iter().map(|forward| (forward.id.as_str(), forward)).collect();
    let wanted = after.forwards.iter().map(|forward| {
        let was = running.get(forward.id.as_str());
        let mut changes = Vec::new();
        if let Some(was) = was {
            changes.extend(change("listen", was.listen.clone().into(), forward.listen.clone().into()));
            let to = change("target", was.to.clone().into(), forward.to.clone().into());
            let dialled = || change("target", was.target.clone().into(), forward.target.clone().into());
            changes.extend(to.or_else(dialled));
            changes.extend(change("route", was.route.clone().into(), forward.route.clone().into()));
            let near = |said: &SaidForward| said.listener.as_ref().map(|near| near.route.clone());
            changes.extend(change("listener", near(was).into(), near(forward).into()));
            let over =
                |via: &Option<String>, of: &Numbers<'_>| via.as_ref().map(|id| of.get(id.as_str()).copied());
            // The same hosts, but over a session that has to be opened first.
            let anew = forward.via.as_ref().is_some_and(|via| renewed.contains(via.as_str()));
            if was.route == forward.route && (anew || over(&was.via, old) != over(&forward.via, new)) {
                let (from, to) = (was.via.clone().into(), forward.via.clone().into());
                changes.push(Change { what: "via".to_owned(), from, to });
            }
            let failover = |said: &Said| said.failover.clone().unwrap_or_default();
            changes.extend(change("failover", failover(before), failover(after)));
            changes.extend(change("standby", ways(was), ways(forward)));
            changes.extend(settings(&was.settings, &forward.settings));
        }
        let what = format!("{} -> {}", forward.listen, forward.to);
        Part::new(&forward.id, was.map(|was| &was.id), what, changes)
    });
    let kept: HashSet<&str> = after.forwards.iter().map(|forward| forward.id.as_str()).collect();
    let left = before.forwards.iter().filter(|forward| !kept.contains(forward.id.as_str()));
    let closed =
        left.map(|forward| Part::closed(&forward.id, format!("{} -> {}", forward.listen, forward.to)));
    wanted.chain(closed).collect()
}

/// The routes that stand by; the same tunnels may have other ids.
fn ways(said: &SaidForward) -> Value {
    let way = |way: &SaidWay| match &way.listener {
        None => Value::from(way.route.clone()),
        Some(near) => Value::from(vec![Value::from(near.route.clone()), way.route.clone().into()]),
    };
    said.standby.iter().map(way).collect()
}

impl Part {
    fn new(id: &str, was: Option<&String>, what: String, changes: Vec<Change>) -> Self {
        let step = match (was, changes.as_slice()) {
            (None, _) => Step::Open,
            (_, []) => Step::Keep,
            _ => Step::Change,
        };
        Part { id: id.to_owned(), was: was.cloned(), what, step, changes }
    }

    fn closed(id: &str, what: String) -> Self {
        Part { id: id.to_owned(), was: Some(id.to_owned()), what, step: Step::Close, changes: Vec::new() }
    }
}

fn change(what: &str, from: Value, to: Value) -> Option<Change> {
    (from != to).then(|| Change { what: what.to_owned(), from, to })
}

/// The same with every key in one row: `reconnect.gate_ms`.
fn flat(nested: &Map<String, Value>) -> Map<String, Value> {
    let mut row = Map::new();
    for (key, value) in nested {
        match value {
            Value::Object(inner) => {
                row.extend(inner.iter().map(|(name, value)| (format!("{key}.{name}"), value.clone())));
            }
            _ => drop(row.insert(key.clone(), value.clone())),
        }
    }
    row
}

/// Keys that count what is compared anyway.
const COUNTS: [&str; 3] = ["hops", "tunnels", "alternatives"];

/// The settings that both know and that differ.
fn settings(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Change> {
    let both = after.iter().filter_map(|(key, to)| Some((key, before.get(key)?, to)));
    let told = both.filter(|(key, ..)| !COUNTS.contains(&key.as_str()));
    told.filter_map(|(key, from, to)| change(key, from.clone(), to.clone())).collect()
}

#[cfg(test)]
mod tests;
