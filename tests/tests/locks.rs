//! One item's lock, held by jerry, by other programs, for too long.

#![allow(clippy::disallowed_methods, reason = "tests arrange files as they like")]

use std::fs;
use std::process::Command;
use std::time::Duration;

use jerry_domain::ports::LockName;
use jerry_infra_fs::lock::{FsLockGuard, FsLocks, LockBackend, LockSettings};
use jerry_tests::{HeldLock, Jerry, LockedShell, list, python_with, skip, tool};
use serde_json::Value;

/// The lock of an item, held by this process as jerry holds it.
fn hold(jerry: &Jerry, id: &str) -> FsLockGuard {
    let locks = FsLocks::new(jerry.path("local/locks"), LockBackend::Os, LockSettings::default());
    let name = LockName::new(id).expect("a name");
    locks.acquire(&name, Some(Duration::ZERO)).expect("free")
}

/// What `locks list` says of a lock.
fn state(jerry: &Jerry, name: &str) -> Value {
    let answer = jerry.ok(["locks", "list"]);
    let found = list(&answer["locks"]).iter().find(|lock| lock["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {answer}")).clone()
}

#[test]
fn ec_3_lock_held_too_long() {
    let jerry = Jerry::new();
    let id = jerry.create("held");
    let before = jerry.bytes(&id);
    let held = hold(&jerry, &id);
    let writes: [&[&str]; 5] = [
        &["note", &id, "too late"],
        &["update", &id, "--title", "too late"],
        &["start", &id],
        &["label", &id, "add", "late"],
        &["--yes", "delete", &id],
    ];
    for write in writes {
        let error = jerry.refused(6, [&["--lock-timeout", "20ms"], write].concat());
        assert_eq!(error["code"], "busy");
        assert_eq!(error["retryable"], true);
        assert_eq!(error["context"]["lock"], id.as_str());
        assert_eq!(jerry.bytes(&id), before);
    }
    assert_eq!(jerry.ok(["show", &id])["item"]["version"], 1);
    drop(held);
    jerry.ok(["--lock-timeout", "0ms", "note", &id, "in time"]);
}

#[test]
fn lock_times_out_with_the_holder_named_by_the_command() {
    let jerry = Jerry::new();
    let id = jerry.create("held");
    let _held = hold(&jerry, &id);
    let error = jerry.refused(6, ["--lock-timeout", "20ms", "note", &id, "too late"]);
    assert_eq!(error["context"]["holder"]["pid"], std::process::id());
    let message = error["message"].as_str().expect("a text");
    assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("jerry locks list")));
}

/// Held since ten minutes ago, as the holder's own record says: shown as stale, and left alone by
/// every command.
#[test]
fn stale_lock_is_reported_not_broken() {
    let jerry = Jerry::new();
    let id = jerry.create("held for long");
    let held = hold(&jerry, &id);
    // On Windows nobody can read a file that is locked; the record stands beside it.
    let path = jerry.lock_path(&id);
    let path = if cfg!(windows) { path.with_extension("holder") } else { path };
    let record = fs::read_to_string(&path).expect("readable");
    let mut value: Value = serde_json::from_str(&record).expect("JSON");
    value["holder"]["since"] = "2024-01-01T00:00:00Z".into();
    // In place: a new file would be another lock.
    let text = format!("{:<1$}", value.to_string(), record.len());
    fs::write(&path, text).expect("writable");

    let state = state(&jerry, &id);
    assert_eq!((&state["held"], &state["stale"]), (&true.into(), &true.into()), "{state}");
    assert_eq!(state["holder"]["pid"], std::process::id());
    let cleaned = jerry.ok(["locks", "clean"]);
    assert!(!cleaned.to_string().contains(&format!("\"{id}\"")), "{cleaned}");
    let refused = jerry.json(["--yes", "locks", "break", &id]);
    assert!(!refused.is_ok(), "{refused}");
    assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
    let error = jerry.refused(6, ["--lock-timeout", "20ms", "note", &id, "not while it is held"]);
    assert_eq!(error["code"], "busy");
    drop(held);
    jerry.ok(["--lock-timeout", "0ms", "note", &id, "free again"]);
}

