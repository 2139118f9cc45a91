//! From the text of a topology file to a [`Topology`], or to every [`Problem`] in it in file order.
//!
//! `scan` and `syntax` make a tree of values with places; `value` reads single values; one file per
//! noun reads that noun. Never fills in for something it refused without saying so.

mod address;
mod algorithms;
mod check;
mod duration;
mod firewall;
mod forward;
mod host;
mod host_key;
mod ids;
mod link;
mod listen;
mod listeners;
mod near;
mod on_down;
mod policy;
mod ports;
mod run;
mod scan;
mod secrets;
mod session;
mod syntax;
mod target;
mod tree;
mod value;

#[cfg(test)]
mod tests;

use super::{Problem, Topology};

/// Reads a topology. `stem` is the file's name without its extension, the default for `name`.
///
/// # Errors
///
/// Every problem of the file in one go, in file order; only a syntax error stands alone.
pub fn parse(text: &str, stem: &str) -> Result<Topology, Vec<Problem>> {
    let mut reader = Reader { problems: Vec::new() };
    let tree = match syntax::tree(text, &mut reader.problems) {
        Ok(tree) => tree,
        Err(problem) => return Err(vec![*problem]),
    };
    let topology = run::topology(&mut reader, &tree, stem);
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| problem.label.range.start);
    match topology {
        Some(topology) if problems.is_empty() => Ok(topology),
        _ => Err(problems),
    }
}

/// Whether this is an address as a file may have it.
pub(super) fn is_host(text: &str) -> bool {
    address::host(text, 0..text.len()).is_ok()
}

/// Whether this is a login name as a file may have it.
pub(super) fn is_user(text: &str) -> bool {
    address::user(text, 0..text.len()).is_ok()
}

/// Whether this is a path as a file may have it.
pub(super) fn is_path(text: &str) -> bool {
    address::path(text).is_ok()
}

/// Gathers problems while the file is read.
struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// The one of `names` that was probably meant.
    fn meant<'n>(&self, wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
        // Nobody reads the hundredth suggestion, and each costs a walk through all names.
        const ENOUGH: usize = 100;
        if self.problems.len() > ENOUGH || wrong.len() > 64 {
            return None;
        }
        nearest(wrong, names)
    }
}

/// The one of `names` that a person who wrote `wrong` probably meant.
pub fn nearest<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let wrong = wrong.to_lowercase();
    names
        .map(|name| (strsim::damerau_levenshtein(&wrong, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().min(wrong.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name.to_owned())
}
