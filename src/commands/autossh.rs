//! The variables of autossh, for `up`: read, laid under the file's policy, and told. Knows no meaning of any.

use super::{Talk, trouble};
use crate::engine::{Exit, Failure, Phase};
use crate::topology::{Autossh, Policy, Refused, Taken, escape};

/// Reads the environment.
///
/// # Errors
/// H0315, with every variable that says something impossible.
pub fn from_env() -> Result<Autossh, Failure> {
    // What is no text is nothing that any of them takes, and is shown as far as it is one.
    let value_of = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    Autossh::read(value_of).map_err(|refused| {
        let say = |it: &Refused| format!("{} is \"{}\", and takes {}", it.name, escape(&it.value), it.wanted);
        let message = refused.iter().map(say).collect::<Vec<_>>().join("; ");
        let first = &refused[0];
        let help = format!("unset {}, and write {} in the file's policy", first.name, first.key);
        trouble("H0315", Exit::Usage, Phase::Plan, message, &help)
    })
}

/// Lays the variables under the file's policy, and tells what came of them in one line.
pub fn lay_under(variables: &Autossh, policy: &mut Policy) -> Option<String> {
    let taken = variables.lay_under(policy);
    let by_file: Vec<_> = taken.iter().filter(|it| it.value.is_none()).map(|it| it.name).collect();
    let used: Vec<_> = taken.iter().filter_map(used).collect();
    let mut said = Vec::new();
    if !used.is_empty() {
        said.push(used.join(", "));
    }
    if !by_file.is_empty() {
        said.push(format!("the file stands above {}", by_file.join(", ")));
    }
    if !variables.unused.is_empty() {
        said.push(format!("not used: {}", variables.unused.join(", ")));
    }
    (!said.is_empty()).then(|| format!("From the environment: {}\n", said.join("; ")))
}

fn used(taken: &Taken) -> Option<String> {
    Some(format!("{} {} ({})", taken.key, taken.value.as_ref()?, taken.name))
}

/// Says it, before anything is contacted.
pub fn tell(talk: &Talk, said: Option<&String>) {
    if let Some(said) = said {
        talk.say(said);
    }
}
