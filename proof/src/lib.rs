//! Shows that what jerry promises holds: runs the parts of the proof and prints one table.
//!
//! Each part is a module of its own that answers an `Outcome`. A part that looks for faults also
//! makes some, in turn: a mutation that it does not catch is as bad as a violation.
//!
//! There is nothing here but on Unix, whose signals and file systems the parts make use of.

#![cfg(unix)]

mod adapters;
mod command;
mod crash;
mod dawdle;
mod dice;
mod effort;
#[cfg(target_os = "linux")]
mod faults;
mod file_systems;
mod fuzz;
mod ground;
mod histories;
mod models;
mod outcome;
mod schedules;
mod storm;
mod table;
mod windows;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand, ValueEnum};

use effort::{Effort, Measure};
use outcome::Outcome;

#[derive(Parser)]
#[command(name = "cargo xtask proof", about, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    worker: Option<Worker>,
    /// The parts to run; all without any
    parts: Vec<Name>,
    /// Runs as much as fits into some minutes
    #[arg(long)]
    bounded: bool,
    /// What random choices begin with; a run with the same seed makes the same ones
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The program that users run
    #[arg(long, default_value = "target/proof/jerry")]
    jerry: PathBuf,
    /// How many calls of real processes fail, in `faults` [default: 10000, or 600 with --bounded]
    #[arg(long, value_name = "N")]
    injections: Option<u64>,
    #[command(flatten)]
    storm: storm::Options,
    #[command(flatten)]
    histories: histories::Options,
}

/// A process of a part that needs many; nobody else starts one.
#[derive(Subcommand)]
enum Worker {
    #[command(hide = true)]
    StormWorker { orders: String },
    #[command(hide = true)]
    HistoriesWorker { orders: String },
}

impl Worker {
    fn work(&self) -> ExitCode {
        let done = match self {
            Self::StormWorker { orders } => storm::work(orders),
            Self::HistoriesWorker { orders } => histories::work(orders),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                #[expect(clippy::print_stderr, reason = "whoever started it passes it on")]
                {
                    eprintln!("{error}");
                }
                ExitCode::FAILURE
            }
        }
    }
}

/// A part of the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// What a power cut may leave, in every state that the file system allows
    Crash,
    /// Every command, with every call of the file system made to fail
    #[cfg(target_os = "linux")]
    Faults,
    /// Processes that are killed and stopped, and clocks that jump
    Storm,
    /// What many processes at once were answered, judged as one order of events
    Histories,
    /// Other file systems, full disks, and those whose locks may lie
    FileSystems,
    /// The tests as Windows programs, under Wine
    Windows,
    /// Every state of the protocols, and of wrong ones like them
    Models,
    /// The orders in which the threads of a process may run
    Schedules,
    /// Whatever stands in a file, for everything that jerry reads
    Fuzz,
}

impl Name {
    fn run(self, effort: &Effort) -> Outcome {
        match self {
            Self::Crash => crash::run(effort),
            #[cfg(target_os = "linux")]
            Self::Faults => faults::run(effort),
            Self::Storm => storm::run(effort),
            Self::Histories => histories::run(effort),
            Self::FileSystems => file_systems::run(effort),
            Self::Windows => windows::run(effort),
            Self::Models => models::run(effort),
            Self::Schedules => schedules::run(effort),
            Self::Fuzz => fuzz::run(effort),
        }
    }
}

/// The program: reads the command line, runs the parts, and prints the table.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(worker) = arguments.worker {
        return worker.work();
    }
    let measure = if arguments.bounded { Measure::Bounded } else { Measure::Full };
    let Arguments { seed, jerry, injections, storm, histories, .. } = arguments;
    let effort = Effort { measure, seed, jerry, injections, storm, histories };
    let parts =
        if arguments.parts.is_empty() { Name::value_variants().to_vec() } else { arguments.parts };
    if parts.contains(&Name::FileSystems) {
        file_systems::namespace::enter();
    }
    let run = |part: Name| {
        let start = Instant::now();
        let outcome = part.run(&effort);
        (part, outcome, start.elapsed())
    };
    let rows: Vec<_> = parts.into_iter().map(run).collect();
    table::print(&rows)
}
