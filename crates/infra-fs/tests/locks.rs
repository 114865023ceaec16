//! What holds for locks of every backend, between threads.

#![allow(clippy::disallowed_methods, reason = "tests arrange files as they like")]
use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use jerry_domain::ports::{BreakOutcome, LockError, LockName};
use jerry_infra_fs::lock::{FsLocks, LockBackend, LockSettings};
use rstest::rstest;
use tempfile::TempDir;

fn locks_in(store: &TempDir, backend: LockBackend) -> FsLocks {
    FsLocks::new(store.path().join("local/locks"), backend, LockSettings::default())
}

fn name(text: &str) -> LockName {
    LockName::new(text).expect("a name")
}

/// Adds one to the number in a file, as only a holder of its lock may.
fn increment(counter: &Path) {
    let count: u64 = fs::read_to_string(counter).expect("readable").parse().expect("a number");
    fs::write(counter, (count + 1).to_string()).expect("writable");
}

#[rstest]
#[case::os(LockBackend::Os)]
#[case::directory(LockBackend::Directory)]
fn parallel_writes_lose_nothing(#[case] backend: LockBackend) {
    let store = TempDir::new().expect("a folder");
    let locks = locks_in(&store, backend);
    let counter = store.path().join("counter");
    fs::write(&counter, "0").expect("writable");
    let start = Barrier::new(10);
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                start.wait();
                for _ in 0..100 {
                    let guard = locks.acquire(&name("counter"), None).expect("free in time");
                    increment(&counter);
                    drop(guard);
                }
            });
        }
    });
    assert_eq!(fs::read_to_string(&counter).expect("readable"), "1000");
}

#[rstest]
#[case::os(LockBackend::Os)]
#[case::directory(LockBackend::Directory)]
fn lock_times_out_with_the_holder_named(#[case] backend: LockBackend) {
    let store = TempDir::new().expect("a folder");
    let locks = locks_in(&store, backend);
    let name = name("WORK-001");
    let guard = locks.acquire(&name, None).expect("free");
    assert!(locks.try_acquire(&name).expect("readable").is_none());
    let refused = locks.acquire(&name, Some(Duration::from_millis(20))).expect_err("busy");
    let LockError::TimedOut { holder: Some(holder), waited, .. } = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(holder.pid, std::process::id());
    assert!(*waited >= Duration::from_millis(20));
    assert!(refused.to_string().contains(&format!("process {}", holder.pid)), "{refused}");

    let [state] = &locks.list().expect("readable")[..] else { panic!("one lock") };
    assert!(state.held && !state.stale);
    assert_eq!(state.holder.as_ref(), Some(&**holder));
    assert!(matches!(locks.break_lock(&name), Ok(BreakOutcome::Refused(Some(_)))));
    assert!(locks.clean().expect("readable").is_empty());

    drop(guard);
    drop(locks.acquire(&name, Some(Duration::ZERO)).expect("free again"));
}
