//! Every step of every command, made to fail in every way.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use jerry_cli::exit::Failure;
use jerry_infra_fs::seam::watch;
use serde_json::Value;
use tempfile::TempDir;

use super::fault::{EIO, ENOSPC, ERRNOS, Failed, Fault, Injector, Log, Plan, Spread, Swallowed};
use super::ground::{Backend, Made, amend_owners, copy, done, prepare, scratch};
use super::judge::{Case, Seen};
use super::program::call;
use super::scenario::Scenario;
use super::state::State;
use crate::effort::Measure;

/// A command, what it begins with and what it should make of it.
pub(super) struct Stage {
    pub(super) scenario: Scenario,
    pub(super) backend: Backend,
    scratch: TempDir,
    pub(super) old: State,
    pub(super) new: State,
}

/// What a stage came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) cases: u64,
    /// Each kind of violation once, with its first case and how often it was seen.
    pub(super) violations: BTreeMap<String, (String, u64)>,
}

/// What stands between the command and whoever judges it: a mutation of its answer.
pub(super) type Answered = fn(Result<Value, Failure>) -> Result<Value, Failure>;

impl Stage {
    pub(super) fn new(scenario: Scenario, backend: Backend) -> Made<Self> {
        let scratch = scratch()?;
        let ground = scratch.path().join("ground");
        prepare(&ground, scenario.ground, backend)?;
        if let Some(input) = &scenario.input {
            done("input", fs::write(ground.join("input"), input))?;
        }
        let old = State::read(&ground, scenario.also)?;
        let mut stage = Self { scenario, backend, scratch, old, new: State::default() };
        let folder = stage.set_up()?;
        let ran = call(&folder.join(".jerry"), &stage.scenario.arguments(&folder));
        ran.map_err(|failure| format!("{} fails without a fault: {failure}", stage.name()))?;
        stage.new = stage.state()?;
        Ok(stage)
    }

    pub(super) fn name(&self) -> String {
        format!("{} ({} locks)", self.scenario.name, self.backend.name())
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.scratch.path().join("case")
    }

    pub(super) fn state(&self) -> Made<State> {
        State::read(&self.folder(), self.scenario.also)
    }

    /// The folder as it is before the command. Every case has the same path.
    pub(super) fn set_up(&self) -> Made<PathBuf> {
        let folder = self.folder();
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("{}: {error}", folder.display()));
            }
            _ => {}
        }
        copy(&self.scratch.path().join("ground"), &folder)?;
        Ok(folder)
    }

    /// Lets every step fail, one case each, in the ways that the measure has time for.
    pub(super) fn enumerate(&self, measure: Measure, seed: u64) -> Tally {
        let mut tally = Tally::default();
        for at in 1.. {
            let mut is_over = true;
            for (fault, spread, links) in faults(measure, seed.wrapping_add(at)) {
                let plan = Plan { at, fault, spread, links, swallowed: None };
                match self.run(plan, |result| result) {
                    Ok(run) => {
                        is_over &= run.is_over;
                        tally.add(self, plan, &run);
                    }
                    Err(trouble) => tally.violated(self.name(), &trouble, trouble.clone()),
                }
            }
            if is_over || at > MOST_STEPS {
                break;
            }
        }
        tally
    }

    /// Runs one case.
    pub(super) fn run(&self, plan: Plan, answered: Answered) -> Made<Run> {
        let folder = self.set_up()?;
        let root = folder.join(".jerry");
        let (injector, log) = Injector::new(plan);
        watch(Some(Box::new(injector)));
        let arguments = self.scenario.arguments(&folder);
        let result = catch_unwind(AssertUnwindSafe(|| call(&root, &arguments)));
        watch(None);
        let log = log.take();
        let Ok(result) = result else {
            return Ok(Run { is_over: false, log, violations: vec!["it panicked".to_owned()] });
        };
        if log.failed.is_empty() {
            let is_over = !log.unfit;
            let wrong = result.err().map(|failure| format!("without a fault: {failure}"));
            return Ok(Run { is_over, log, violations: wrong.into_iter().collect() });
        }
        let result = answered(result);
        let now = self.state()?.of_store();
        let case = self.case(&folder, &log.failed, plan.spread, &result, &now, Seen::Inside);
        let mut violations = case.violations();
        if plan.swallowed != Some(Swallowed::Release) {
            end_process(&root)?;
        }
        violations.extend(aftermath(&case, &root)?);
        Ok(Run { is_over: false, log, violations })
    }

    pub(super) fn case<'a>(
        &'a self,
        folder: &'a Path,
        failed: &'a [Failed],
        spread: Spread,
        result: &'a Result<Value, Failure>,
        now: &'a State,
        seen: Seen,
    ) -> Case<'a> {
        let Self { scenario, old, new, .. } = self;
        Case { scenario, folder, failed, spread, result, old, new, now, seen }
    }
}

