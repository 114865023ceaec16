//! What a process left behind.

use std::process::{Child, Command, ExitStatus, Output, Stdio};

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
        Running::start(command).end()
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

    /// The error that it reported under `--json`. Panics unless it exited with `status`.
    #[must_use]
    pub fn error(&self, status: i32) -> Value {
        assert_eq!(self.code(), Some(status), "{self}");
        let answer = self.json();
        assert_eq!(answer["kind"], "error", "{self}");
        assert!(answer["error"]["message"].is_string(), "{self}");
        answer["error"].clone()
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text =
            |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(4000)]).into_owned();
        write!(f, "{}\n{}\n{}", self.status, text(&self.stdout), text(&self.stderr))
    }
}

/// A process that was started. Ended and waited for when it is dropped.
#[derive(Debug)]
pub struct Running(Option<Child>);

impl Running {
    /// Starts `command` without input; its output is kept.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(Some(command.spawn().unwrap_or_else(|error| panic!("{error}: {command:?}"))))
    }

    /// Waits for its end.
    #[must_use]
    pub fn end(mut self) -> Outcome {
        let child = self.0.take().expect("taken here only");
        let Output { status, stdout, stderr } =
            child.wait_with_output().expect("the process can be waited for");
        Outcome { status, stdout, stderr }
    }

    /// Sends SIGKILL. It may have ended before.
    pub fn kill(&mut self) {
        self.child().kill().expect("a process of this one");
    }

    /// Whether it runs still.
    pub fn is_alive(&mut self) -> bool {
        self.child().try_wait().expect("a process of this one").is_none()
    }

    /// Its process id.
    pub fn pid(&mut self) -> u32 {
        self.child().id()
    }

    fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("taken at its end only")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts every command before it waits for the first. Outcomes in the order given.
#[must_use]
pub fn at_once(commands: impl IntoIterator<Item = Command>) -> Vec<Outcome> {
    let running: Vec<_> =
        commands.into_iter().map(|mut command| Running::start(&mut command)).collect();
    running.into_iter().map(Running::end).collect()
}
