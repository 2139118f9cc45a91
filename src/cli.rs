//! The command line: what a person may type, and which command it means. Does nothing itself.

mod form;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};

use form::Forms;

use crate::commands::{self, Talk};
use crate::report::{ColourChoice, Mode};
use crate::topology::CarrierKind;

/// Plans and builds telescoping SSH tunnels.
#[derive(Debug, Parser)]
#[command(
    name = "hopper",
    version,
    about = "Plans and builds telescoping SSH tunnels",
    after_help = "Try it without touching any host:\n  hopper up topologies/vnc-through-three-firewalls.json --lab",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Colour: never, always, or where the terminal can
    #[arg(
        long,
        global = true,
        env = "HOPPER_COLOR",
        value_enum,
        default_value = "auto",
        value_name = "WHEN"
    )]
    color: Colour,
    /// Draw with nothing but ASCII
    #[arg(long, global = true, env = "HOPPER_ASCII")]
    ascii: bool,
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Write the log to this file instead of the terminal
    #[arg(long, global = true, env = "HOPPER_LOG_FILE", value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Holds the run for a parent that waits on standard output for it to be up.
    #[arg(long, global = true, hide = true)]
    held: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print what would be built; contact nobody
    Plan(PlanArgs),
    /// Say everything that is wrong with a topology file
    Check(CheckArgs),
    /// Build the tunnels, prove the far ends, and hold them
    Up(UpArgs),
    /// Take a running topology down
    Down(DownArgs),
    /// Show how running topologies stand
    Status(StatusArgs),
    /// Print the log of a run in the background, or of the last one
    Logs(LogsArgs),
}

