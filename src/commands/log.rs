//! The log: what happened in detail, for whoever looks into trouble. Off unless asked for, except for
//! a run in the background, which has no other voice.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::trouble;
use crate::engine::{Exit, Failure, Phase};

/// Where the log goes and how much is in it.
#[derive(Debug, Default)]
pub struct Log {
    /// 0 warnings, 1 what hopper does, 2 everything.
    pub verbosity: u8,
    /// The file; standard error otherwise.
    pub file: Option<PathBuf>,
}

/// The name of the log of a run in the background, in the run's own folder.
const BACKGROUND: &str = "run.log";

impl Log {
    /// Starts to log. `background` is the own folder of a run that goes to the background.
    ///
    /// # Errors
    /// H0303 when the log file cannot be written.
    pub fn start(&self, background: Option<&Path>) -> Result<(), Failure> {
        let file = self.file.clone().or_else(|| background.map(|folder| folder.join(BACKGROUND)));
        if file.is_none() && self.verbosity == 0 {
            return Ok(());
        }
        // The SSH library logs what passes through it; its words never go beyond warnings.
        let ours = match (self.verbosity, background) {
            (0, None) => LevelFilter::WARN,
            (0, Some(_)) | (1, _) => LevelFilter::INFO,
            _ => LevelFilter::DEBUG,
        };
        let chosen = Targets::new().with_default(LevelFilter::WARN).with_target("hopper", ours);
        let lines = tracing_subscriber::fmt::layer().with_target(false).with_ansi(false);
        match file {
            Some(path) => {
                let file = open(&path).map_err(|error| {
                    let message = format!("cannot write the log {}: {error}", path.display());
                    trouble(
                        "H0303",
                        Exit::Other,
                        Phase::Control,
                        message,
                        "--log-file FILE takes another place",
                    )
                })?;
                let lines = lines.with_writer(Mutex::new(file));
                tracing_subscriber::registry().with(chosen).with(lines).init();
                // With the terminal gone, what a mistake of hopper's own says on standard error reaches nobody.
                let told = std::panic::take_hook();
                std::panic::set_hook(Box::new(move |panic| {
                    tracing::error!(%panic, "a mistake in hopper");
                    told(panic);
                }));
            }
            None => {
                tracing_subscriber::registry().with(chosen).with(lines.with_writer(std::io::stderr)).init();
            }
        }
        Ok(())
    }

    /// Whether log lines go where progress goes too.
    pub fn is_on_terminal(&self) -> bool {
        self.verbosity > 0 && self.file.is_none()
    }

    /// The log of the last run in the background that kept its files in this folder.
    pub fn of_background(folder: &Path) -> PathBuf {
        folder.join(BACKGROUND)
    }
}

/// A log longer than this is put aside when a run begins, in bytes. One older log is kept.
const LONG: u64 = 4 << 20;

/// A log is for its owner: it names hosts and users.
fn open(path: &Path) -> std::io::Result<File> {
    if path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() > LONG) {
        std::fs::rename(path, path.with_extension("old.log"))?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}
