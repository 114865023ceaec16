//! The orders in which threads of one process may run, where they wait for each other: how a busy
//! lock is waited for (`lock/wait.rs`), and what a process releases when it ends
//! (`lock/registry.rs`). A worker slot's lease needs none: threads take it in turn, under one mutex.
//!
//! The scheduler stands in place of the standard library's threads, which takes a build of its own
//! of `jerry-infra-fs`, and private parts of it. So the scenarios are tests of that package, which
//! cargo builds and runs here.

use std::path::Path;
use std::process::Command;

use crate::effort::Effort;
use crate::outcome::Outcome;

/// How many scenarios there are.
const SCENARIOS: usize = 2;

pub(crate) fn run(effort: &Effort) -> Outcome {
    let mut outcome = Outcome::new("schedules");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let ran = Command::new(cargo)
        .current_dir(workspace)
        .args(["test", "--quiet", "--locked", "--profile", "proof", "--package", "jerry-infra-fs"])
        .args(["--features", "schedules", "--lib", "schedules", "--", "--nocapture"])
        .env("JERRY_SCHEDULES", effort.of(100_000, 500_000).to_string())
        .env("RUST_BACKTRACE", "0")
        .env("JERRY_SEED", effort.seed.to_string())
        .output();
    match ran {
        Err(error) => outcome.skipped.push(format!("cargo cannot be run: {error}")),
        Ok(ran) => {
            let said = String::from_utf8_lossy(&ran.stdout);
            let told = said.lines().filter_map(Told::parse).collect::<Vec<_>>();
            if told.len() != SCENARIOS || !(ran.status.success() || told.iter().any(Told::missed)) {
                let complaint = String::from_utf8_lossy(&ran.stderr);
                outcome.violations.push(format!("{}: {said}{complaint}", ran.status));
            }
            told.into_iter().for_each(|told| told.add_to(&mut outcome));
        }
    }
    outcome
}

/// What a scenario says of itself: `schedules of NAME: HELD held, MADE wrong forms, missed [WHAT]`.
struct Told<'a> {
    name: &'a str,
    held: u64,
    made: u64,
    missed: &'a str,
}

impl<'a> Told<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (_, told) = line.split_once("schedules of ")?;
        let (name, told) = told.split_once(": ")?;
        let (held, told) = told.split_once(" held, ")?;
        let (made, told) = told.split_once(" wrong forms, missed [")?;
        let missed = told.strip_suffix(']')?;
        Some(Self { name, held: held.parse().ok()?, made: made.parse().ok()?, missed })
    }

    fn missed(&self) -> bool {
        !self.missed.is_empty()
    }

    fn add_to(&self, outcome: &mut Outcome) {
        outcome.cases += self.held;
        outcome.mutations += self.made;
        outcome.remarks.push(format!("{}: {} schedules", self.name, self.held));
        let missed = self.missed.split("; ").filter(|what| !what.is_empty());
        outcome.unnoticed.extend(missed.map(|what| format!("{}: {what}", self.name)));
    }
}
