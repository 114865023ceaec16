//! Every command, with every call of the file system made to fail.
//!
//! In this process, through the seam, each step of each command fails in each way; over real
//! processes the system's own answers are forged. The rules are the same and stand in `judge`: what
//! exits with 0 is done, what exits with 9 is visible, whatever else fails has changed nothing, no
//! file is ever half there, nothing lies about, and afterwards everything works.

#![expect(clippy::disallowed_methods, reason = "it arranges files as it likes")]

mod enumeration;
mod fault;
mod ground;
mod judge;
mod mutations;
mod processes;
mod program;
mod scenario;
mod state;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use enumeration::{Stage, Tally};
use ground::Backend;
use processes::Wanted;

use crate::effort::Effort;
use crate::outcome::Outcome;

pub(crate) fn run(effort: &Effort) -> Outcome {
    let mut outcome = Outcome::new("faults");
    let hindrance = processes::hindrance(&effort.jerry);
    let scenarios = [Backend::Os, Backend::Directory]
        .into_iter()
        .flat_map(|backend| scenario::all(backend).into_iter().map(move |it| (it, backend)));
    let scenarios: Vec<_> = scenarios.collect();
    let injections = effort.injections.unwrap_or_else(|| effort.of(600, 10_000));
    let of_each = injections.div_ceil(scenarios.len() as u64) as usize;
    let wanted = Wanted { of_each, seed: effort.seed };
    let tallies = share(scenarios, |(scenario, backend)| {
        let stage = match Stage::new(scenario, backend) {
            Ok(stage) => stage,
            Err(trouble) => return (Tally::of_trouble(trouble), Tally::default()),
        };
        let inside = stage.enumerate(effort.measure, effort.seed);
        let outside = match &hindrance {
            None => processes::inject(&stage, &effort.jerry, &wanted),
            Some(_) => Tally::default(),
        };
        (inside, outside)
    });
    let (mut inside, mut outside) = (Tally::default(), Tally::default());
    for (more_inside, more_outside) in tallies {
        inside.merge(more_inside);
        outside.merge(more_outside);
    }
    outcome.cases = inside.cases + outside.cases;
    outcome
        .remarks
        .push(format!("{} at the seam, {} over real processes", inside.cases, outside.cases));
    outcome.violations.extend(inside.lines().into_iter().chain(outside.lines()));
    outcome.skipped.extend(hindrance.map(|why| format!("faults over real processes: {why}")));
    mutations::run(&mut outcome);
    outcome
}

/// Does `work` on every core.
fn share<T: Send + Sync + Clone, R: Send>(things: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, |it| it.get()) {
            scope.spawn(|| {
                while let Some(thing) = things.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = work(thing.clone());
                    done.lock().unwrap_or_else(|it| it.into_inner()).push(result);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(|it| it.into_inner())
}
