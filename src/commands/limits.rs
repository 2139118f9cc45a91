//! What the system lets the process of a run do: open files without end, and show its memory to nobody.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Raises the limit of open files as far as it goes, since each client takes one; and keeps unlocked
/// keys out of core files and debuggers.
pub(super) fn set() {
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    let core = Rlimit { current: Some(0), maximum: Some(0) };
    let set = setrlimit(Resource::Nofile, files)
        .and(setrlimit(Resource::Core, core))
        .and(set_dumpable_behavior(DumpableBehavior::NotDumpable));
    if let Err(error) = set {
        tracing::warn!(%error, "the limits of this process stay as they are");
    }
}
