//! The program `jerry`, as the tests run it.

use std::process::ExitCode;

fn main() -> ExitCode {
    jerry_cli::main()
}
