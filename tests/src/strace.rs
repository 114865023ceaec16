//! Faults put between jerry and the kernel: `strace` lets chosen system calls fail, dawdle, or
//! kill their process.

use std::fs;
#[cfg(unix)]
use std::path::Path;
use std::process::Command;

#[cfg(unix)]
use crate::Running;
use crate::{Jerry, Outcome, skip, tool};

/// What one run under strace came to.
#[derive(Debug)]
pub struct Injected {
    /// How jerry ended.
    pub outcome: Outcome,
    /// The call that was tampered with, as strace writes it, descriptors with their paths. `None`
    /// when jerry did not make so many calls of this kind.
    pub call: Option<String>,
}

/// Whether strace works here; says so if not.
#[must_use]
pub fn can_inject() -> bool {
    let works = tool("strace")
        && Command::new("strace")
            .args(["-o", "/dev/null", "true"])
            .output()
            .is_ok_and(|output| output.status.success());
    if !works {
        skip("strace is missing or may not trace");
    }
    works
}

/// `strace … jerry ARGS`, which does `fault` (`error=EIO`, `signal=KILL`, `delay_enter=1000`) to
/// the calls named `calls`, with the `when` of strace's manual.
#[must_use]
pub fn tampered(jerry: &Jerry, calls: &str, fault: &str, when: &str, args: &[&str]) -> Command {
    let log = jerry.folder().join("strace.log").display().to_string();
    let trace = format!("trace={calls}");
    let inject = format!("inject={calls}:{fault}:when={when}");
    jerry.under("strace", &["-f", "-y", "-qq", "-o", &log, "-e", &trace, "-e", &inject], args)
}

/// Runs `jerry --json ARGS` and lets its `nth` call of the kind `call` fail as `fault` says.
#[must_use]
pub fn inject(jerry: &Jerry, call: &str, fault: &str, nth: usize, args: &[&str]) -> Injected {
    let args: Vec<_> = std::iter::once("--json").chain(args.iter().copied()).collect();
    let outcome = Outcome::of(&mut tampered(jerry, call, fault, &nth.to_string(), &args));
    let log = fs::read_to_string(jerry.folder().join("strace.log")).expect("strace wrote it");
    // A killed process does not come to the end of the line that says so.
    let killed = fault.starts_with("signal") && log.contains("killed by SIGKILL");
    let injected = log.lines().find(|line| line.contains("(INJECTED)"));
    let last = log.lines().rfind(|line| line.contains('('));
    let call = injected.or(last.filter(|_| killed)).map(ToOwned::to_owned);
    Injected { outcome, call }
}

/// `jerry ARGS`, stopped in the midst until it is told to go on.
#[cfg(unix)]
#[derive(Debug)]
pub struct Stopped {
    running: Running,
    pid: rustix::process::Pid,
}

#[cfg(unix)]
impl Stopped {
    /// Starts `jerry --json ARGS` and waits until it has opened `path` and not gone further.
    #[must_use]
    pub fn at_opening(jerry: &Jerry, path: &Path, args: &[&str]) -> Self {
        let log = jerry.folder().join("strace.log");
        let (path, file) = (path.display().to_string(), log.display().to_string());
        let inject = "inject=openat:signal=STOP:when=1";
        let options = ["-f", "-qq", "-o", &file, "-P", &path, "-e", "trace=openat", "-e", inject];
        let args = ["--json"].iter().chain(args);
        let mut running = Running::start(&mut jerry.under("strace", &options, args));
        let pid = loop {
            // The pid is what each line begins with.
            let said = fs::read_to_string(&log).unwrap_or_default();
            let stopped = said.lines().find(|line| line.contains("stopped by SIGSTOP"));
            let pid = stopped.and_then(|line| line.split_whitespace().next()?.parse().ok());
            if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
                break pid;
            }
            assert!(running.is_alive(), "it never opened {path}");
            std::thread::yield_now();
        };
        Self { running, pid }
    }

    /// Lets it go on, to its end.
    #[must_use]
    pub fn go_on(self) -> Outcome {
        rustix::process::kill_process(self.pid, rustix::process::Signal::CONT).expect("it waits");
        self.running.end()
    }
}
