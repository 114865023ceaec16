//! jerry's own tests, with their stores on a file system of choice.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// What is tested there: what touches the file system.
const PACKAGES: [&str; 3] = ["jerry-infra-fs", "jerry-cli", "jerry-tests"];

/// Tests of the source text, whatever it lies on.
const NOT_OF_STORES: [&str; 3] = ["architecture", "docs", "readme"];

/// Tests that hold a lock as `flock` does.
const OF_OS_LOCKS: [&str; 2] = ["a_lock_is_never_the_reason", "hp_3_"];

/// A program of tests.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// `package/target`.
    pub(super) name: String,
    path: PathBuf,
    /// Where cargo would run it.
    folder: PathBuf,
}

/// How the stores of a program's tests lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locks {
    Os,
    Directory,
}

/// What a program of tests came to.
#[derive(Debug, Default)]
pub(super) struct Ran {
    pub(super) passed: u64,
    /// Each with the first thing that it says about itself.
    pub(super) failed: Vec<String>,
    /// Tests that did not look, and why.
    pub(super) skipped: Vec<String>,
}

/// Builds every program of tests that works on stores.
pub(super) fn build() -> Result<Vec<Program>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["test", "--no-run", "--quiet", "--locked", "--message-format", "json"]);
    build.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
    build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let output = build.stderr(Stdio::inherit()).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err("the tests do not build".to_owned());
    }
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let programs = lines.filter_map(|line| program(&serde_json::from_slice(line).ok()?));
    Ok(programs.collect())
}

/// The program of tests that a message of cargo is about.
fn program(message: &Value) -> Option<Program> {
    let target = message["target"]["name"].as_str()?;
    let path = message["executable"].as_str()?;
    if message["profile"]["test"] != true || NOT_OF_STORES.contains(&target) {
        return None;
    }
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?;
    let package = folder.file_name()?.to_string_lossy();
    Some(Program {
        name: format!("{package}/{target}"),
        path: path.into(),
        folder: folder.to_owned(),
    })
}

impl Program {
    /// Whether it has processes that share a store.
    pub(super) fn is_of_many_processes(&self) -> bool {
        self.name == "tests/instances_at_once"
    }

    /// Runs it with its temporary folders in `folder`.
    pub(super) fn run(&self, folder: &Path, locks: Locks) -> Result<Ran, String> {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=10", "1200"]).arg(&self.path).arg("--show-output");
        command.env("TMPDIR", folder).env("RUST_BACKTRACE", "0").current_dir(&self.folder);
        if locks == Locks::Directory {
            command.env("JERRY_TEST_LOCK_BACKEND", "directory");
            command.args(OF_OS_LOCKS.iter().flat_map(|test| ["--skip", test]));
        }
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{}: {error}", self.name))?;
        let mut ran = self.read(&String::from_utf8_lossy(&output.stdout));
        if !output.status.success() && ran.failed.is_empty() {
            ran.failed.push(format!("{} did not come to its end: {}", self.name, output.status));
        }
        Ok(ran)
    }

    fn read(&self, said: &str) -> Ran {
        let tests =
            || said.lines().filter_map(|line| line.strip_prefix("test ")?.split_once(" ... "));
        let failed = tests().filter(|(_, result)| *result == "FAILED");
        let skipped = said.lines().filter_map(|line| line.strip_prefix("SKIPPED "));
        let skipped: Vec<_> = skipped.map(|line| format!("{}: {line}", self.name)).collect();
        let passed = tests().filter(|(_, result)| *result == "ok").count();
        Ran {
            // A test that does not look passes.
            passed: passed.saturating_sub(skipped.len()) as u64,
            failed: failed
                .map(|(test, _)| format!("{}: {test}: {}", self.name, why(said, test)))
                .collect(),
            skipped,
        }
    }
}

/// How a test that failed begins its complaint, on one line.
fn why(said: &str, test: &str) -> String {
    let head = format!("---- {test} stdout ----");
    let after = said.split_once(&head).map_or("it does not say why", |(_, after)| after);
    let lines = after.lines().filter(|line| !line.trim().is_empty()).take(3);
    lines.collect::<Vec<_>>().join(" | ").chars().take(400).collect()
}
