//! A real git, which knows nothing of the machine's settings.

use std::process::Command;

use crate::{Jerry, Outcome};

/// What `git ARGS` prints in the folder of `jerry`. Panics unless it exits with 0.
pub fn git(jerry: &Jerry, args: &[&str]) -> String {
    let outcome = git_outcome(jerry, args);
    assert!(outcome.is_ok(), "git {args:?}: {outcome}");
    String::from_utf8(outcome.stdout).expect("text")
}

/// How `git ARGS` ends in the folder of `jerry`.
#[must_use]
pub fn git_outcome(jerry: &Jerry, args: &[&str]) -> Outcome {
    let mut command = Command::new("git");
    command.current_dir(jerry.folder()).env_clear();
    for name in ["PATH", "SystemRoot", "TEMP"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command.env("HOME", jerry.folder()).env("GIT_CONFIG_NOSYSTEM", "1");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
    command.args(["-c", "init.defaultBranch=main", "-c", "gc.auto=0"]);
    Outcome::of(command.args(args))
}
