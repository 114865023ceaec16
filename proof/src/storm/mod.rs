//! A kill storm: many processes at once on one store, of which some are killed at any instant, some
//! stopped for a while, and some work under clocks that are set again and again. Then everything
//! that was acknowledged is looked for, every number and uid counted, plans are looked at for a part
//! that is missing, and writes for those made to what another had claimed.

mod board;
mod claims;
mod clock;
mod clocked;
mod commands;
mod fault;
mod harm;
mod ledger;
mod program;
mod trouble;
mod verify;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::effort::Effort;
use crate::ground::Ground;
use crate::outcome::Outcome;
use board::Board;
pub(crate) use clocked::work;
use fault::Fault;
use harm::Harm;
use ledger::{Entry, Ledger};
use program::Complaints;
use trouble::Tally;
use verify::{Finding, Wrong};

/// How a process of this program is told to be one that works under a stepped clock.
pub(crate) const WORKER: &str = "storm-worker";

/// How many commands one storm has at most; then another blows over a fresh store, since whatever
/// looks at all items takes the longer the more there are.
const LONGEST: u64 = 10_000;

/// What a storm can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Options of storm")]
#[group(skip)]
pub(crate) struct Options {
    /// How many commands are given [default: 50000, or 10000 with --bounded]
    #[arg(long, value_name = "N")]
    commands: Option<u64>,
    /// How many give commands at once; a third as many processes work beside them under clocks
    /// that are set again and again
    #[arg(long, value_name = "N", default_value_t = 9)]
    workers: u64,
    /// Where the store is made [default: in memory]
    #[arg(long, value_name = "DIR")]
    place: Option<PathBuf>,
}

pub(crate) fn run(effort: &Effort) -> Outcome {
    let mut outcome = Outcome::new("commands");
    if let Err(error) = run_all(effort, &mut outcome) {
        outcome.violations.push(format!("the storm broke off: {error}"));
    }
    outcome
}

fn run_all(effort: &Effort, outcome: &mut Outcome) -> io::Result<()> {
    let options = &effort.storm;
    let mut left = options.commands.unwrap_or_else(|| effort.of(LONGEST, 5 * LONGEST));
    let mut storm = Storm {
        commands: LONGEST,
        workers: options.workers.max(1),
        hot: 8,
        fault: None,
        seed: effort.seed,
        jerry: program::program(&effort.jerry)?,
        place: options.place.clone(),
    };
    while left > 0 {
        storm.commands = left.min(LONGEST);
        left -= storm.commands;
        let before = outcome.violations.len();
        let Weather { ground, entries, complaints, tally, took } = storm.blow()?;
        outcome.cases += storm.commands;
        outcome.violations.extend(complaints);
        let findings = aftermath(&storm, &ground, &entries, outcome)?;
        outcome.violations.extend(findings.into_iter().map(|finding| finding.message));
        outcome.remarks.push(remark(&storm, &tally, &entries, took));
        if outcome.violations.len() > before {
            outcome.violations.push(format!("everything is kept in {}", ground.keep().display()));
        }
        storm.seed += 1;
    }
    mutate(&storm, outcome)
}

/// Harms what a storm left, and lets storms blow in which something is done wrong.
fn mutate(storm: &Storm, outcome: &mut Outcome) -> io::Result<()> {
    let mut shown = Vec::new();
    let mut note = |what: String, wrong: Wrong, found: &[Finding]| {
        outcome.mutations += 1;
        let times = found.iter().filter(|finding| finding.wrong == wrong).count();
        if times == 0 {
            outcome.unnoticed.push(what.clone());
        }
        shown.push(format!("{what} {times} times"));
    };
    let small = Storm { commands: 400, ..storm.clone() };
    let Weather { ground, entries, .. } = small.blow()?;
    for harm in Harm::ALL {
        note(format!("{harm:?}"), harm.shows_as(), &harm.show(&ground, &entries)?);
    }
    for fault in Fault::ALL {
        let faulty =
            Storm { commands: 150, workers: 6, hot: 2, fault: Some(fault), ..storm.clone() };
        let Weather { ground, entries, .. } = faulty.blow()?;
        let found = verify::verify(&entries, &verify::read(&data(&ground))?);
        note(format!("{fault:?}"), fault.shows_as(), &found);
    }
    outcome.remarks.push(format!("faults made on purpose show: {}", shown.join(", ")));
    Ok(())
}

/// How hard it blows.
#[derive(Debug, Clone)]
struct Storm {
    commands: u64,
    workers: u64,
    /// How many items get most of the writes.
    hot: usize,
    fault: Option<Fault>,
    seed: u64,
    jerry: PathBuf,
    place: Option<PathBuf>,
}

/// What everyone in the storm shares.
struct Field<'a> {
    board: &'a Board,
    tally: &'a Tally,
    store: &'a Path,
    folder: &'a Path,
    jerry: &'a Path,
    seed: u64,
    fault: Option<Fault>,
}

