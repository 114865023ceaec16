//! What developers run beside cargo's own commands: `cargo xtask …`.

mod proof;
#[cfg(unix)]
mod windows;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Show that what jerry promises holds, part by part, and print a table
    Proof(proof::Arguments),
    /// The part of the proof that kills processes, for as long as is asked: `--commands 1000000`
    Storm(proof::Arguments),
    /// Type-check for Windows and macOS, and run the tests as Windows programs under Wine
    #[cfg(unix)]
    Windows(windows::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Proof(arguments) => proof::run(&[], &arguments),
        Task::Storm(arguments) => proof::run(&["storm"], &arguments),
        #[cfg(unix)]
        Task::Windows(arguments) => windows::run(&arguments),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "a task's complaint goes to the terminal")]
            {
                eprintln!("error: {error}");
            }
            ExitCode::FAILURE
        }
    }
}
