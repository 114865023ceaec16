//! File systems that are full, forbidden, slow or broken. A command that did not write never says
//! that it did, and what was there stays as it was.
//!
//! Such file systems are arranged with what Unix has: mounts, rights, and strace.

#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "tests arrange files as they like")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use jerry_tests::strace::{can_inject, inject, tampered};
use jerry_tests::{Jerry, Outcome, Tmpfs, at_once, binary, is_root, list, skip, tool};
use rstest::rstest;
use serde_json::Value;

#[test]
fn fs_1_disk_full() {
    let Some(disk) = Tmpfs::mount("64k") else {
        return skip("only root can mount a small disk");
    };
    let jerry = Jerry::at(disk.path());
    jerry.ok(["init"]);
    let mut created = Vec::new();
    let full = loop {
        let outcome = jerry.json(["create", &format!("item {}", created.len())]);
        if !outcome.is_ok() {
            break outcome;
        }
        created.push(jerry_tests::id_in(&outcome.json()));
        assert!(created.len() < 100, "64 KiB do not hold a hundred items");
    };
    let error = full.error(8);
    assert_eq!(error["code"], "disk_full");
    assert!(error["hint"].is_string(), "{error}");
    assert!(!created.is_empty());
    assert_eq!(jerry.item_names(), created, "what was acknowledged is there, and nothing else");
    jerry.assert_sound();

    let before = jerry.bytes(&created[0]);
    let long = "x".repeat(40_000);
    let error = jerry.refused(8, ["update", &created[0], "--description", &long]);
    assert_eq!(error["code"], "disk_full");
    assert_eq!(jerry.bytes(&created[0]), before);
    assert_eq!(jerry.litter(), [""; 0]);
    assert_eq!(jerry.ok(["list"])["total"], created.len(), "reading needs no space");

    // The remedy that the error names works.
    let mut command = Command::new("mount");
    command.args(["-o", "remount,size=256k"]).arg(disk.path());
    assert!(command.status().expect("runs").success());
    jerry.ok(["note", &created[0], "there is space again"]);
    jerry.create("one more");
    jerry.assert_sound();
}

/// A copy of the program that any user can reach, and `jerry ARGS` run by one who owns nothing.
fn as_nobody(jerry: &Jerry, args: &[&str]) -> Outcome {
    if !is_root() {
        return jerry.json(args);
    }
    let copy = jerry.folder().join("jerry-for-all");
    if !copy.try_exists().expect("readable") {
        fs::copy(binary(), &copy).expect("copied");
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).expect("mine");
    }
    let mut command = jerry.command(["--json"]);
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy);
    nobody.args(command.args(args).get_args()).current_dir(jerry.folder()).env_clear();
    nobody.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // A file system that closes files late lets nobody run what was just written.
    let mut outcomes = (0..1000).map(|_| Outcome::of(&mut nobody));
    outcomes.find(|outcome| outcome.code() != Some(126)).expect("the copy can be run")
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mine");
}

#[rstest]
#[case::the_items("data/items")]
#[case::the_locks("local/locks")]
fn fs_2_permission_denied(#[case] folder: &str) {
    if is_root() && !tool("setpriv") {
        return skip("setpriv is missing");
    }
    let jerry = Jerry::new();
    let id = jerry.create("seen, not touched");
    // Everything open to everyone but the one folder.
    let all = Command::new("chmod").args(["-R", "a+rwX"]).arg(jerry.folder()).status();
    assert!(all.expect("runs").success());
    set_mode(jerry.folder(), 0o755);
    set_mode(&jerry.path(folder), 0o555);
    if folder == "local/locks" {
        // A lock file that is there can be locked all the same.
        for entry in fs::read_dir(jerry.path(folder)).expect("readable") {
            fs::remove_file(entry.expect("readable").path()).expect("there");
        }
    }
    let before = jerry.bytes(&id);
    for args in [&["create", "no"][..], &["note", &id, "no"], &["--yes", "delete", &id]] {
        let error = as_nobody(&jerry, args).error(8);
        assert_eq!(error["code"], "permission_denied", "{args:?}");
        assert!(error["hint"].is_string(), "{error}");
        assert_eq!(jerry.bytes(&id), before);
        assert_eq!(jerry.item_names(), [id.as_str()]);
        assert_eq!(jerry.litter(), [""; 0]);
    }
    let listed = as_nobody(&jerry, &["list"]);
    assert!(listed.is_ok(), "{listed}");
    assert_eq!(listed.json()["total"], 1, "{listed}");
    assert!(as_nobody(&jerry, &["show", &id]).is_ok());
    set_mode(&jerry.path(folder), 0o755);
    jerry.ok(["note", &id, "yes"]);
}

