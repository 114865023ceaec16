//! What holds for locks between the threads of one process; each test of both backends is one
//! text stamped onto both.

#![allow(clippy::disallowed_methods, reason = "tests arrange files as they like")]

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use jerry_domain::ports::{BreakOutcome, LockError, LockName};
use jerry_infra_fs::lock::{BackOff, FsLocks, LockBackend, LockSettings};
use rstest::rstest;
use tempfile::TempDir;

const AT_ONCE: Option<Duration> = Some(Duration::ZERO);

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

/// Ten threads add 100 each while `meanwhile` runs again and again.
fn ten_threads_add_a_hundred(backend: LockBackend, meanwhile: impl Fn(&FsLocks) + Sync) {
    let store = TempDir::new().expect("a folder");
    let locks = locks_in(&store, backend);
    let counter = store.path().join("counter");
    fs::write(&counter, "0").expect("writable");
    let start = Barrier::new(11);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            while !done.load(Ordering::Relaxed) {
                meanwhile(&locks);
                thread::yield_now();
            }
        });
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
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::read_to_string(&counter).expect("readable"), "1000");
}

#[rstest]
#[case::os(LockBackend::Os)]
#[case::directory(LockBackend::Directory)]
fn parallel_writes_lose_nothing(#[case] backend: LockBackend) {
    ten_threads_add_a_hundred(backend, |_| {});
}

#[rstest]
#[case::os(LockBackend::Os)]
#[case::directory(LockBackend::Directory)]
fn cleaning_never_makes_two_holders(#[case] backend: LockBackend) {
    ten_threads_add_a_hundred(backend, |locks| {
        locks.clean().expect("cleanable");
    });
}

#[rstest]
#[case::os(LockBackend::Os)]
#[case::directory(LockBackend::Directory)]
fn listing_fails_nobody(#[case] backend: LockBackend) {
    ten_threads_add_a_hundred(backend, |locks| {
        locks.list().expect("listable");
    });
}

/// The kernel knows who holds a lock of its own. Of a directory's holder only Linux tells enough; on
/// other systems a person who breaks the lock is obeyed.
fn can_be_seen_to_live(holder_of: LockBackend) -> bool {
    holder_of == LockBackend::Os || cfg!(target_os = "linux")
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
    if can_be_seen_to_live(backend) {
        assert!(matches!(locks.break_lock(&name), Ok(BreakOutcome::Refused(Some(_)))));
    }

    drop(guard);
    // Not at once: the waiter that gave up may hold it for a moment.
    drop(locks.acquire(&name, None).expect("free again"));
}

#[rstest]
#[case::os(LockBackend::Os)]
#[case::directory(LockBackend::Directory)]
fn there_is_nothing_to_break_about_an_idle_lock(#[case] backend: LockBackend) {
    let store = TempDir::new().expect("a folder");
    let locks = locks_in(&store, backend);
    assert_eq!(locks.break_lock(&name("a")).expect("readable"), BreakOutcome::Idle);
    drop(locks.acquire(&name("a"), None).expect("free"));
    assert_eq!(locks.break_lock(&name("a")).expect("readable"), BreakOutcome::Idle);
}

#[rstest]
#[case::os(LockBackend::Os)]
#[case::directory(LockBackend::Directory)]
fn stale_lock_is_reported_not_broken(#[case] backend: LockBackend) {
    let store = TempDir::new().expect("a folder");
    let settings = LockSettings { stale_after: Duration::ZERO, ..LockSettings::default() };
    let locks = FsLocks::new(store.path().join("locks"), backend, settings);
    let name = name("WORK-001");
    let guard = locks.acquire(&name, None).expect("free");

    let [state] = &locks.list().expect("readable")[..] else { panic!("one lock") };
    assert!(state.held && state.stale);
    assert!(locks.clean().expect("readable").is_empty());
    if can_be_seen_to_live(backend) {
        assert!(matches!(locks.break_lock(&name), Ok(BreakOutcome::Refused(Some(_)))));
    }
    assert!(locks.acquire(&name, AT_ONCE).is_err(), "it is still held");

    drop(guard);
    assert!(locks.list().expect("readable").iter().all(|state| !state.held && !state.stale));
}

