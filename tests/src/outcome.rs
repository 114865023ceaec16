//! What a process left behind.

use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

/// How a process ended and what it wrote.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

impl Outcome {
    /// Runs `command` to its end.
    #[must_use]
    pub fn of(command: &mut Command) -> Self {
        Self::end_of(spawn(command))
    }

    /// Waits for a process that [`spawn`] started.
    #[must_use]
    pub fn end_of(child: Child) -> Self {
        let output = child.wait_with_output().expect("the process can be waited for");
        Self { status: output.status, stdout: output.stdout, stderr: output.stderr }
    }

    /// The exit status; `None` when a signal ended the process.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Whether it exited with 0.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.status.success()
    }

    /// Its standard output as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The error code that it reported under `--json`.
    #[must_use]
    pub fn error_code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_else(|| panic!("no error: {self}"))
            .to_owned()
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text =
            |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(4000)]).into_owned();
        write!(f, "{}\n{}\n{}", self.status, text(&self.stdout), text(&self.stderr))
    }
}

/// Starts a process without input, its output kept for [`Outcome::end_of`].
pub(crate) fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap_or_else(|error| panic!("{error}: {command:?}"))
}

/// Starts every command before it waits for the first. Outcomes in the order given.
#[must_use]
pub fn at_once(commands: impl IntoIterator<Item = Command>) -> Vec<Outcome> {
    let children: Vec<_> = commands.into_iter().map(|mut command| spawn(&mut command)).collect();
    children.into_iter().map(Outcome::end_of).collect()
}