#[test]
fn cleaning_removes_idle_locks_and_no_others() {
    let jerry = Jerry::new();
    let (idle, held) = (jerry.create("idle"), jerry.create("held"));
    let guard = HeldLock::of(&jerry, &held);
    jerry.ok(["locks", "clean"]);
    assert!(!jerry.lock_path(&idle).try_exists().expect("readable"));
    assert!(jerry.lock_path(&held).try_exists().expect("readable"));
    let error = jerry.refused(6, ["--lock-timeout", "20ms", "note", &held, "still held"]);
    assert_eq!(error["code"], "busy");
    drop(guard);
    jerry.ok(["note", &idle, "a new lock file"]);
}

/// Waiting, cleaning and writing at once: nobody is let in beside another.
#[test]
fn cleaning_among_writers_lets_nobody_in_twice() {
    let jerry = Jerry::new();
    let id = jerry.create("written while locks are cleaned");
    let mut commands = Vec::new();
    for number in 0..30 {
        commands.push(jerry.command(["--json", "note", &id, &number.to_string()]));
        commands.push(jerry.command(["--json", "locks", "clean"]));
    }
    for outcome in jerry_tests::at_once(commands) {
        assert!(outcome.is_ok(), "{outcome}");
    }
    assert_eq!(jerry.item(&id)["version"], 31);
    jerry.assert_sound();
}

#[test]
fn flock_excludes_jerry_and_is_excluded() {
    if !tool("flock") {
        return skip("flock(1) is missing");
    }
    let jerry = Jerry::new();
    let id = jerry.create("shared with a shell");
    let path = jerry.lock_path(&id);
    let shell = LockedShell::flock(&path);
    let error = jerry.refused(6, ["--lock-timeout", "20ms", "note", &id, "while the shell has it"]);
    assert_eq!(error["code"], "busy");
    drop(shell);
    jerry.ok(["--lock-timeout", "5s", "note", &id, "after the shell"]);

    let guard = hold(&jerry, &id);
    let try_lock =
        || Command::new("flock").arg("-n").arg(&path).arg("true").status().expect("runs");
    assert!(!try_lock().success(), "flock came in beside jerry");
    drop(guard);
    assert!(try_lock().success());
}

/// A jerry that waits behind the shell goes on when the shell is done.
#[test]
fn a_waiting_jerry_gets_its_turn() {
    if !tool("flock") {
        return skip("flock(1) is missing");
    }
    let jerry = Jerry::new();
    let id = jerry.create("waited for");
    let shell = LockedShell::flock(&jerry.lock_path(&id));
    let mut waiting: Vec<_> =
        (0..5).map(|number| jerry.start(["note", &id, &number.to_string()])).collect();
    assert!(waiting.iter_mut().all(jerry_tests::Running::is_alive));
    assert_eq!(jerry.item(&id)["version"], 1);
    drop(shell);
    for waiting in waiting {
        let outcome = waiting.end();
        assert!(outcome.is_ok(), "{outcome}");
    }
    assert_eq!(jerry.item(&id)["version"], 6);
}

const FILELOCK: &str = "
import sys, filelock
with filelock.FileLock(sys.argv[1], timeout=float(sys.argv[2])):
    print('held', flush=True)
    sys.stdin.read()
";

#[test]
fn python_filelock_excludes_jerry_and_is_excluded() {
    let Some(python) = python_with("filelock") else {
        return skip("Python's filelock is missing");
    };
    let jerry = Jerry::new();
    let id = jerry.create("shared with Python");
    let path = jerry.lock_path(&id);
    let holder =
        LockedShell::start(Command::new(&python).args(["-c", FILELOCK]).arg(&path).arg("10"));
    let error = jerry.refused(6, ["--lock-timeout", "20ms", "note", &id, "while Python has it"]);
    assert_eq!(error["code"], "busy");
    drop(holder);
    jerry.ok(["--lock-timeout", "5s", "note", &id, "after Python"]);

    let guard = hold(&jerry, &id);
    let try_lock = || {
        let mut command = Command::new(&python);
        command.args(["-c", FILELOCK]).arg(&path).arg("0").stdin(std::process::Stdio::null());
        command.output().expect("runs")
    };
    let refused = try_lock();
    assert!(!refused.status.success(), "filelock came in beside jerry");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Timeout"));
    drop(guard);
    assert!(try_lock().status.success());
    jerry.ok(["note", &id, "whatever Python left of the lock file"]);
}