/// What came of it.
struct Weather {
    ground: Ground,
    entries: Vec<Entry>,
    complaints: Complaints,
    tally: Tally,
    took: Duration,
}

impl Storm {
    fn blow(&self) -> io::Result<Weather> {
        let ground = Ground::new(self.place.as_deref())?;
        let (board, tally) = (Board::new(self.commands, self.hot), Tally::default());
        let field = Field {
            board: &board,
            tally: &tally,
            store: &ground.store(),
            folder: ground.folder(),
            jerry: &self.jerry,
            seed: self.seed,
            fault: self.fault,
        };
        let since = Instant::now();
        let ended = thread::scope(|scope| {
            let field = &field;
            let givers = (0..self.workers).map(|number| (format!("w{number}"), false));
            let clocked = (0..self.workers.div_ceil(3)).map(|number| (format!("c{number}"), true));
            let threads: Vec<_> = givers
                .chain(clocked)
                .map(|(name, is_clocked)| scope.spawn(move || one(&name, is_clocked, field)))
                .collect();
            threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
        });
        let took = since.elapsed();
        let (mut entries, mut complaints) = (Vec::new(), Vec::new());
        for ended in ended {
            let (theirs, complained) =
                ended.map_err(|_| io::Error::other("a worker panicked"))??;
            entries.extend(theirs);
            complaints.extend(complained);
        }
        // Whoever comes next writes what is missing of a plan whose journal is there.
        program::once(&self.jerry, &ground, &["show", "1"])?;
        Ok(Weather { ground, entries, complaints, tally, took })
    }
}

fn one(name: &str, is_clocked: bool, field: &Field<'_>) -> io::Result<(Vec<Entry>, Complaints)> {
    let mut ledger = Ledger::new(&field.folder.join(format!("{name}.ledger")))?;
    let complaints = match is_clocked {
        true => clocked::supervise(name, field, &mut ledger)?,
        false => program::work(name, field, &mut ledger)?,
    };
    Ok((ledger.entries, complaints))
}

fn data(ground: &Ground) -> PathBuf {
    ground.store().join("data")
}

/// What is wrong when the storm is over: as it lies there, after the doctor has swept, and when
/// somebody goes on.
fn aftermath(
    storm: &Storm,
    ground: &Ground,
    entries: &[Entry],
    outcome: &mut Outcome,
) -> io::Result<Vec<Finding>> {
    let jerry = |arguments: &[&str]| program::once(&storm.jerry, ground, arguments);
    let mut findings = verify::verify(entries, &verify::read(&data(ground))?);
    let mut strange = |message: String| findings.push(Finding { wrong: Wrong::Strange, message });

    let before = jerry(&["doctor"])?;
    if let Some(finding) = verify::alarming(&before) {
        strange(format!("the doctor found {finding}"));
    }
    let litter = before["findings"].as_array().map_or(0, Vec::len);
    jerry(&["doctor", "--fix"])?;
    let after = jerry(&["doctor"])?;
    if after["findings"].as_array().is_none_or(|findings| !findings.is_empty()) {
        strange(format!("the doctor left {after}"));
    }
    outcome.remarks.push(format!("the doctor swept {litter} things that killed processes left"));

    let found = verify::read(&data(ground))?;
    let listed = jerry(&["list", "--all", "--limit", "0"])?;
    if listed["total"] != found.items.len() || listed["unreadable"] != serde_json::json!([]) {
        strange(format!("a list has {} items of {}", listed["total"], found.items.len()));
    }
    for id in found.items.keys().rev().take(8) {
        let note = jerry(&["--lock-timeout", "0ms", "show", &id.to_string()])?;
        if note["item"]["id"] != id.to_string() {
            strange(format!("nobody can go on with {id}: {note}"));
        }
    }
    let new = jerry(&["--lock-timeout", "1s", "create", "after the storm"])?;
    if new["kind"] != "item" {
        strange(format!("nothing can be created: {new}"));
    }
    findings.extend(verify::verify(entries, &found));
    Ok(findings)
}

fn remark(storm: &Storm, tally: &Tally, entries: &[Entry], took: Duration) -> String {
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let of =
        |is: fn(&ledger::Answer) -> bool| entries.iter().filter(|entry| is(&entry.answer)).count();
    format!(
        "{} commands and {} operations under stepped clocks by {} processes in {:.1} s: {} kills, \
         {} stops, {} clock steps; {} acknowledged, {} refused, {} without an answer",
        storm.commands,
        count(&tally.operations),
        count(&tally.processes),
        took.as_secs_f64(),
        count(&tally.kills),
        count(&tally.stops),
        count(&tally.steps),
        of(|answer| !matches!(answer, ledger::Answer::Refused(_) | ledger::Answer::Silence)),
        of(|answer| matches!(answer, ledger::Answer::Refused(_))),
        of(|answer| matches!(answer, ledger::Answer::Silence)),
    )
}