#[rstest]
#[case::os(LockBackend::Os)]
#[case::directory(LockBackend::Directory)]
fn cleaning_removes_what_idle_locks_leave_and_nothing_else(#[case] backend: LockBackend) {
    let store = TempDir::new().expect("a folder");
    let locks = locks_in(&store, backend);
    drop(locks.acquire(&name("WORK-001"), None).expect("free"));
    drop(locks.try_acquire(&LockName::worker(7)).expect("usable").expect("free"));
    let held = locks.acquire(&name("WORK-002"), None).expect("free");
    fs::write(store.path().join("local/locks/notes.txt"), "mine").expect("writable");

    locks.clean().expect("cleanable");
    let names: Vec<_> = locks.list().expect("readable").into_iter().map(|it| it.name).collect();
    assert_eq!(names, [name("WORK-002")]);
    assert!(locks.try_acquire(&name("WORK-002")).expect("usable").is_none());
    drop(held);
    locks.clean().expect("cleanable");
    let left = fs::read_dir(store.path().join("local/locks")).expect("readable");
    let left: Vec<_> = left.map(|entry| entry.expect("readable").file_name()).collect();
    assert_eq!(left, ["notes.txt"]);
}

#[rstest]
#[case::os(LockBackend::Os)]
#[case::directory(LockBackend::Directory)]
fn a_waiter_gets_the_lock_when_its_holder_leaves(#[case] backend: LockBackend) {
    let store = TempDir::new().expect("a folder");
    let locks = locks_in(&store, backend);
    let holder = locks.acquire(&name("graph"), None).expect("free");
    thread::scope(|scope| {
        let waiter = scope.spawn(|| locks.acquire(&name("graph"), None).map(drop));
        drop(locks.acquire(&name("other"), AT_ONCE).expect("another lock is another lock"));
        drop(holder);
        waiter.join().expect("no panic").expect("free in time");
    });
}

#[rstest]
#[case::os(LockBackend::Os)]
#[case::directory(LockBackend::Directory)]
fn a_missing_folder_is_made_but_not_a_missing_store(#[case] backend: LockBackend) {
    let store = TempDir::new().expect("a folder");
    let locks = locks_in(&store, backend);
    assert!(locks.list().expect("nothing there is no error").is_empty());
    assert!(locks.clean().expect("nothing there is no error").is_empty());
    drop(locks.acquire(&name("a"), None).expect("free"));

    let nowhere =
        FsLocks::new(store.path().join("no/store/local/locks"), backend, LockSettings::default());
    assert!(matches!(nowhere.acquire(&name("a"), None), Err(LockError::Storage { .. })));
    assert!(!store.path().join("no").exists());
}

#[test]
fn attempts_for_a_directory_lock_are_bounded() {
    let store = TempDir::new().expect("a folder");
    let back_off = BackOff { base: Duration::ZERO, max_attempts: 3, ..BackOff::default() };
    let settings = LockSettings { timeout: Duration::MAX, back_off, ..LockSettings::default() };
    let locks = FsLocks::new(store.path().join("locks"), LockBackend::Directory, settings);
    let _held = locks.acquire(&name("a"), None).expect("free");
    assert!(matches!(locks.acquire(&name("a"), None), Err(LockError::TimedOut { .. })));
}

#[test]
fn those_who_share_hold_it_together_and_exclude_the_rest() {
    let store = TempDir::new().expect("a folder");
    let locks = locks_in(&store, LockBackend::Os);
    let name = name("file");
    let one = locks.acquire_shared(&name, AT_ONCE).expect("free");
    let two = locks.acquire_shared(&name, AT_ONCE).expect("shared");
    assert!(locks.acquire(&name, AT_ONCE).is_err());
    drop((one, two));
    let _alone = locks.acquire(&name, AT_ONCE).expect("free again");
    assert!(locks.acquire_shared(&name, AT_ONCE).is_err());
}

/// What the system itself forbids there takes the place of the look at the locked file's identity.
#[cfg(windows)]
mod on_windows {
    use super::*;

    #[test]
    fn a_held_lock_file_can_be_neither_removed_nor_renamed() {
        let store = TempDir::new().expect("a folder");
        let locks = locks_in(&store, LockBackend::Os);
        let file = store.path().join("local/locks/graph.lock");
        let held = locks.acquire(&name("graph"), None).expect("free");
        assert!(fs::remove_file(&file).is_err());
        assert!(fs::rename(&file, store.path().join("elsewhere")).is_err());
        assert!(locks.try_acquire(&name("graph")).expect("usable").is_none());
        drop(held);
        fs::remove_file(&file).expect("nobody has it open");
    }

    #[test]
    fn the_holder_is_named_beside_a_file_that_nobody_can_read() {
        let store = TempDir::new().expect("a folder");
        let locks = locks_in(&store, LockBackend::Os);
        let file = store.path().join("local/locks/graph.lock");
        let held = locks.acquire(&name("graph"), None).expect("free");
        let record = fs::read_to_string(file.with_extension("holder")).expect("readable");
        assert!(record.contains(&format!("\"pid\":{}", std::process::id())), "{record}");
        assert_eq!(fs::metadata(&file).expect("there").len(), 0);
        drop(held);
        locks.clean().expect("cleanable");
        assert_eq!(fs::read_dir(store.path().join("local/locks")).expect("there").count(), 0);
    }
}

