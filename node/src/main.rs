//! The program: reads its command line and runs one command.

use std::process::ExitCode;

fn main() -> ExitCode {
    commonturf::cli::main()
}
