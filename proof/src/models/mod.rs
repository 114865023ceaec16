//! Every state of each protocol by which processes keep out of each other's way.
//!
//! A model makes the steps of the code, one system call each, for several processes in every order,
//! with processes killed between any two. It is written by hand from the code that it names: that
//! the code makes these steps and no others is for its reader to check. Each model also has forms
//! that are known to be wrong; a search that finds nothing wrong with one of them is worth nothing.
//! They are searched with fewer turns: each goes wrong soon.

mod checker;
mod claims;
mod directory_lock;
mod journal;
mod naming;
mod os_lock;
mod sequences;
mod worker_slots;

use std::fmt::Debug;
use std::thread;

use crate::effort::Effort;
use crate::outcome::Outcome;
use checker::{Model, search};
use claims::Claims;
use directory_lock::DirectoryLock;
use journal::Journal;
use naming::Naming;
use os_lock::OsLock;
use sequences::Sequences;
use worker_slots::WorkerSlots;

pub(crate) fn run(effort: &Effort) -> Outcome {
    let parts: [fn(&Effort) -> Outcome; 7] =
        [directory_lock, os_lock, worker_slots, sequences, naming, claims, journal];
    let mut outcome = Outcome::new("states of models");
    thread::scope(|scope| {
        let runs = parts.map(|part| scope.spawn(move || part(effort)));
        for run in runs {
            match run.join() {
                Ok(part) => outcome.add(part),
                Err(_) => outcome.violations.push("a model panicked".to_owned()),
            }
        }
    });
    outcome
}

fn os_lock(effort: &Effort) -> Outcome {
    let crashes = effort.of(2, 4) as u8;
    check("os lock", &os_lock::Wrong::ALL, |wrong| {
        let turns = if wrong.is_some() { 1 } else { 2 };
        OsLock { turns, crashes, wrong }
    })
}

fn directory_lock(effort: &Effort) -> Outcome {
    let crashes = effort.of(2, 4) as u8;
    check("directory lock", &directory_lock::Wrong::ALL, |wrong| {
        let turns = if wrong.is_some() { 1 } else { 2 };
        DirectoryLock { turns, crashes, wrong }
    })
}

fn naming(effort: &Effort) -> Outcome {
    let more = effort.of(1, 2) as u8;
    let mishaps = naming::Mishaps { kills: 2, power_cuts: more, failures: more };
    check("naming", &naming::Wrong::ALL, |wrong| Naming { turns: 1, mishaps, wrong })
}

fn claims(effort: &Effort) -> Outcome {
    let kills = effort.of(1, 2) as u8;
    check("claims", &claims::Wrong::ALL, |wrong| Claims { turns: 2, kills, wrong })
}

fn journal(effort: &Effort) -> Outcome {
    let more = effort.of(2, 3) as u8;
    check("journal", &journal::Wrong::ALL, |wrong| Journal {
        notes: 2,
        kills: more,
        power_cuts: 2,
        wrong,
    })
}

fn sequences(effort: &Effort) -> Outcome {
    let losses = effort.of(1, 2) as u8;
    let mishaps = sequences::Mishaps { kills: 2, power_cuts: 2, losses };
    check("sequences", &sequences::Wrong::ALL, |wrong| Sequences { turns: 1, mishaps, wrong })
}

fn worker_slots(effort: &Effort) -> Outcome {
    let mishaps = worker_slots::Mishaps { kills: 2, power_cuts: 1, deletions: 1 };
    let one = |wrong| WorkerSlots { slots: 1, uids: 2, lives: 1, mishaps, wrong };
    let mut outcome = check("worker slots", &worker_slots::Wrong::ALL, one);
    if effort.of(0, 1) > 0 {
        let two = |wrong| WorkerSlots { slots: 2, uids: 1, lives: 1, mishaps, wrong };
        outcome.add(check("two worker slots", &[], two));
    }
    outcome
}

/// Searches a model as the code is, which must hold, and in each of its wrong forms, which must not.
fn check<W: Debug + Copy, M: Model>(
    name: &str,
    wrongs: &[W],
    model: impl Fn(Option<W>) -> M,
) -> Outcome {
    let found = search(&model(None));
    let mut outcome = Outcome { cases: found.states as u64, ..Outcome::default() };
    outcome.remarks.push(format!("{name}: {} states", found.states));
    outcome.violations.extend(found.fault.map(|fault| format!("{name}: {fault}")));
    for wrong in wrongs {
        outcome.mutations += 1;
        if search(&model(Some(*wrong))).fault.is_none() {
            outcome.unnoticed.push(format!("{name}: {wrong:?}"));
        }
    }
    outcome
}
