//! The program, as a user runs it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A program that is, or poses as, jerry.
#[derive(Debug, Clone)]
pub(super) struct Jerry(Vec<OsString>);

impl Jerry {
    pub(super) fn new(program: &Path) -> std::io::Result<Self> {
        Ok(Self(vec![std::path::absolute(program)?.into()]))
    }

    /// A shell script that gets jerry as `$0` and its arguments as `$@`.
    pub(super) fn in_disguise(&self, script: &str) -> Self {
        let shell = ["sh", "-c", script].map(OsString::from);
        Self(shell.into_iter().chain(self.0.iter().cloned()).collect())
    }

    /// `jerry ARGUMENTS` in `folder`, with nothing of this process's environment but `PATH`.
    pub(super) fn command<A: AsRef<OsStr>>(&self, folder: &Path, arguments: &[A]) -> Command {
        let mut command = Command::new(&self.0[0]);
        command.args(&self.0[1..]).args(arguments).current_dir(folder).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", "/nowhere").env("LC_ALL", "C.UTF-8").env("JERRY_ACTOR", "proof");
        command.stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub(super) fn run<A: AsRef<OsStr>>(
        &self,
        folder: &Path,
        arguments: &[A],
    ) -> Result<Ended, String> {
        let output = self.command(folder, arguments).output();
        output
            .map(Ended)
            .map_err(|error| format!("{}: {error}", PathBuf::from(&self.0[0]).display()))
    }

    /// Runs it to its end, which must be a good one.
    pub(super) fn succeed<A: AsRef<OsStr>>(
        &self,
        folder: &Path,
        arguments: &[A],
    ) -> Result<Ended, String> {
        let ended = self.run(folder, arguments)?;
        let words = || arguments.iter().map(|word| word.as_ref().to_string_lossy().into_owned());
        match ended.status() {
            Some(0) => Ok(ended),
            _ => Err(format!("jerry {}: {ended}", words().collect::<Vec<_>>().join(" "))),
        }
    }
}

/// How a run ended and what it said.
#[derive(Debug)]
pub(super) struct Ended(Output);

impl Ended {
    /// Its exit status; `None` when a signal ended it.
    pub(super) fn status(&self) -> Option<i32> {
        self.0.status.code()
    }

    pub(super) fn answer(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub(super) fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = format!("{} {}", self.answer().trim(), self.complaint().trim());
        write!(f, "{}: {}", self.0.status, said.chars().take(400).collect::<String>())
    }
}