#[cfg(unix)]
mod os {
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::sync::Mutex;
    use std::time::Instant;

    use super::*;

    #[test]
    fn whoever_gave_up_gives_the_lock_back() {
        let store = TempDir::new().expect("a folder");
        let locks = locks_in(&store, LockBackend::Os);
        let name = name("graph");
        let holder = locks.acquire(&name, None).expect("free");
        let file = store.path().join("local/locks/graph.lock");
        until(|| {
            locks.acquire(&name, Some(Duration::from_millis(5))).expect_err("busy");
            waiters(&file) > 0
        });
        drop(holder);
        until(|| waiters(&file) == 0);
        drop(locks.acquire(&name, None).expect("given back"));
    }

    #[test]
    fn waiters_are_served_in_the_order_of_their_arrival() {
        let store = TempDir::new().expect("a folder");
        let locks = locks_in(&store, LockBackend::Os);
        let name = name("graph");
        let file = store.path().join("local/locks/graph.lock");
        let holder = locks.acquire(&name, None).expect("free");
        let served = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for number in 0..8 {
                let (locks, name, served) = (&locks, &name, &served);
                scope.spawn(move || {
                    let guard = locks.acquire(name, None).expect("free in time");
                    served.lock().expect("no panic").push(number);
                    drop(guard);
                });
                until(|| waiters(&file) > number);
            }
            drop(holder);
        });
        assert_eq!(*served.lock().expect("no panic"), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    /// Waits for what must come to pass; its limit only keeps a broken lock from hanging the test.
    fn until(condition: impl Fn() -> bool) {
        let since = Instant::now();
        while !condition() {
            assert!(since.elapsed() < Duration::from_secs(60), "it never came to pass");
            thread::yield_now();
        }
    }

    /// How many threads wait in the kernel's queue for the lock of a file. Other processes wait for
    /// files of the same number on other file systems.
    fn waiters(file: &Path) -> usize {
        let ours = format!(" {} ", std::process::id());
        let inode = format!(":{} ", fs::metadata(file).expect("there").ino());
        let locks = fs::read_to_string("/proc/locks").expect("readable");
        let waits = |line: &&str| [" -> ", &ours, &inode].iter().all(|part| line.contains(part));
        locks.lines().filter(waits).count()
    }

    #[rstest]
    #[case::to_a_file("target")]
    #[case::to_nothing("nothing")]
    fn a_link_in_place_of_a_lock_file_is_refused(#[case] target: &str) {
        let store = TempDir::new().expect("a folder");
        let target = store.path().join(target);
        fs::write(store.path().join("target"), "precious").expect("writable");
        let locks = locks_in(&store, LockBackend::Os);
        drop(locks.acquire(&name("first"), None).expect("free"));
        symlink(&target, store.path().join("local/locks/a.lock")).expect("linked");

        assert!(matches!(locks.acquire(&name("a"), None), Err(LockError::Storage { .. })));
        let precious = fs::read_to_string(store.path().join("target")).expect("readable");
        assert_eq!(precious, "precious");
        assert!(!store.path().join("nothing").exists());
    }

    #[test]
    fn a_lock_file_that_was_replaced_is_not_a_lock() {
        let store = TempDir::new().expect("a folder");
        let locks = locks_in(&store, LockBackend::Os);
        let file = store.path().join("local/locks/graph.lock");
        let holder = locks.acquire(&name("graph"), None).expect("free");
        thread::scope(|scope| {
            let waiter = scope.spawn(|| locks.acquire(&name("graph"), None).expect("in time"));
            until(|| waiters(&file) > 0);
            // What cleaning does, while it holds the lock.
            fs::remove_file(&file).expect("removed");
            let newer = locks.acquire(&name("graph"), AT_ONCE).expect("a new file");
            drop(holder);
            until(|| waiters(&file) > 0 || waiter.is_finished());
            assert!(!waiter.is_finished(), "two would hold it");
            drop(newer);
            drop(waiter.join().expect("no panic"));
        });
    }

    #[test]
    fn a_pipe_in_place_of_a_lock_file_is_refused() {
        let store = TempDir::new().expect("a folder");
        let locks = locks_in(&store, LockBackend::Os);
        drop(locks.acquire(&name("first"), None).expect("free"));
        let pipe = store.path().join("local/locks/a.lock");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("runs");
        assert!(made.success());
        assert!(matches!(locks.acquire(&name("a"), None), Err(LockError::Storage { .. })));
    }
}