/// An item that this user may not read is no absent item.
#[test]
fn an_unreadable_item_is_reported_and_not_overwritten() {
    if is_root() && !tool("setpriv") {
        return skip("setpriv is missing");
    }
    let jerry = Jerry::new();
    let (closed, open) = (jerry.create("closed"), jerry.create("open"));
    let all = Command::new("chmod").args(["-R", "a+rwX"]).arg(jerry.folder()).status();
    assert!(all.expect("runs").success());
    set_mode(jerry.folder(), 0o755);
    set_mode(&jerry.item_path(&closed), 0o000);
    let before = if is_root() { jerry.bytes(&closed) } else { Vec::new() };
    for args in [&["show", &closed][..], &["note", &closed, "no"]] {
        assert_eq!(as_nobody(&jerry, args).error(8)["code"], "permission_denied");
    }
    let listed = as_nobody(&jerry, &["list"]).json();
    assert_eq!(list(&listed["items"]).len(), 1, "{listed}");
    assert_eq!(listed["items"][0]["id"], open.as_str());
    assert_eq!(list(&listed["unreadable"]).len(), 1, "{listed}");
    set_mode(&jerry.item_path(&closed), 0o644);
    assert!(!is_root() || jerry.bytes(&closed) == before);
    assert_eq!(jerry.item(&closed)["version"], 1);
}

/// Every call that makes something durable or visible takes its time, as on a network: writers
/// take turns, nobody loses anything, readers see whole items.
#[test]
fn fs_3_slow_file_system() {
    if !can_inject() {
        return;
    }
    let jerry = Jerry::new();
    let id = jerry.create("written slowly");
    let slow = |args: &[&str]| {
        let args = [&["--json"], args].concat();
        tampered(&jerry, "fsync,rename,renameat2,openat", "delay_enter=20000", "1+", &args)
    };
    let mut commands: Vec<_> =
        (0..4).map(|number| slow(&["note", &id, &number.to_string()])).collect();
    commands.extend((0..3).map(|number| slow(&["create", &number.to_string()])));
    commands.extend((0..4).map(|_| jerry.command(["--json", "show", &id])));
    for outcome in at_once(commands) {
        assert!(outcome.is_ok(), "{outcome}");
    }
    assert_eq!(list(&jerry.item(&id)["notes"]).len(), 4);
    assert_eq!(jerry.item_names().len(), 4);
    jerry.assert_sound();
}

/// What a write may leave when one of its calls fails.
#[derive(Debug, PartialEq)]
enum Left {
    Old,
    New,
}

/// Lets each call of one kind in `jerry ARGS` fail, one a run, and checks what is left of it.
fn fail_every_call(
    jerry: &Jerry,
    call: &str,
    error: &str,
    args: &[&str],
    mut left: impl FnMut(&Outcome) -> Left,
) -> usize {
    for nth in 1..500 {
        let injected = inject(jerry, call, &format!("error={error}"), nth, args);
        let Some(line) = injected.call else { return nth - 1 };
        let outcome = &injected.outcome;
        let found = left(outcome);
        let about = format!("{line}\n{found:?}: {outcome}");
        let to_the_reader = line.contains("(1<") || line.contains("(2<");
        match outcome.code() {
            Some(0) => assert_eq!(found, Left::New, "done, it said: {about}"),
            // Visible, perhaps not durable; or durable, and the answer did not reach the reader.
            Some(9) => assert_eq!(found, Left::New, "{about}"),
            _ if to_the_reader => {}
            _ => assert_eq!(found, Left::Old, "failed, it said: {about}"),
        }
        let of_the_items = line.contains("data/items>)");
        if call == "fsync" && of_the_items {
            assert_eq!(outcome.code(), Some(9), "a failed fsync of the folder: {about}");
            assert_eq!(outcome.error(9)["code"], "indeterminate");
        }
        jerry.assert_sound();
        assert_eq!(jerry.litter(), [""; 0], "{about}");
    }
    panic!("no end of {call}");
}

const CALLS: [&str; 10] = [
    "write",
    "pwrite64",
    "fsync",
    "rename",
    "renameat2",
    "openat",
    "statx",
    "newfstatat",
    "read",
    "flock",
];

#[rstest]
fn no_failed_call_of_a_create_goes_unnoticed(#[values("EIO", "ENOSPC")] error: &str) {
    if !can_inject() {
        return;
    }
    let jerry = Jerry::new();
    let mut failed = 0;
    for call in CALLS {
        let mut known = jerry.item_names();
        failed += fail_every_call(&jerry, call, error, &["create", "to be or not"], |outcome| {
            let names = jerry.item_names();
            let new: Vec<_> = names.iter().filter(|name| !known.contains(name)).collect();
            let left = match new[..] {
                [] => Left::Old,
                [id] => {
                    assert_eq!(jerry.item(id)["title"], "to be or not");
                    if outcome.is_ok() {
                        assert_eq!(outcome.json()["item"]["id"], id.as_str());
                    }
                    Left::New
                }
                _ => panic!("one command made {new:?}"),
            };
            known = names;
            left
        });
    }
    assert!(failed >= 20, "only {failed} calls failed");
}