/// No command has more steps; one that has does not come to an end.
const MOST_STEPS: u64 = 5_000;

/// One case.
pub(super) struct Run {
    /// The command made fewer steps than the one that should have failed.
    pub(super) is_over: bool,
    log: Log,
    pub(super) violations: Vec<String>,
}

impl Run {
    pub(super) fn is_case(&self) -> bool {
        !self.log.failed.is_empty()
    }
}

impl Tally {
    fn add(&mut self, stage: &Stage, plan: Plan, run: &Run) {
        self.cases += u64::from(run.is_case());
        let step = run.log.failed.first().map_or("no step", |failed| failed.step);
        for what in &run.violations {
            let kind = what.split(':').next().unwrap_or_default();
            let kind = format!("{}: {step}: {kind}", stage.name());
            self.violated(kind, what, describe(stage, plan, &run.log.failed));
        }
    }

    pub(super) fn violated(&mut self, kind: String, what: &str, example: String) {
        let seen =
            self.violations.entry(kind).or_insert_with(|| (format!("{what} [{example}]"), 0));
        seen.1 += 1;
    }

    pub(super) fn of_trouble(trouble: String) -> Self {
        let mut tally = Self::default();
        tally.violated(trouble.clone(), &trouble, "before any fault".to_owned());
        tally
    }

    /// A line for each kind of violation.
    pub(super) fn lines(self) -> Vec<String> {
        let line = |(kind, (what, count))| format!("{count} × {kind}: {what}");
        self.violations.into_iter().map(line).collect()
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.cases += other.cases;
        for (kind, (what, count)) in other.violations {
            self.violations.entry(kind).or_insert((what, 0)).1 += count;
        }
    }
}

fn describe(stage: &Stage, plan: Plan, failed: &[Failed]) -> String {
    let folder = stage.folder();
    let steps = failed.iter().take(4).map(|failed| {
        let path = failed.path.strip_prefix(&folder).unwrap_or(&failed.path);
        format!("{} {}", failed.step, path.display())
    });
    let links = if plan.links { ", without rename-no-replace" } else { "" };
    let steps = steps.collect::<Vec<_>>().join(", ");
    format!("step {}, {:?}, {:?}{links}: {steps}", plan.at, plan.fault, plan.spread)
}

