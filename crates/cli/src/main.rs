//! The program `jerry`.

use std::process::ExitCode;

fn main() -> ExitCode {
    jerry_cli::main()
}
