//! The adapters among processes, without the command line: locks and ids. A process here is this
//! test program, started again to run one of the `part_of_…` functions.

#![allow(clippy::disallowed_methods, reason = "tests arrange files as they like")]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use jerry_domain::ports::{IdGenerator, LockName};
use jerry_domain::{Prefix, Uid};
use jerry_infra_fs::Store;
use jerry_infra_fs::lock::{FsLocks, LockBackend, LockSettings};
use jerry_tests::{Running, at_once};
use rstest::rstest;
use tempfile::TempDir;

const FOLDER: &str = "JERRY_TEST_FOLDER";
const BACKEND: &str = "JERRY_TEST_BACKEND";

/// Runs `part` of this program in ten processes and panics unless all succeed.
fn in_ten_processes(part: &str, folder: &Path, backend: &str) {
    let program = std::env::current_exe().expect("a test knows itself");
    let command = || {
        let mut command = Command::new(&program);
        command.args([part, "--exact", "--ignored"]).env(FOLDER, folder).env(BACKEND, backend);
        command
    };
    for outcome in at_once((0..10).map(|_| command())) {
        assert!(outcome.is_ok(), "{outcome}");
        assert!(String::from_utf8_lossy(&outcome.stdout).contains("1 passed"), "{outcome}");
    }
}

fn folder() -> PathBuf {
    std::env::var_os(FOLDER).expect("started by another test").into()
}

fn locks_in(folder: &Path) -> FsLocks {
    let directory = std::env::var(BACKEND).is_ok_and(|backend| backend == "directory");
    let backend = if directory { LockBackend::Directory } else { LockBackend::Os };
    FsLocks::new(folder.join("locks"), backend, LockSettings::default())
}

#[rstest]
#[case::os("os")]
#[case::directory("directory")]
fn parallel_writes_of_ten_processes_lose_nothing(#[case] backend: &str) {
    let folder = TempDir::new().expect("a folder");
    let counter = folder.path().join("counter");
    fs::write(&counter, "0").expect("writable");
    in_ten_processes("part_of_the_counting", folder.path(), backend);
    assert_eq!(fs::read_to_string(&counter).expect("readable"), "1000");
}

#[test]
#[ignore = "a process of another test"]
fn part_of_the_counting() {
    let folder = folder();
    let (locks, counter) = (locks_in(&folder), folder.join("counter"));
    let name = LockName::new("counter").expect("a name");
    for _ in 0..100 {
        let _guard = locks.acquire(&name, None).expect("free in time");
        let count: u64 = fs::read_to_string(&counter).expect("readable").parse().expect("a number");
        fs::write(&counter, (count + 1).to_string()).expect("writable");
    }
}

fn store_in(folder: &Path) -> Store {
    Store::open(&folder.join(".jerry"), LockSettings::default()).expect("a store")
}

fn read_uids(folder: &Path) -> Vec<Uid> {
    let files =
        fs::read_dir(folder).expect("readable").map(|entry| entry.expect("an entry").path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "uids"));
    let texts = files.map(|path| fs::read_to_string(path).expect("readable"));
    texts
        .flat_map(|text| text.lines().map(|line| line.parse().expect("a uid")).collect::<Vec<_>>())
        .collect()
}

/// Takes `count` uids in each of ten threads.
fn in_ten_threads(ids: &dyn IdGenerator, count: usize) -> Vec<Uid> {
    let take = || (0..count).map(|_| pollster::block_on(ids.uids(1)).expect("a uid")[0]).collect();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..10).map(|_| scope.spawn(take)).collect();
        threads
            .into_iter()
            .flat_map(|thread| -> Vec<_> { thread.join().expect("no panic") })
            .collect()
    })
}

#[test]
fn ids_are_unique_across_threads_and_processes() {
    let folder = TempDir::new().expect("a folder");
    Store::init(&folder.path().join(".jerry"), LockBackend::Os, "").expect("a store");
    in_ten_processes("part_of_the_naming", folder.path(), "os");
    let uids = read_uids(folder.path());
    assert_eq!(uids.len(), 10 * 10 * 100, "ten processes of ten threads");
    assert_eq!(uids.iter().collect::<HashSet<_>>().len(), uids.len());

    let ids = store_in(folder.path()).ids();
    let in_threads: HashSet<_> = in_ten_threads(&*ids, 1000).into_iter().collect();
    assert_eq!(in_threads.len(), 10_000);
    assert!(uids.iter().all(|uid| !in_threads.contains(uid)));

    let numbers: Vec<_> = fs::read_dir(folder.path())
        .expect("readable")
        .filter_map(|entry| {
            let path = entry.expect("an entry").path();
            path.extension()?.eq("numbers").then(|| fs::read_to_string(path).expect("readable"))
        })
        .collect();
    let numbers: Vec<_> = numbers.iter().flat_map(|text| text.lines()).collect();
    assert_eq!(numbers.len(), 1000);
    assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), 1000);
}

#[test]
#[ignore = "a process of another test"]
fn part_of_the_naming() {
    let folder = folder();
    let ids = store_in(&folder).ids();
    let uids = in_ten_threads(&*ids, 100);
    let prefix = Prefix::new("WORK").expect("valid");
    let numbers: Vec<_> = (0..100)
        .flat_map(|_| pollster::block_on(ids.work_ids(&prefix, 1)).expect("a number"))
        .collect();
    write_lines(&folder, "uids", &uids);
    write_lines(&folder, "numbers", &numbers);
}

fn write_lines(folder: &Path, extension: &str, lines: &[impl ToString]) {
    let name = format!("{}.{extension}", std::process::id());
    let text: Vec<_> = lines.iter().map(ToString::to_string).collect();
    fs::write(folder.join(name), text.join("\n")).expect("writable");
}

/// One after the other and killed in the middle, on few worker slots or many: no uid comes twice.
#[test]
fn a_killed_process_takes_its_ids_with_it() {
    let folder = TempDir::new().expect("a folder");
    Store::init(&folder.path().join(".jerry"), LockBackend::Os, "").expect("a store");
    let program = std::env::current_exe().expect("a test knows itself");
    for round in 0..20 {
        let mut command = Command::new(&program);
        command.args(["part_that_is_killed", "--exact", "--ignored", "--nocapture"]);
        let output = folder.path().join(format!("{round}.uids"));
        command.env(FOLDER, folder.path()).env("JERRY_TEST_OUTPUT", &output);
        let mut child = Running::start(&mut command);
        while fs::metadata(&output).map_or(0, |metadata| metadata.len()) < 500 * (round % 4 + 1) {
            assert!(child.is_alive(), "it ends only when killed");
            thread::yield_now();
        }
        child.kill();
        drop(child);
        // The last line may be half there: it was never given to anyone.
        let text = fs::read_to_string(&output).expect("readable");
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        fs::write(&output, whole).expect("writable");
    }
    let uids = read_uids(folder.path());
    assert!(uids.len() > 500);
    assert_eq!(uids.iter().collect::<HashSet<_>>().len(), uids.len());
}

#[test]
#[ignore = "a process of another test"]
fn part_that_is_killed() {
    use std::io::Write;
    let ids = store_in(&folder()).ids();
    let output = std::env::var_os("JERRY_TEST_OUTPUT").expect("started by another test");
    let mut output = fs::File::create(output).expect("writable");
    loop {
        let uid = pollster::block_on(ids.uids(1)).expect("a uid")[0];
        writeln!(output, "{uid}").expect("writable");
    }
}
