//! How the control socket reaches the run that it belongs to. Builds and closes nothing.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Questions, Reloaded};
use crate::engine::{FileStatus, Snapshot};
use crate::plan::Plan;

/// How the control socket reaches the run. The functions are called from the socket's tasks and must not block.
#[derive(Clone)]
pub struct Hooks {
    /// The plan that the run obeys now.
    pub plan: Arc<dyn Fn() -> Arc<Plan> + Send + Sync>,
    /// The file that the run obeys; `None` where it was none, or nothing is known of it.
    pub file: Arc<dyn Fn() -> Option<FileStatus> + Send + Sync>,
    /// How the run stands now.
    pub snapshot: Arc<dyn Fn() -> Snapshot + Send + Sync>,
    /// Starts the teardown; called once for every client that asks.
    pub down: Arc<dyn Fn() + Send + Sync>,
    /// Has the file read again; told when that is settled.
    pub reload: Arc<dyn Fn() -> oneshot::Receiver<Reloaded> + Send + Sync>,
    /// What the run waits for that a person has to answer.
    pub questions: Questions,
}
