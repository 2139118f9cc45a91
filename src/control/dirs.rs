//! The folders that hold what runs leave while they live. Knows the XDG rules; creates nothing.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use rustix::process::geteuid;

use super::failure;
use crate::engine::Failure;

/// The two folders of hopper that are not configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirs {
    /// Sockets and locks, gone after a reboot.
    pub runtime: PathBuf,
    /// Logs, one folder per topology.
    pub state: PathBuf,
}

impl Dirs {
    /// `$XDG_RUNTIME_DIR/hopper` and `$XDG_STATE_HOME/hopper` (`~/.local/state/hopper`). Without a
    /// runtime directory of one's own, sockets go to `run` in the state folder; never to `/tmp`.
    ///
    /// # Errors
    /// H0910 when the environment names no home.
    pub fn from_env() -> Result<Self, Failure> {
        let xdg = etcetera::base_strategy::Xdg::new().map_err(failure::no_home)?;
        let state = xdg.state_dir().unwrap_or_else(|| xdg.home_dir().join(".local/state")).join("hopper");
        let runtime = match xdg.runtime_dir().filter(|folder| is_own(folder)) {
            Some(folder) => folder.join("hopper"),
            None => state.join("run"),
        };
        Ok(Dirs { runtime, state })
    }
}

/// The variable outlives `su` and `sudo`, so a runtime directory may exist and belong to another.
fn is_own(folder: &Path) -> bool {
    rustix::fs::stat(folder).is_ok_and(|stat| stat.st_uid == geteuid().as_raw())
}
