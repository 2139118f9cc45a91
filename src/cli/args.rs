//! The words after each verb, and those that any verb takes. Does nothing with them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};

use super::form::{Forms, GraphForms};
use super::planning::Planning;

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Colour: never, always, or where the terminal can
    #[arg(
        long,
        global = true,
        env = "HOPPER_COLOR",
        value_enum,
        default_value = "auto",
        value_name = "WHEN"
    )]
    pub(super) color: Colour,
    /// Draw with nothing but ASCII
    #[arg(long, global = true, env = "HOPPER_ASCII")]
    pub(super) ascii: bool,
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,
    /// Write the log to this file instead of the terminal
    #[arg(long, global = true, env = "HOPPER_LOG_FILE", value_name = "FILE")]
    pub(super) log_file: Option<PathBuf>,
    /// Holds the run for a parent that waits on standard output for it to be up.
    #[arg(long, global = true, hide = true)]
    pub(super) held: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// A topology file, `-` for standard input, or a name
    pub(super) topology: OsString,
    #[command(flatten)]
    pub(super) form: Forms,
    #[command(flatten)]
    pub(super) planning: Planning,
    /// Say why each forward goes the way it goes, or why this one does, and what else there is
    #[arg(long, conflicts_with_all = ["ssh", "dot", "mermaid", "svg", "grants"], value_name = "FORWARD", num_args = 0..=1)]
    pub(super) explain: Option<Option<String>>,
    /// Say what would change in the run of this topology: open, change, close, keep
    #[arg(long, conflicts_with_all = ["ssh", "dot", "mermaid", "svg", "grants", "explain"])]
    pub(super) diff: bool,
    /// With --diff, which this means too: exit with 2 when something would change, with 0 when nothing would
    #[arg(long, conflicts_with_all = ["ssh", "dot", "mermaid", "svg", "grants", "explain"])]
    pub(super) detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub(super) struct GraphArgs {
    /// A topology file, `-` for standard input, or a name
    pub(super) topology: OsString,
    #[command(flatten)]
    pub(super) form: GraphForms,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// A topology file, `-` for standard input, or a name
    pub(super) topology: OsString,
    /// Print the problems as a JSON list
    #[arg(long)]
    pub(super) json: bool,
    /// Look hosts up in your ssh configuration first, as up does: this runs ssh -G
    #[arg(long)]
    pub(super) resolve: bool,
}

#[derive(Debug, Args)]
pub(super) struct UpArgs {
    /// A topology file, `-` for standard input, or a name
    pub(super) topology: OsString,
    /// Go to the background once every required forward has answered
    #[arg(short, long)]
    pub(super) detach: bool,
    /// The same as `hopper plan`
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Play all hosts and firewalls inside hopper instead of contacting real ones
    #[arg(long, conflicts_with = "resolve")]
    pub(super) lab: bool,
    #[command(flatten)]
    pub(super) planning: Planning,
    /// How progress is shown on standard error
    #[arg(long, env = "HOPPER_PROGRESS", value_enum, default_value = "auto")]
    pub(super) progress: Progress,
    /// Give up when it is not up after this time, such as 60s or 2m
    #[arg(long, value_parser = duration, value_name = "TIME")]
    pub(super) timeout: Option<Duration>,
    /// Never ask; fail where a person would be needed
    #[arg(long, env = "HOPPER_NO_INPUT")]
    pub(super) no_input: bool,
    /// Where a person is needed and there is no terminal, wait this long for `hopper unlock` instead of
    /// failing at once
    #[arg(long, value_parser = duration, value_name = "TIME", conflicts_with = "no_input")]
    pub(super) unlock_within: Option<Duration>,
    #[command(flatten)]
    pub(super) form: Forms,
}

#[derive(Debug, Args)]
pub(super) struct TrustArgs {
    /// A topology file, `-` for standard input, or a name
    pub(super) topology: OsString,
    /// The hosts to go to; without any, every host that a forward goes through
    #[arg(value_name = "HOST")]
    pub(super) hosts: Vec<String>,
    /// Record this key in place of those recorded for the one HOST, and no other
    #[arg(long, value_parser = fingerprint, value_name = "FINGERPRINT", requires = "hosts")]
    pub(super) replace: Option<String>,
    /// Print what pins each key in the file; record nothing
    #[arg(long, conflicts_with = "replace")]
    pub(super) print: bool,
    /// Accept the keys of hosts that nothing is recorded of without asking
    #[arg(long)]
    pub(super) accept_new: bool,
    /// Never ask; fail where a person would be needed
    #[arg(long, env = "HOPPER_NO_INPUT")]
    pub(super) no_input: bool,
    /// Print `hopper.trust/1`
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct DownArgs {
    /// The topology's name or file; may be left out when only one runs
    pub(super) topology: Option<OsString>,
    /// Take down everything that runs
    #[arg(long, conflicts_with = "topology")]
    pub(super) all: bool,
    /// How long to wait until nothing is left
    #[arg(long, value_parser = duration, default_value = "30s", value_name = "TIME")]
    pub(super) timeout: Duration,
    /// Print errors as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReloadArgs {
    /// The topology's name or file; may be left out when only one runs
    pub(super) topology: Option<OsString>,
    /// Wait no longer than this for what is new to be up, such as 60s or 2m; the run goes on by itself
    #[arg(long, value_parser = duration, value_name = "TIME")]
    pub(super) timeout: Option<Duration>,
    /// Print `hopper.reload/1`
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// The topology's name or file; without it, everything that runs
    pub(super) topology: Option<OsString>,
    /// Print `hopper.status/1`; without a name, a list of them
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A forward of the run
    pub(super) forward: String,
    /// The topology's name or file; may be left out when only one runs
    pub(super) topology: Option<OsString>,
    /// Print `hopper.route/1`
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct UnlockArgs {
    /// The topology's name or file; may be left out when only one runs
    pub(super) topology: Option<OsString>,
    /// Print errors as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct LogsArgs {
    /// The topology's name or file; may be left out when only one runs
    pub(super) topology: Option<OsString>,
    /// How many lines, from the end
    #[arg(short = 'n', long, default_value_t = 50, value_name = "LINES")]
    pub(super) lines: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Progress {
    Auto,
    Bars,
    Plain,
    Json,
    None,
}

/// `SHA256:` and 43 characters, as `ssh-keygen -l` prints it.
fn fingerprint(text: &str) -> Result<String, String> {
    let hash = text.strip_prefix("SHA256:").unwrap_or_default();
    if hash.len() == 43 && hash.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/') {
        return Ok(text.to_owned());
    }
    Err("spell it out as ssh-keygen -l does: SHA256: and 43 characters".to_owned())
}

/// `60s`, `500ms`, `2m`; a bare number means seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| format!("write a time such as 60s or 2m, not {text:?}"))?;
    match &text[digits.len()..] {
        "ms" => Ok(Duration::from_millis(number)),
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        "h" => Ok(Duration::from_secs(number.saturating_mul(3600))),
        unit => Err(format!("{unit:?} is no unit; write ms, s, m or h")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert!(duration("soon").is_err() && duration("5 days").is_err());
    }
}
