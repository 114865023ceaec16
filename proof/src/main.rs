//! The program of the proof.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    jerry_proof::main()
}

#[cfg(not(unix))]
#[expect(clippy::print_stderr, reason = "a program for people")]
fn main() -> ExitCode {
    eprintln!("the proof kills, stops and traces processes as only Unix can; run it there");
    ExitCode::FAILURE
}
