//! Other programs and rights that some tests need. A test that lacks one says so and passes.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::Jerry;

/// Says on standard error why a test did not run.
#[allow(clippy::print_stderr, reason = "a skipped test has to show")]
pub fn skip(why: &str) {
    let test = std::thread::current();
    eprintln!("SKIPPED {}: {why}", test.name().unwrap_or("a test"));
}

/// Whether `name` can be run here.
#[must_use]
pub fn tool(name: &str) -> bool {
    let mut command = Command::new(name);
    let found = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok()
}

/// Whether this process may do everything: mount, and become another user.
#[must_use]
#[cfg(unix)]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A Python that has `module`: `$JERRY_TEST_PYTHON` if set, else `python3`.
#[must_use]
pub fn python_with(module: &str) -> Option<String> {
    let python = std::env::var("JERRY_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(&python);
    command.args(["-c", &format!("import {module}")]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success()).then_some(python)
}

/// A lock that this process holds, as any program can that locks files as the system does.
#[derive(Debug)]
pub struct HeldLock(File);

impl HeldLock {
    /// Takes the lock `name` of a store.
    #[must_use]
    pub fn of(jerry: &Jerry, name: &str) -> Self {
        let path = jerry.lock_path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        file.try_lock().expect("nobody holds it");
        Self(file)
    }
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// A small file system of its own, unmounted in the end.
#[derive(Debug)]
pub struct Tmpfs(TempDir);

impl Tmpfs {
    /// Mounts one of `size` (`64k`). `None` where this process may not.
    #[must_use]
    pub fn mount(size: &str) -> Option<Self> {
        let folder = TempDir::new().expect("a folder");
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder.path());
        let mounted = command.stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// A process of another program that holds a lock until it is dropped.
#[derive(Debug)]
pub struct LockedShell(Child);

impl LockedShell {
    /// Starts `command`, which must print a line once it holds the lock and end when its standard
    /// input does.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("readable");
        assert!(!line.is_empty(), "{command:?} did not take the lock");
        Self(child)
    }

    /// `flock(1)` on `path`.
    #[must_use]
    pub fn flock(path: &Path) -> Self {
        Self::start(Command::new("flock").arg(path).args(["sh", "-c", "echo held; cat"]))
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for LockedShell {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
