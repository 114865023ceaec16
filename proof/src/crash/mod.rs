//! Every state that a power cut may leave.
//!
//! The steps of real commands are recorded. A strict model of a disk then tells in which states a
//! power cut at any moment may leave the files; in each of them the same code must find everything
//! that was acknowledged, and go on. Each scenario is also run with its first command killed after
//! so many steps, for every number of steps: the next commands go on in what it left, before the
//! power is cut.
//!
//! What is shown is that jerry asks for enough, in the right order. That a disk does what it is
//! asked for is not shown.

mod check;
mod disk;
mod mutation;
mod recorder;
mod scenario;
mod states;
mod trace;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use check::Bench;
use mutation::Mutation;
use scenario::Scenario;
use trace::Trace;

use crate::dice::Dice;
use crate::effort::Effort;
use crate::outcome::Outcome;

/// How many ways to lose what is not durable are tried at each moment.
const WAYS: (u64, u64) = (45, 256);

/// The same after a kill: there are as many traces as steps.
const WAYS_AFTER_A_KILL: (u64, u64) = (5, 24);

/// As many as it takes to notice each mutation.
const WAYS_OF_A_MUTATION: (u64, u64) = (48, 128);

/// In how many of the runs that a mutation shows in it is looked for, those without a kill first.
const RUNS_OF_A_MUTATION: usize = 12;

/// What was recorded of one run of a scenario.
struct Run {
    scenario: Scenario,
    /// After how many steps its first command was killed.
    killed: Option<usize>,
    trace: Trace,
}

pub(crate) fn run(effort: &Effort) -> Outcome {
    let mut outcome = Outcome::new("crash states");
    let scenarios = scenario::all();
    let recorded = shared(&series(&scenarios), record);
    let mut runs = Vec::new();
    for (part, recorded) in recorded {
        outcome.add(part);
        runs.extend(recorded.into_iter().flatten());
    }
    for (part, _) in shared(&runs, |run, bench, found| look_at_run(run, effort, bench, found)) {
        outcome.add(part);
    }
    let mutations: Vec<_> = by_name(&runs).into_iter().collect();
    for (part, _) in shared(&mutations, |(name, mutations), bench, found| {
        found.mutations += 1;
        let is_noticed = |(run, mutation): &(&Run, Mutation)| {
            let trace = mutation.of(&run.trace);
            each_state(run, &trace, WAYS_OF_A_MUTATION, effort, bench, &mut 0).is_err()
        };
        if !mutations.iter().take(RUNS_OF_A_MUTATION).any(is_noticed) {
            found.unnoticed.push(name.clone());
        }
    }) {
        outcome.add(part);
    }
    let killed = runs.iter().filter(|run| run.killed.is_some()).count();
    outcome.remarks.push(format!(
        "{} commands in {} scenarios, {killed} of them run with a kill before",
        scenarios.iter().map(Scenario::count).sum::<usize>(),
        scenarios.len(),
    ));
    outcome
}

/// Does the work on all of `jobs`, on every core, each in a folder of its own.
fn shared<J: Sync, R: Send>(
    jobs: &[J],
    work: impl Fn(&J, &Bench, &mut Outcome) -> R + Sync,
) -> Vec<(Outcome, Vec<R>)> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let (mut found, mut results) = (Outcome::default(), Vec::new());
                match Bench::new() {
                    Ok(bench) => {
                        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                            results.push(work(job, &bench, &mut found));
                        }
                    }
                    Err(error) => found.violations.push(format!("no folder to work in: {error}")),
                }
                all.lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .push((found, results));
            });
        }
    });
    all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// In how many series the kills of one scenario are recorded, so that a long one keeps every core
/// at work.
const SERIES: usize = 4;

/// Each scenario without a kill; and the first kill of each series.
fn series(scenarios: &[Scenario]) -> Vec<(&Scenario, Option<usize>)> {
    let kills = |scenario: &Scenario| if scenario.can_be_killed() { 0..SERIES } else { 0..0 };
    let all = scenarios.iter().flat_map(|scenario| {
        let killed = kills(scenario).map(move |steps| (scenario, Some(steps)));
        std::iter::once((scenario, None)).chain(killed)
    });
    all.collect()
}

/// The run of a scenario without a kill, or the series of those with one that begins so.
fn record(
    &(scenario, first): &(&Scenario, Option<usize>),
    bench: &Bench,
    found: &mut Outcome,
) -> Vec<Run> {
    let mut runs = Vec::new();
    let next = |killed: &Option<usize>| killed.map(|steps| Some(steps + SERIES));
    for killed in std::iter::successors(Some(first), next) {
        match scenario::record(scenario, bench, killed) {
            Ok(Some(trace)) => runs.push(Run { scenario: scenario.clone(), killed, trace }),
            Ok(None) => break,
            Err(error) => {
                found.violations.push(format!("{} (killed: {killed:?}): {error}", scenario.name));
                break;
            }
        }
    }
    runs
}

fn look_at_run(run: &Run, effort: &Effort, bench: &Bench, found: &mut Outcome) {
    let ways = if run.killed.is_some() { WAYS_AFTER_A_KILL } else { WAYS };
    if let Err(violation) = each_state(run, &run.trace, ways, effort, bench, &mut found.cases) {
        found.violations.push(violation);
    }
}

/// Looks at every state; the first that is not as it must be is told, with the moment.
fn each_state(
    run: &Run,
    trace: &Trace,
    ways: (u64, u64),
    effort: &Effort,
    bench: &Bench,
    cases: &mut u64,
) -> Result<(), String> {
    let ways = effort.of(ways.0, ways.1) as usize;
    let mut dice = Dice::new(effort.seed, run.killed.map_or(0, |steps| steps as u64 + 1));
    states::each(trace, run.scenario.promise, ways, &mut dice, |state| {
        *cases += 1;
        check::check(bench, state).map_err(|broken| {
            let before = state.moment.checked_sub(1).and_then(|last| trace.events.get(last));
            format!(
                "{} (killed: {:?}) after event {}, {before:?}: {broken}",
                run.scenario.name, run.killed, state.moment
            )
        })
    })
}

/// Every mutation of every run, those without a kill first.
fn by_name(runs: &[Run]) -> BTreeMap<String, Vec<(&Run, Mutation)>> {
    let mut mutations = BTreeMap::<_, Vec<_>>::new();
    let (plain, killed): (Vec<_>, Vec<_>) = runs.iter().partition(|run| run.killed.is_none());
    for run in plain.into_iter().chain(killed) {
        for mutation in mutation::all(&run.trace) {
            mutations.entry(mutation.name.clone()).or_default().push((run, mutation));
        }
    }
    mutations
}
