//! Whatever stands in a file: the targets of the fuzzer, without one. Each is given its corpus,
//! mutations of it that a seed repeats, and texts of a great size.

mod corpus;
mod large;
mod memory;
mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use jerry_proof_targets::{FAULTS, Fault, Seen, TARGETS, Target};

use crate::dice::Dice;
use crate::effort::Effort;
use crate::outcome::Outcome;
use corpus::Corpus;
use large::Large;

/// How long any batch of small texts, or one great text, may take. Whoever needs it does not end.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many mutations are given before it is asked again whether time is up.
const BATCH: u64 = 500;

pub(crate) fn run(effort: &Effort) -> Outcome {
    let mut outcome = Outcome::new("texts");
    let corpora = match Corpus::of_all(&folder()) {
        Ok(corpora) => corpora,
        Err(error) => {
            outcome.violations.push(format!("the corpus cannot be read: {error}"));
            return outcome;
        }
    };
    // What panics is reported as what it is.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for (target, corpus) in TARGETS.iter().zip(&corpora) {
        small(target, corpus, effort, &mut outcome);
        great(target, corpus, effort, &mut outcome);
    }
    for fault in &FAULTS {
        outcome.mutations += 1;
        let corpus = corpora.iter().find(|corpus| corpus.target.name == fault.target);
        let noticed = corpus.is_some_and(|corpus| notices(fault, corpus, effort));
        if !noticed {
            outcome.unnoticed.push(fault.name.to_owned());
        }
    }
    std::panic::set_hook(hook);
    outcome
}

/// The fuzzer keeps it beside its targets.
fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus")
}

/// The corpus and mutations of it, a batch at a time.
fn small(target: &'static Target, corpus: &Corpus, effort: &Effort, outcome: &mut Outcome) {
    let mutations = effort.of(5_000, 50_000);
    let (mut read, mut given) = (0, 0);
    for batch in 0..=mutations / BATCH {
        let texts = if batch == 0 {
            corpus.texts.clone()
        } else {
            let mut dice = Dice::new(effort.seed, batch);
            (0..BATCH).map(|_| mutate::one_of(corpus, &mut dice)).collect()
        };
        given += texts.len() as u64;
        let checked = within(PATIENCE, move || {
            let checks = texts.iter().map(|text| (target.check_calmly(text, None), text));
            let (mut read, mut broken) = (0, None);
            for (check, text) in checks {
                match check {
                    Ok(was_read) => read += u64::from(was_read),
                    Err(what) => broken = broken.or(Some((what, text.clone()))),
                }
            }
            (read, broken)
        });
        let seed = effort.seed;
        match checked {
            Some((own, None)) => read += own,
            Some((_, Some((what, text)))) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                let place = format!("{} of batch {batch}, seed {seed}", target.name);
                outcome.violations.push(format!("{place}: {what}\nfor {text:?}"));
                break;
            }
            None => {
                let what = format!("{}: batch {batch} of seed {seed} does not end", target.name);
                outcome.violations.push(what);
                break;
            }
        }
    }
    outcome.cases += given;
    outcome.remarks.push(format!("{}: {given} texts, {read} of them could be read", target.name));
    if read < corpus.texts.len() as u64 / 2 {
        outcome.violations.push(format!("{}: hardly a text can be read", target.name));
    }
}

/// Texts of a great size, one at a time: neither time nor memory may grow faster than they do.
fn great(target: &'static Target, corpus: &Corpus, effort: &Effort, outcome: &mut Outcome) {
    let mut dice = Dice::new(effort.seed, 0);
    let size = effort.of(1 << 20, 4 << 20) as usize;
    for _ in 0..effort.of(8, 60) {
        let Large { name, text } = large::one_of(corpus, size, &mut dice);
        outcome.cases += 1;
        match weigh(text, PATIENCE, |text| target.rewritten(text)) {
            Weight::Fits => {}
            Weight::TooMuch(what) => {
                outcome.violations.push(format!("{}: {name}: {what}", target.name));
            }
            Weight::Unknown => {
                let what =
                    format!("the memory of {}, which this system does not tell", target.name);
                return outcome.skipped.push(what);
            }
        }
    }
}

/// What a text of a great size took.
enum Weight {
    Fits,
    TooMuch(String),
    Unknown,
}

fn weigh<R>(text: Vec<u8>, patience: Duration, rewrite: R) -> Weight
where
    R: Fn(&[u8]) -> Option<Vec<u8>> + Send + 'static,
{
    let length = text.len();
    let peak = move || catch_unwind(AssertUnwindSafe(|| memory::peak_of(|| rewrite(&text))));
    match within(patience, peak) {
        None => Weight::TooMuch(format!("{length} bytes take more than {patience:?}")),
        Some(Err(_)) => Weight::TooMuch(format!("{length} bytes make it panic")),
        Some(Ok(None)) => Weight::Unknown,
        Some(Ok(Some(peak))) if peak <= memory::allowed(length) => Weight::Fits,
        Some(Ok(Some(peak))) => {
            Weight::TooMuch(format!("{length} bytes take {peak} bytes of memory"))
        }
    }
}

/// Whether a fault is found out by what finds none in jerry.
fn notices(fault: &'static Fault, corpus: &Corpus, effort: &Effort) -> bool {
    const TRIES: u64 = 8;
    let target = corpus.target;
    let faulty = move |text: &[u8]| (fault.rewrite)(&|text| target.rewritten(text), text);
    let wrong = |text: &[u8]| target.check_calmly(text, Some(&faulty)).is_err();
    let mut dice = Dice::new(effort.seed, 1);
    match fault.seen {
        Seen::ByTheirContents => {
            corpus.texts.iter().any(|text| wrong(text))
                || (0..effort.of(5_000, 500_000)).any(|_| wrong(&mutate::one_of(corpus, &mut dice)))
        }
        Seen::BySize(patience) => (0..TRIES).any(|_| {
            let Large { text, .. } = large::one_of(corpus, 1 << 18, &mut dice);
            matches!(weigh(text, patience, faulty), Weight::TooMuch(_))
        }),
    }
}

/// What `job` answers; `None` when it does not within `limit`. A thread cannot be ended: one that
/// does not end is left to itself.
fn within<T: Send + 'static>(
    limit: Duration,
    job: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (answer, answers) = mpsc::channel();
    thread::spawn(move || answer.send(job()));
    answers.recv_timeout(limit).ok()
}
