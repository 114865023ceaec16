//! Histories: what many processes at once asked of one store, when, and what they were answered.
//! Each item's history must be linearizable: as if every operation had been carried out at one
//! moment between its call and its return, one after the other.
//!
//! A list looks at one item after the other, so what it promises it promises for each of them: one
//! that was there all the time is shown, in a version that was current at some moment of the
//! listing; one that was not there at any moment is not.
//!
//! Half of the processes dawdle at random steps, under the locks and outside of them.
//!
//! Two checkers that have nothing in common judge each history and must agree: one that follows the
//! versions in a single pass and says what is wrong, and one that searches.

mod desk;
mod event;
mod fault;
mod record;
mod search;
#[cfg(test)]
mod tests;
mod versions;
mod worker;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use jerry_domain::WorkId;

use crate::effort::Effort;
use crate::ground::Ground;
use crate::outcome::Outcome;
use event::Event;
use fault::Fault;
use record::{Record, Said};
use worker::Orders;
pub(crate) use worker::work;

/// How a process of this program is told to be one of those that make histories.
const WORKER: &str = "histories-worker";

/// How many processes ask the services, and how many the program.
const SERVICES: u64 = 8;
const PROGRAMS: u64 = 2;

/// One in so many operations is a process of the program.
const SHARE_OF_PROGRAMS: u64 = 25;

/// How many operations are recorded in one store at most; then another begins, since whoever lists
/// items looks at all tombstones.
const LONGEST: u64 = 100_000;

/// What the recording can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Options of histories")]
#[group(skip)]
pub(crate) struct Options {
    /// How many operations are recorded [default: 500000, or 100000 with --bounded]
    #[arg(long, value_name = "N")]
    operations: Option<u64>,
}

pub(crate) fn run(effort: &Effort) -> Outcome {
    let mut outcome = Outcome::new("operations");
    if let Err(error) = run_all(effort, &mut outcome) {
        outcome.violations.push(format!("the recording broke off: {error}"));
    }
    outcome
}

fn run_all(effort: &Effort, outcome: &mut Outcome) -> io::Result<()> {
    let mut left = effort.histories.operations.unwrap_or_else(|| effort.of(LONGEST, 5 * LONGEST));
    let mut seed = effort.seed;
    while left > 0 {
        let operations = left.min(LONGEST);
        left -= operations;
        session(&effort.jerry.canonicalize()?, seed, operations, outcome)?;
        seed += 1;
    }
    mutate(effort.seed, outcome)
}

/// Records and judges what everyone does in one store.
fn session(jerry: &Path, seed: u64, operations: u64, outcome: &mut Outcome) -> io::Result<()> {
    let ground = Ground::new(None)?;
    let by_program = operations / SHARE_OF_PROGRAMS / PROGRAMS;
    let by_services = (operations - by_program * PROGRAMS) / SERVICES;
    let services = (0..SERVICES).map(|number| Orders {
        operations: by_services,
        dawdles: number % 2 == 0,
        ..Orders::new(&ground, number, seed)
    });
    let programs = (SERVICES..SERVICES + PROGRAMS).map(|number| Orders {
        operations: by_program,
        jerry: Some(jerry.to_owned()),
        ..Orders::new(&ground, number, seed)
    });
    let everyone: Vec<_> = services.chain(programs).collect();

    let since = Instant::now();
    let records = record_all(&everyone)?;
    let recorded = since.elapsed();
    let histories = record::by_item(&records);
    let strange = records.iter().filter_map(|record| match &record.said {
        Said::Strange(what) => Some(what.clone()),
        _ => None,
    });
    let mut violations: Vec<_> = strange.chain(judge(&histories)).collect();
    if !violations.is_empty() {
        violations.push(format!("everything is kept in {}", ground.keep().display()));
    }
    outcome.violations.extend(violations);
    outcome.cases += records.len() as u64;
    outcome.remarks.push(format!(
        "{} operations by {} processes in {:.1} s, of which {} as commands; {} items, {} events in \
         their histories, up to {} operations at once",
        records.len(),
        SERVICES + PROGRAMS,
        recorded.as_secs_f64(),
        by_program * PROGRAMS,
        histories.len(),
        histories.values().map(Vec::len).sum::<usize>(),
        most_at_once(&records),
    ));
    Ok(())
}

/// Lets processes make histories that have a fault.
fn mutate(seed: u64, outcome: &mut Outcome) -> io::Result<()> {
    let mut shown = Vec::new();
    for fault in Fault::ALL {
        outcome.mutations += 1;
        let ground = Ground::new(None)?;
        let faulty = |number| Orders {
            operations: 500,
            dawdles: true,
            fault: Some(fault),
            ..Orders::new(&ground, number, seed)
        };
        let records = record_all(&(0..SERVICES).map(faulty).collect::<Vec<_>>())?;
        let histories = record::by_item(&records);
        let wrong = judge(&histories).len();
        if wrong == 0 {
            outcome.unnoticed.push(format!("{fault:?}"));
        }
        shown.push(format!("{fault:?} in {wrong} of {} histories", histories.len()));
    }
    outcome.remarks.push(format!("faults made on purpose show: {}", shown.join(", ")));
    Ok(())
}

/// Lets all work at once, and reads what they wrote down.
fn record_all(orders: &[Orders]) -> io::Result<Vec<Record>> {
    let start = |orders: &Orders| {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([WORKER, &serde_json::to_string(orders)?]).stdin(Stdio::piped());
        command.spawn().map(Process)
    };
    let mut processes = orders.iter().map(start).collect::<io::Result<Vec<_>>>()?;
    for Process(child) in &mut processes {
        drop(child.stdin.take());
    }
    for Process(child) in &mut processes {
        let status = child.wait()?;
        if !status.success() {
            return Err(io::Error::other(format!("a process ended with {status}")));
        }
    }
    let mut records = Vec::new();
    for path in orders.iter().map(Orders::history) {
        records.extend(record::read(&path)?);
    }
    Ok(records)
}

/// Does not outlive its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Every history that cannot be, with the reason.
fn judge(histories: &BTreeMap<WorkId, Vec<Event>>) -> Vec<String> {
    let verdict = |(id, events): (&WorkId, &Vec<Event>)| match (
        versions::contradiction(events),
        search::unexplained(events),
    ) {
        (None, None) => None,
        (Some(why), Some(_)) => Some(format!("{id}: {why}")),
        (why, event) => Some(format!("{id}: the checkers do not agree: {why:?}, {event:?}")),
    };
    histories.iter().filter_map(verdict).collect()
}

fn most_at_once(records: &[Record]) -> usize {
    let calls = records.iter().map(|record| (record.called, false));
    let returns = records.iter().map(|record| (record.returned, true));
    let mut moments: Vec<_> = calls.chain(returns).collect();
    moments.sort_unstable();
    let mut now = 0_usize;
    let at_once = moments.iter().map(|(_, is_return)| {
        now = if *is_return { now - 1 } else { now + 1 };
        now
    });
    at_once.max().unwrap_or(0)
}
