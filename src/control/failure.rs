//! Why control did not work, each with its code and what to type next. Never prints.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use crate::engine::{Exit, Failure, Phase};

fn failure(code: &'static str, exit: Exit, message: String, help: Vec<String>) -> Failure {
    Failure {
        code,
        exit,
        phase: Phase::Control,
        message,
        hop: None,
        host: None,
        tunnel: None,
        facts: Vec::new(),
        help,
    }
}

/// H0901: nobody holds the lock.
pub(super) fn not_running(name: &str) -> Failure {
    failure(
        "H0901",
        Exit::NotRunning,
        format!("\"{name}\" is not running"),
        vec![format!("hopper up {name}")],
    )
}

/// H0902: somebody holds the lock.
pub(super) fn already_running(name: &str) -> Failure {
    let help = vec![format!("hopper status {name}"), format!("hopper down {name}")];
    failure("H0902", Exit::Control, format!("\"{name}\" is already running"), help)
}

/// H0903: a folder that others could have prepared or could look into.
pub(super) fn unsafe_folder(path: &Path, what: &str, help: String) -> Failure {
    let message = format!("{} cannot be trusted: {what}", path.display());
    failure("H0903", Exit::Control, message, vec![help])
}

/// H0904: the operating system has no room for the socket's path.
pub(super) fn too_long(path: &Path) -> Failure {
    let message = format!(
        "the control socket's path is too long for this system ({} bytes): {}",
        path.as_os_str().len(),
        path.display()
    );
    let help = vec![
        "give the topology a shorter \"name\"".to_owned(),
        "or set XDG_RUNTIME_DIR to a shorter folder of your own".to_owned(),
    ];
    failure("H0904", Exit::Control, message, help)
}

/// H0905: the other side answered, but not what was asked.
pub(super) fn refused(name: &str, what: impl Display) -> Failure {
    let message = format!("the running \"{name}\" did not do as asked: {what}");
    failure("H0905", Exit::Control, message, vec![format!("hopper logs {name}")])
}

/// H0906: the lock is held, but the socket is silent or not there.
pub(super) fn no_answer(name: &str, what: impl Display) -> Failure {
    let message = format!("\"{name}\" is running but does not answer: {what}");
    let help = vec![
        "try again: it may be starting or closing at this moment".to_owned(),
        format!("hopper logs {name}"),
    ];
    failure("H0906", Exit::Control, message, help)
}

/// H0907: `down` waited long enough.
pub(super) fn still_closing(name: &str, waited: Duration) -> Failure {
    let message = format!("\"{name}\" is still closing after {} s", waited.as_secs_f64());
    let help = vec![format!("hopper status {name}"), format!("hopper logs {name}")];
    failure("H0907", Exit::Timeout, message, help)
}

/// H0908: the operating system refuses work on the run's own files.
pub(super) fn files(path: &Path, error: impl Display) -> Failure {
    let message = format!("cannot use {}: {error}", path.display());
    failure("H0908", Exit::Control, message, vec![format!("look at it: ls -ld {}", path.display())])
}

/// H0909: no topology can have this name, so no path is made from it.
pub(super) fn bad_name(name: &str) -> Failure {
    let message = format!("{name:?} is not the name of a topology");
    let help = vec!["names are lower-case letters, digits, `.`, `_` and `-`, at most 63".to_owned()];
    failure("H0909", Exit::Usage, message, help)
}

/// H0910: neither `HOME` nor the XDG variables say where files may live.
pub(super) fn no_home(error: impl Display) -> Failure {
    let help = vec!["set HOME, or XDG_STATE_HOME and XDG_RUNTIME_DIR".to_owned()];
    failure("H0910", Exit::Control, format!("no folder for the run's files: {error}"), help)
}
