//! The command line: what a person may type, and which command it means. Does nothing itself.

mod args;
mod form;
mod planning;

use std::ffi::OsStr;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use args::{
    CheckArgs, Colour, DownArgs, ExplainArgs, Global, GraphArgs, LogsArgs, PlanArgs, Progress, ReloadArgs,
    StatusArgs, TrustArgs, UnlockArgs, UpArgs,
};
use form::{Forms, GraphForms};
use planning::Planning;

use crate::commands::{self, Talk};
use crate::report::{ColourChoice, Mode};

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

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print what would be built; contact nobody
    Plan(PlanArgs),
    /// Show who can dial whom, with or without a route
    Graph(GraphArgs),
    /// Say everything that is wrong with a topology file
    Check(CheckArgs),
    /// Build the tunnels, prove the far ends, and hold them
    Up(UpArgs),
    /// Go to hosts, show their keys, and record those that are right
    Trust(TrustArgs),
    /// Take a running topology down
    Down(DownArgs),
    /// Have a running topology read its file again, and change what differs
    Reload(ReloadArgs),
    /// Show how running topologies stand
    Status(StatusArgs),
    /// Show the route a running forward takes, and how each hop stands
    Explain(ExplainArgs),
    /// Answer, at this terminal, what a run without one waits for
    Unlock(UnlockArgs),
    /// Print the log of a run in the background, or of the last one
    Logs(LogsArgs),
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
            | Verb::Graph(GraphArgs { form: GraphForms { json: true, .. }, .. })
            | Verb::Check(CheckArgs { json: true, .. })
            | Verb::Up(UpArgs { form: Forms { json: true, .. }, .. })
            | Verb::Trust(TrustArgs { json: true, .. })
            | Verb::Down(DownArgs { json: true, .. })
            | Verb::Reload(ReloadArgs { json: true, .. })
            | Verb::Status(StatusArgs { json: true, .. })
            | Verb::Explain(ExplainArgs { json: true, .. })
            | Verb::Unlock(UnlockArgs { json: true, .. })
    );
    let talk = Talk::new(colour, global.ascii, json);
    let log = commands::Log { verbosity: global.verbose, file: global.log_file };
    let exit = match verb {
        Verb::Plan(PlanArgs { topology, planning, explain: Some(only), .. }) => commands::plan_explain::run(
            &talk,
            &topology,
            only.as_deref(),
            &planning.options(),
            planning.resolve(false),
        ),
        Verb::Plan(args) if args.diff || args.detailed_exitcode => commands::plan_diff::run(
            &talk,
            &args.topology,
            &args.planning.options(),
            args.planning.resolve(true),
            args.detailed_exitcode,
        ),
        Verb::Plan(args) => print_plan(&talk, &args.topology, &args.planning, &args.form),
        Verb::Graph(args) => commands::graph::run(&talk, &args.topology, args.form.chosen()),
        Verb::Check(args) => commands::check::run(&talk, &args.topology, args.resolve),
        Verb::Up(args) if args.dry_run => print_plan(&talk, &args.topology, &args.planning, &args.form),
        Verb::Up(args) => commands::up::run(&talk, &log, up_options(args, global.held, log.is_on_terminal())),
        Verb::Trust(args) => commands::trust::run(&talk, &log, &trust_options(args)),
        Verb::Down(args) if args.all => commands::down::all(&talk, args.timeout),
        Verb::Down(args) => commands::down::run(&talk, args.topology.as_deref(), args.timeout),
        Verb::Reload(args) => commands::reload::run(&talk, args.topology.as_deref(), args.timeout),
        Verb::Status(args) => commands::status::run(&talk, args.topology.as_deref()),
        Verb::Explain(args) => commands::explain::run(&talk, &args.forward, args.topology.as_deref()),
        Verb::Unlock(args) => commands::unlock::run(&talk, args.topology.as_deref()),
        Verb::Logs(args) => commands::logs::run(&talk, args.topology.as_deref(), args.lines),
    };
    ExitCode::from(exit.unwrap_or_else(|failure| talk.failure(&failure, None)).code())
}

fn trust_options(args: TrustArgs) -> commands::trust::Options {
    commands::trust::Options {
        topology: args.topology,
        hosts: args.hosts,
        replace: args.replace,
        print: args.print,
        accept_new: args.accept_new,
        ask: !args.no_input,
    }
}

/// In the form that was asked for.
fn print_plan(talk: &Talk, topology: &OsStr, planning: &Planning, form: &Forms) -> commands::Ended {
    let options = planning.options();
    if form.grants {
        return commands::plan_grants::run(talk, topology, &options, planning.resolve(false));
    }
    commands::plan::run(talk, topology, &options, planning.resolve(false), form.chosen())
}

fn up_options(args: UpArgs, held: bool, logs_to_terminal: bool) -> commands::up::Options {
    commands::up::Options {
        topology: args.topology,
        detach: args.detach,
        held,
        lab: args.lab,
        resolve: !args.lab && args.planning.resolve(true),
        plan: args.planning.options(),
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
        unlock_within: args.unlock_within.unwrap_or_default(),
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
    fn wrong_usage_exits_with_2() {
        let error = Cli::try_parse_from(["hopper", "upp"]).unwrap_err();
        assert_eq!(error.exit_code(), i32::from(Exit::Usage.code()));
    }
}
