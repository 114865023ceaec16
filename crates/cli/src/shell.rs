//! Commands that show whether work is done, run by the user's shell.
//!
//! They come from settings or from whoever asks, never from an item; which item they are run for they
//! learn from `JERRY_ITEM`. What they print goes to standard error: standard output is jerry's answer.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use async_trait::async_trait;
use jerry_domain::WorkId;
use jerry_domain::ports::{CommandFailed, CommandRunner};

/// Runs commands with `sh -c`, on Windows with `cmd /C`.
pub(crate) struct Shell {
    /// Where.
    folder: PathBuf,
    /// What it is told beside the item and all that this process was told.
    variables: Vec<(&'static str, OsString)>,
}

impl Shell {
    /// A shell at the root of the working tree around `folder`, so that a command means the same in
    /// each of its folders, and each linked worktree is tested by itself; in `folder` itself where
    /// there is no such tree.
    pub(crate) fn around(folder: &Path, variables: Vec<(&'static str, OsString)>) -> Self {
        let root = working_tree(folder).unwrap_or(folder);
        Self { folder: root.to_owned(), variables }
    }
}

/// The root of the working tree around `folder`, if it is in one.
pub(crate) fn working_tree(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok())
}

#[async_trait]
impl CommandRunner for Shell {
    async fn run(&self, command: &str, id: &WorkId) -> Result<(), CommandFailed> {
        let failed = |ended: String| CommandFailed { command: command.to_owned(), ended };
        let mut shell = shell(command);
        shell.current_dir(&self.folder).stdin(Stdio::null()).stdout(io::stderr());
        // Those of this process may be about another item.
        shell.env_remove("JERRY_SESSION").env_remove("JERRY_FENCE");
        shell.envs(self.variables.iter().map(|(name, value)| (name, value)));
        shell.env("JERRY_ITEM", id.to_string());
        match shell.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(failed(ended(status))),
            Err(error) => Err(failed(format!("it cannot be started: {error}"))),
        }
    }
}

#[cfg(not(windows))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command);
    shell
}

#[cfg(windows)]
fn shell(command: &str) -> Command {
    use std::os::windows::process::CommandExt;

    let mut shell = Command::new("cmd");
    // `cmd` has quoting rules of its own: it gets the command as it was written.
    shell.arg("/C").raw_arg(command);
    shell
}

/// `exit status 1`, `signal 9`.
fn ended(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    match status.code() {
        Some(code) => format!("exit status {code}"),
        None => status.to_string(),
    }
}