#[rstest]
fn no_failed_call_of_an_update_goes_unnoticed(#[values("EIO", "ENOSPC")] error: &str) {
    if !can_inject() {
        return;
    }
    let jerry = Jerry::new();
    let id = jerry.create("to be written");
    let mut failed = 0;
    for call in CALLS {
        let mut before = jerry.bytes(&id);
        failed += fail_every_call(&jerry, call, error, &["note", &id, "said"], |_| {
            let now = jerry.bytes(&id);
            let old = now == before;
            if !old {
                let item: Value = serde_json::from_slice(&now).expect("whole");
                let before: Value = serde_json::from_slice(&before).expect("whole");
                assert_eq!(list(&item["notes"]).len(), list(&before["notes"]).len() + 1);
            }
            before = now;
            if old { Left::Old } else { Left::New }
        });
    }
    assert!(failed >= 20, "only {failed} calls failed");
}

/// A deletion that failed left the item where it was and what it was.
#[rstest]
fn no_failed_call_of_a_deletion_goes_unnoticed(#[values("EIO", "ENOSPC")] error: &str) {
    if !can_inject() {
        return;
    }
    let jerry = Jerry::new();
    let mut failed = 0;
    let mut id = jerry.create("to be deleted");
    for call in CALLS.into_iter().chain(["unlink"]) {
        for nth in 1.. {
            // One item at a time and no trace of those before: a deletion looks at all there are.
            if !jerry.json(["show", &id]).is_ok() {
                fs::remove_dir_all(jerry.path("data/tombstones")).expect("there");
                id = jerry.create("to be deleted");
            }
            assert!(nth < 500, "no end of {call}");
            let delete = ["--yes", "delete", &id];
            let injected = inject(&jerry, call, &format!("error={error}"), nth, &delete);
            let Some(line) = injected.call else { break };
            failed += 1;
            let shown = jerry.json(["show", &id]);
            let about = format!("{line}\n{}\n{shown}", injected.outcome);
            let to_the_reader = line.contains("(1<") || line.contains("(2<");
            match injected.outcome.code() {
                Some(0 | 9) => assert_eq!(shown.code(), Some(3), "{about}"),
                _ if to_the_reader => {}
                _ => {
                    assert!(shown.is_ok(), "{about}");
                    jerry.ok(["note", &id, "as alive as before"]);
                }
            }
        }
    }
    assert!(failed >= 20, "only {failed} calls failed");
}

/// A batch: what was acknowledged as a whole is there as a whole.
#[rstest]
fn no_failed_call_of_a_batch_goes_unnoticed(#[values("fsync", "syncfs", "renameat2")] call: &str) {
    if !can_inject() {
        return;
    }
    let jerry = Jerry::new();
    let titles: Vec<_> = (0..20).map(|number| format!("of a batch {number}")).collect();
    let args: Vec<_> = ["create"].into_iter().chain(titles.iter().map(String::as_str)).collect();
    for nth in 1..500 {
        let before = jerry.item_names().len();
        let injected = inject(&jerry, call, "error=EIO", nth, &args);
        let Some(line) = injected.call else { break };
        let made = jerry.item_names().len() - before;
        assert!(!injected.outcome.is_ok() || made == 20, "{made} of 20: {line}");
        jerry.assert_sound();
        assert_eq!(jerry.litter(), [""; 0], "{line}");
    }
}

/// Whoever finds that there is nothing to do answers for what is there. A process that was killed may
/// have left it visible and not durable.
#[rstest]
#[case::change(&["label", "add", "WORK-001", "there"])]
#[case::import(&["import", "--from", "jsonl", "there.jsonl"])]
fn that_nothing_was_to_be_done_is_not_said_before_it_is_durable(#[case] args: &[&str]) {
    if !can_inject() {
        return;
    }
    let jerry = Jerry::new();
    assert_eq!(jerry.create("one"), "WORK-001");
    jerry.ok(["label", "add", "WORK-001", "there"]);
    jerry.ok(["export", "--output", "there.jsonl"]);
    let before = jerry.item("WORK-001");
    assert!(jerry.json(args.iter().copied()).is_ok());
    let injected = inject(&jerry, "fsync", "error=EIO", 1, args);
    assert!(injected.call.is_some_and(|line| line.contains("items")), "{}", injected.outcome);
    assert_eq!(injected.outcome.code(), Some(8), "{}", injected.outcome);
    assert_eq!(jerry.item("WORK-001"), before);
}
