//! The `hopper` binary: nothing but a call into the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    hopper::cli::main()
}