/// The faults of one step. A full run has every error for each; what else there is comes in turn.
fn faults(measure: Measure, turn: u64) -> Vec<(Fault, Spread, bool)> {
    use Spread::{AndAllAfter, AndNext, AndNextButOne, Once};
    let errno = ERRNOS[(turn % ERRNOS.len() as u64) as usize];
    let mut faults = vec![
        (Fault::Fails(EIO), Once, false),
        (Fault::Short(ENOSPC), Once, false),
        (Fault::DoneBut(EIO), Once, false),
    ];
    let in_turn = [
        (Fault::Fails(errno), Once, turn.is_multiple_of(2)),
        (Fault::Fails(errno), AndNext, false),
        (Fault::DoneBut(errno), AndNext, false),
        (Fault::Fails(errno), AndAllAfter, false),
    ];
    match measure {
        Measure::Bounded => faults.push(in_turn[(turn / 2) as usize % in_turn.len()]),
        Measure::Full => {
            faults.extend(in_turn);
            for (place, errno) in (turn as usize..).zip(ERRNOS) {
                let forms = [
                    (Fault::Fails(errno), Once, true),
                    (Fault::Fails(errno), AndNext, false),
                    (Fault::Fails(errno), AndNextButOne, false),
                    (Fault::Fails(errno), AndAllAfter, false),
                    (Fault::Short(errno), AndNext, false),
                    (Fault::DoneBut(errno), Once, true),
                    (Fault::DoneBut(errno), AndNextButOne, false),
                ];
                faults.push((Fault::Fails(errno), Once, false));
                faults.push(forms[place % forms.len()]);
            }
        }
    }
    faults
}

/// What a directory lock's holder leaves when its process ends: the proof that it is dead. The
/// process of a case is this one, which goes on.
pub(super) fn end_process(root: &Path) -> Made<()> {
    amend_owners(root, |holder| {
        let ours = holder.get("pid").and_then(Value::as_u64) == Some(u64::from(std::process::id()));
        let started = holder.get("started").and_then(Value::as_u64);
        if let (true, Some(started)) = (ours, started) {
            holder.insert("started".to_owned(), (started + 1).into());
        }
    })
}

/// After the fault has cleared everything works.
pub(super) fn aftermath(case: &Case<'_>, root: &Path) -> Made<Vec<String>> {
    let mut broken = Vec::new();
    let state = || State::read(case.folder, case.scenario.also);
    if case.can_run_again() {
        works(root, "the same command", &case.scenario.arguments(case.folder), &mut broken);
        let again = state()?;
        if !case.may_leave(again.files.len()) {
            let files = again.files.keys().cloned().collect::<Vec<_>>().join(", ");
            broken.push(format!("run again, it leaves other files: {files}"));
        }
    }
    let before = state()?;
    let Some(created) = works(root, "create", &["create", "afterwards"], &mut broken) else {
        return Ok(broken);
    };
    broken.extend(given_twice(&created, &before));
    if !case.may_be_ill() {
        works(root, "doctor", &["doctor"], &mut broken);
    }
    works(root, "doctor --fix", &["doctor", "--fix"], &mut broken);
    let after = state()?;
    broken.extend(after.damaged());
    // What `init` began no lock guards, so that nobody can tell it from what is at work still.
    let swept = |path: &&String| {
        path.starts_with(".jerry/data/") && !path.starts_with(".jerry/data/.format.json.")
    };
    let litter = after.litter.iter().filter(swept);
    broken.extend(litter.map(|path| format!("doctor left {path}")));
    Ok(broken)
}

/// What a command answers that has to end well.
fn works(
    root: &Path,
    what: &str,
    arguments: &[impl AsRef<str>],
    broken: &mut Vec<String>,
) -> Option<Value> {
    let result = call(root, arguments);
    if let Err(failure) = &result {
        broken.push(format!("afterwards, {what} fails: {failure}"));
    }
    result.ok()
}

/// Whether the new item has a number or an identity that another has, or had.
fn given_twice(created: &Value, before: &State) -> Vec<String> {
    let (id, uid) = (created["item"]["id"].as_str(), created["item"]["uid"].as_str());
    let (Some(id), Some(uid)) = (id, uid) else {
        return vec![format!("create answers no item: {created}")];
    };
    let name = format!("/{id}.json");
    let mut twice = Vec::new();
    for (path, text) in &before.files {
        if path.ends_with(&name) && path.starts_with(".jerry/data/") {
            twice.push(format!("the number of {path} is given out again"));
        }
        let value: Value = serde_json::from_slice(text).unwrap_or_default();
        if value["uid"] == uid || value["item"]["uid"] == uid {
            twice.push(format!("the uid of {path} is given out again"));
        }
    }
    twice
}
