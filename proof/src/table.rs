//! The table at the end.

#![expect(clippy::print_stdout, reason = "this is what the program is for")]

use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;

use crate::outcome::Outcome;

/// Prints a row for each part, then everything that has to be said in words.
pub(crate) fn print<P: ValueEnum>(rows: &[(P, Outcome, Duration)]) -> ExitCode {
    println!(
        "{:<14} {:>12}  {:<28} {:>10} {:>16} {:>8}",
        "part", "cases", "of", "violations", "mutations caught", "seconds"
    );
    for (part, outcome, took) in rows {
        let caught = outcome.mutations - outcome.unnoticed.len() as u64;
        println!(
            "{:<14} {:>12}  {:<28} {:>10} {:>16} {:>8.1}",
            name(part),
            outcome.cases,
            outcome.unit,
            outcome.violations.len(),
            format!("{caught}/{}", outcome.mutations),
            took.as_secs_f64(),
        );
    }
    for (part, outcome, _) in rows {
        let part = name(part);
        outcome.remarks.iter().for_each(|remark| println!("{part}: {remark}"));
        outcome.skipped.iter().for_each(|what| println!("{part}: SKIPPED {what}"));
        outcome.violations.iter().for_each(|what| println!("{part}: VIOLATED {what}"));
        outcome.unnoticed.iter().for_each(|what| println!("{part}: NOT CAUGHT {what}"));
        if outcome.cases == 0 && outcome.skipped.is_empty() {
            println!("{part}: VIOLATED nothing was looked at");
        }
    }
    if rows.iter().all(|(_, outcome, _)| outcome.holds()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn name<P: ValueEnum>(part: &P) -> String {
    part.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
