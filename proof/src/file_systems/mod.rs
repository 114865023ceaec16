//! jerry on other file systems than the developer's: its own tests there, full disks, and those
//! whose locks may lie.
//!
//! Everything is mounted in a mount namespace of this process (see [`namespace`]), out of files on
//! a tmpfs. What cannot be mounted here is skipped with what the system said.

mod full;
mod jerry;
mod mount;
pub(crate) mod namespace;
mod suite;
mod warning;

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use self::full::{Disk, Scarce, Sweep};
use self::jerry::Jerry;
use self::mount::{Kind, Mounted};
use self::suite::Program;
use crate::effort::{Effort, Measure};
use crate::outcome::Outcome;

pub(crate) fn run(effort: &Effort) -> Outcome {
    let mut outcome = Outcome::new("tests and commands there");
    if !namespace::is_entered() {
        outcome.skipped.push("all of it: mounting needs root and unshare(1)".to_owned());
        return outcome;
    }
    if let Err(why) = look(effort, &mut outcome) {
        outcome.violations.push(why);
    }
    outcome
}

fn look(effort: &Effort, outcome: &mut Outcome) -> Result<(), String> {
    let jerry = Jerry::new(&effort.jerry).map_err(|error| error.to_string())?;
    disks(effort, &jerry, outcome)?;
    warning::look(&jerry, outcome);
    match effort.measure {
        Measure::Full => suites(&jerry, outcome),
        Measure::Bounded => {
            outcome.skipped.push("the tests on each file system: only in a full run".to_owned());
            Ok(())
        }
    }
}

/// Full disks.
fn disks(effort: &Effort, jerry: &Jerry, outcome: &mut Outcome) -> Result<(), String> {
    let template = full::Template::new(jerry)?;
    let blocks = Sweep { disk: Disk::Tmpfs, scarce: Scarce::Blocks, most: 16 };
    blocks.look(jerry, &template, outcome);
    if effort.measure == Measure::Full {
        Sweep { scarce: Scarce::Inodes, ..blocks }.look(jerry, &template, outcome);
        Sweep { disk: Disk::Ext4, most: 64, ..blocks }.look(jerry, &template, outcome);
    }
    full::mutate(jerry, &template, outcome);
    Ok(())
}

/// The tests on every kind of file system.
fn suites(jerry: &Jerry, outcome: &mut Outcome) -> Result<(), String> {
    let programs = suite::build()?;
    for kind in Kind::ALL {
        match kind.mount() {
            Err(why) => outcome.skipped.push(format!("{}: {why}", kind.name())),
            Ok(mounted) => on(kind, &mounted, jerry, &programs, outcome)?,
        }
    }
    lower_layer(jerry, outcome);
    mutate(jerry, &programs, outcome)
}

/// The tests on one file system, with the locks that are right there, and a demo.
fn on(
    kind: Kind,
    mounted: &Mounted,
    jerry: &Jerry,
    programs: &[Program],
    outcome: &mut Outcome,
) -> Result<(), String> {
    let (since, before) = (Instant::now(), outcome.violations.len());
    let mut passed = 0;
    let mut add = |ran: suite::Ran| {
        passed += ran.passed;
        let here = |line: String| format!("{}: {line}", kind.name());
        outcome.violations.extend(ran.failed.into_iter().map(here));
        outcome.skipped.extend(ran.skipped.into_iter().map(here));
    };
    for program in programs {
        add(program.run(mounted.folder(), suite::Locks::Os)?);
        if kind == Kind::Fuse && program.is_of_many_processes() {
            add(program.run(mounted.folder(), suite::Locks::Directory)?);
        }
    }
    outcome.cases += passed + 1;
    if let Err(why) = demo(jerry, mounted.folder(), &[]) {
        outcome.violations.push(format!("{}: {why}", kind.name()));
    }
    let failed = outcome.violations.len() - before;
    outcome.remarks.push(format!(
        "{}: {passed} tests passed, {failed} failures, {:.0} s",
        kind.name(),
        since.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// A few agents, some of which are killed. What was acknowledged must be there.
fn demo(jerry: &Jerry, folder: &Path, more: &[&str]) -> Result<(), String> {
    let arguments = [&["demo", "--agents", "4", "--items", "20"], more].concat();
    let mut command = jerry.command(folder, &arguments);
    let output = command.env("TMPDIR", folder).stderr(Stdio::null()).output();
    let output = output.map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("the demo: {}", String::from_utf8_lossy(&output.stdout))),
    }
}

/// A store that lies in the lower layer of an overlay, as in the image of a container: its files
/// are copied up when they are written, its locks when they are taken.
fn lower_layer(jerry: &Jerry, outcome: &mut Outcome) {
    const AT_ONCE: usize = 8;
    let look = || {
        let mounted = Mounted::overlay(|lower| {
            jerry.succeed(lower, &["init"])?;
            jerry.succeed(lower, &["create", "from the image"]).map(drop)
        })?;
        let folder = mounted.folder();
        let note = |n: usize| jerry.command(folder, &["note", "WORK-001", &n.to_string()]);
        let started = (0..AT_ONCE).map(|n| note(n).stdout(Stdio::null()).spawn());
        for child in started.collect::<Vec<_>>() {
            let ended = child.and_then(|mut child| child.wait());
            if !ended.map_err(|error| error.to_string())?.success() {
                return Err("a note was refused".to_owned());
            }
        }
        let shown = jerry.succeed(folder, &["--json", "show", "WORK-001"])?.answer();
        let shown: serde_json::Value =
            serde_json::from_str(&shown).map_err(|error| error.to_string())?;
        let notes = shown["item"]["notes"].as_array().map_or(0, Vec::len);
        jerry.succeed(folder, &["--yes", "delete", "WORK-001"])?;
        jerry.succeed(folder, &["doctor"])?;
        match notes {
            AT_ONCE => Ok(()),
            _ => Err(format!("{notes} of {AT_ONCE} notes are there")),
        }
    };
    outcome.cases += 1;
    if let Err(why) = look() {
        outcome.violations.push(format!("a store in the lower layer: {why}"));
    }
}

/// A file system that takes no writes, and agents that take no locks.
fn mutate(jerry: &Jerry, programs: &[Program], outcome: &mut Outcome) -> Result<(), String> {
    let mounted = Kind::Tmpfs.mount()?;
    outcome.mutations += 1;
    if demo(jerry, mounted.folder(), &["--fault", "unlocked-updates"]).is_ok() {
        outcome.unnoticed.push("a demo whose agents take no locks".to_owned());
    }
    mounted.remount("ro")?;
    for program in programs.iter().filter(|program| program.name.ends_with("/atomic_file")) {
        outcome.mutations += 1;
        if program.run(mounted.folder(), suite::Locks::Os)?.failed.is_empty() {
            outcome.unnoticed.push(format!("{} where nothing can be written", program.name));
        }
    }
    Ok(())
}