#[derive(Debug, Args)]
struct PlanArgs {
    /// A topology file, `-` for standard input, or a name
    topology: OsString,
    #[command(flatten)]
    form: Forms,
    /// How sessions ride the tunnel below them, whatever the file says
    #[arg(long, value_enum)]
    carrier: Option<Carrier>,
    /// Say why each forward goes the way it goes, or why this one does, and what else there is
    #[arg(long, conflicts_with_all = ["ssh", "dot", "mermaid", "svg"], value_name = "FORWARD", num_args = 0..=1)]
    explain: Option<Option<String>>,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// A topology file, `-` for standard input, or a name
    topology: OsString,
    /// Print the problems as a JSON list
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct UpArgs {
    /// A topology file, `-` for standard input, or a name
    topology: OsString,
    /// Go to the background once every required forward has answered
    #[arg(short, long)]
    detach: bool,
    /// The same as `hopper plan`
    #[arg(long)]
    dry_run: bool,
    /// Play all hosts and firewalls inside hopper instead of contacting real ones
    #[arg(long)]
    lab: bool,
    /// How sessions ride the tunnel below them, whatever the file says
    #[arg(long, value_enum)]
    carrier: Option<Carrier>,
    /// How progress is shown on standard error
    #[arg(long, env = "HOPPER_PROGRESS", value_enum, default_value = "auto")]
    progress: Progress,
    /// Give up when it is not up after this time, such as 60s or 2m
    #[arg(long, value_parser = duration, value_name = "TIME")]
    timeout: Option<Duration>,
    /// Never ask; fail where a person would be needed
    #[arg(long, env = "HOPPER_NO_INPUT")]
    no_input: bool,
    #[command(flatten)]
    form: Forms,
}

#[derive(Debug, Args)]
struct DownArgs {
    /// The topology's name or file; may be left out when only one runs
    topology: Option<OsString>,
    /// Take down everything that runs
    #[arg(long, conflicts_with = "topology")]
    all: bool,
    /// How long to wait until nothing is left
    #[arg(long, value_parser = duration, default_value = "30s", value_name = "TIME")]
    timeout: Duration,
    /// Print errors as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct StatusArgs {
    /// The topology's name or file; without it, everything that runs
    topology: Option<OsString>,
    /// Print `hopper.status/1`; without a name, a list of them
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct LogsArgs {
    /// The topology's name or file; may be left out when only one runs
    topology: Option<OsString>,
    /// How many lines, from the end
    #[arg(short = 'n', long, default_value_t = 50, value_name = "LINES")]
    lines: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Carrier {
    Channel,
    Port,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Progress {
    Auto,
    Bars,
    Plain,
    Json,
    None,
}

/// Parses the command line, does what it says, and gives the exit code.
pub fn main() -> ExitCode {
    let Cli { global, verb } = Cli::parse();
    if let Verb::Up(UpArgs { dry_run: false, form, .. }) = &verb
        && let Some(flag) = form.of_plans_only()
    {
        let message = format!("{flag} shows a plan: add --dry-run, or use hopper plan");
        Cli::command().error(ErrorKind::MissingRequiredArgument, message).exit();
    }
    let colour = match global.color {
        Colour::Auto => ColourChoice::Auto,
        Colour::Always => ColourChoice::Always,
        Colour::Never => ColourChoice::Never,
    };
    let json = matches!(
        &verb,
        Verb::Plan(PlanArgs { form: Forms { json: true, .. }, .. })
            | Verb::Check(CheckArgs { json: true, .. })
            | Verb::Up(UpArgs { form: Forms { json: true, .. }, .. })
            | Verb::Down(DownArgs { json: true, .. })
            | Verb::Status(StatusArgs { json: true, .. })
    );
    let talk = Talk::new(colour, global.ascii, json);
    let log = commands::Log { verbosity: global.verbose, file: global.log_file };
    let exit = match verb {
        Verb::Plan(PlanArgs { topology, carrier: chosen, explain: Some(only), .. }) => {
            commands::explain::run(&talk, &topology, only.as_deref(), carrier(chosen))
        }
        Verb::Plan(args) => {
            commands::plan::run(&talk, &args.topology, carrier(args.carrier), args.form.chosen())
        }
        Verb::Check(args) => commands::check::run(&talk, &args.topology),
        Verb::Up(args) if args.dry_run => {
            commands::plan::run(&talk, &args.topology, carrier(args.carrier), args.form.chosen())
        }
        Verb::Up(args) => commands::up::run(&talk, &log, up_options(args, global.held, log.is_on_terminal())),
        Verb::Down(args) if args.all => commands::down::all(&talk, args.timeout),
        Verb::Down(args) => commands::down::run(&talk, args.topology.as_deref(), args.timeout),
        Verb::Status(args) => commands::status::run(&talk, args.topology.as_deref()),
        Verb::Logs(args) => commands::logs::run(&talk, args.topology.as_deref(), args.lines),
    };
    ExitCode::from(exit.unwrap_or_else(|failure| talk.failure(&failure, None)).code())
}

fn up_options(args: UpArgs, held: bool, logs_to_terminal: bool) -> commands::up::Options {
    commands::up::Options {
        topology: args.topology,
        detach: args.detach,
        held,
        lab: args.lab,
        carrier: carrier(args.carrier),
        progress: match args.progress {
            // Log lines on the same terminal would tear the bars.
            Progress::Auto if logs_to_terminal => Mode::Plain,
            Progress::Auto => Mode::auto(),
            Progress::Bars => Mode::Bars,
            Progress::Plain => Mode::Plain,
            Progress::Json => Mode::Json,
            Progress::None => Mode::None,
        },
        timeout: args.timeout,
        ask: !args.no_input,
    }
}

fn carrier(chosen: Option<Carrier>) -> Option<CarrierKind> {
    chosen.map(|carrier| match carrier {
        Carrier::Channel => CarrierKind::Channel,
        Carrier::Port => CarrierKind::Port,
    })
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
    use crate::engine::Exit;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_read_with_their_units() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert!(duration("soon").is_err() && duration("5 days").is_err());
    }

    #[test]
    fn wrong_usage_exits_with_2() {
        let error = Cli::try_parse_from(["hopper", "upp"]).unwrap_err();
        assert_eq!(error.exit_code(), i32::from(Exit::Usage.code()));
    }
}
