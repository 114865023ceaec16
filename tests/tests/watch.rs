//! Watchers as processes: who comes back with its cursor has missed nothing, whatever became of the
//! watcher, of the hints of the system, and of those who write meanwhile.

#![allow(clippy::disallowed_methods, reason = "changes files as people and git do")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[cfg(target_os = "linux")]
use jerry_tests::strace::{can_inject, tampered};
use jerry_tests::{Jerry, Outcome, list};
use serde_json::Value;

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}

/// A cursor as of now.
fn cursor(jerry: &Jerry) -> String {
    let error = jerry.refused(7, ["watch", "--once", "--timeout", "0"]);
    text(&error["context"], "cursor").to_owned()
}

/// What is told at once to whoever comes with `cursor`, and the next cursor.
fn since(jerry: &Jerry, cursor: &str) -> (Vec<Value>, String) {
    let outcome = jerry.json(["watch", "--once", "--timeout", "0", "--since", cursor]);
    told(&outcome)
}

fn told(outcome: &Outcome) -> (Vec<Value>, String) {
    if outcome.code() == Some(7) {
        return (Vec::new(), text(&outcome.error(7)["context"], "cursor").to_owned());
    }
    assert!(outcome.is_ok(), "{outcome}");
    let answer = outcome.json();
    (list(&answer["changes"]).to_vec(), text(&answer, "cursor").to_owned())
}

fn kinds(changes: &[Value]) -> Vec<(&str, &str)> {
    changes.iter().map(|change| (text(change, "change"), text(change, "id"))).collect()
}

#[test]
fn whatever_happens_to_an_item_is_told() {
    let jerry = Jerry::new();
    let [kept, gone, by_hand, away] = ["a", "b", "c", "d"].map(|title| jerry.create(title));
    let first = cursor(&jerry);
    assert_eq!(since(&jerry, &first), (Vec::new(), first.clone()));

    jerry.ok(["start", &kept]);
    jerry.ok(["delete", &gone, "-m", "why not"]);
    let edited = String::from_utf8(jerry.bytes(&by_hand)).expect("text").replace("\"c\"", "\"e\"");
    fs::write(jerry.item_path(&by_hand), edited).expect("written");
    fs::remove_file(jerry.item_path(&away)).expect("removed");
    let new = jerry.create("new");

    let (changes, second) = since(&jerry, &first);
    let mut found = kinds(&changes);
    found.sort_unstable_by_key(|(_, id)| *id);
    let expected = [
        ("changed", kept.as_str()),
        ("deleted", gone.as_str()),
        ("changed", by_hand.as_str()),
        ("deleted", away.as_str()),
        ("created", new.as_str()),
    ];
    assert_eq!(found, expected);
    let of = |id: &str| changes.iter().find(|change| change["id"] == id).expect("told");
    assert_eq!(
        (&of(&gone)["reason"], &of(&gone)["item"]["title"]),
        (&"why not".into(), &"b".into())
    );
    assert!(of(&away)["item"].is_null());
    assert_eq!(of(&by_hand)["item"]["title"], "e");
    // The same cursor again, as of somebody who was killed before it had read the answer.
    assert_eq!(since(&jerry, &first), (changes, second.clone()));
    assert_eq!(since(&jerry, &second), (Vec::new(), second));
}

#[test]
fn a_cursor_that_is_not_known_is_an_error_and_no_gap() {
    let jerry = Jerry::new();
    jerry.create("one");
    let cursor = cursor(&jerry);
    let folder = jerry.path("local/cursors");
    let file = fs::read_dir(&folder).expect("there").next().expect("one").expect("listed").path();
    // A power cut took back a part of what was written.
    let whole = fs::read(&file).expect("read");
    fs::write(&file, &whole[..whole.len() - 1]).expect("written");
    let watch = ["watch", "--once", "--since", &cursor];
    assert_eq!(jerry.refused(3, watch)["code"], "unknown_cursor");
    fs::remove_file(&file).expect("removed");
    let error = jerry.refused(3, watch);
    assert!(text(&error, "hint").contains("jerry list --all"), "{error}");
    fs::write(&file, &whole).expect("written");
    assert_eq!(since(&jerry, &cursor).0, [] as [Value; 0]);
}

/// A watcher whose lines are read as they come.
struct Stream {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Stream {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, lines }
    }

    /// The next line; waits for it.
    fn next(&mut self) -> Value {
        let line = self.lines.next().expect("a line").expect("readable");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_stream_tells_changes_as_they_come_each_with_the_cursor_after_it() {
    let jerry = Jerry::new();
    let mut stream = Stream::start(jerry.command(["--json", "watch"]));
    let first = stream.next();
    assert_eq!(first["changes"], Value::Array(Vec::new()));
    let id = jerry.create("one");
    let second = stream.next();
    assert_eq!(kinds(list(&second["changes"])), [("created", id.as_str())]);
    jerry.ok(["note", &id, "n"]);
    assert_eq!(kinds(list(&stream.next()["changes"])), [("changed", id.as_str())]);
    let (changes, _) = since(&jerry, text(&second, "cursor"));
    assert_eq!(kinds(&changes), [("changed", id.as_str())]);
    let (changes, _) = since(&jerry, text(&first, "cursor"));
    assert_eq!(kinds(&changes), [("created", id.as_str())]);
}

#[cfg(unix)]
#[test]
fn a_watcher_that_is_interrupted_ends_by_the_signal() {
    use std::os::unix::process::ExitStatusExt;

    use rustix::process::{Pid, Signal, kill_process};
    let jerry = Jerry::new();
    let mut stream = Stream::start(jerry.command(["--json", "watch"]));
    stream.next();
    let pid = Pid::from_raw(stream.child.id().cast_signed()).expect("a pid");
    kill_process(pid, Signal::INT).expect("it runs");
    // A shell says 130 for it.
    let status = stream.child.wait().expect("it ends");
    assert_eq!(status.signal(), Some(Signal::INT.as_raw()));
}

/// The state of each item, as somebody has it who is told changes only.
#[derive(Default)]
struct Replica(BTreeMap<String, Value>);

impl Replica {
    fn take(&mut self, changes: &[Value]) {
        for change in changes {
            let id = text(change, "id").to_owned();
            match text(change, "change") {
                "deleted" => drop(self.0.remove(&id)),
                _ => drop(self.0.insert(id, change["item"]["version"].clone())),
            }
        }
    }

    /// Looks until nothing is left to be told.
    fn catch_up(&mut self, jerry: &Jerry, mut cursor: String) {
        loop {
            let (changes, next) = since(jerry, &cursor);
            if changes.is_empty() {
                return;
            }
            self.take(&changes);
            cursor = next;
        }
    }

    fn assert_complete(&self, jerry: &Jerry) {
        let stored: BTreeMap<_, _> =
            jerry.items().into_iter().map(|(id, item)| (id, item["version"].clone())).collect();
        assert_eq!(self.0, stored);
    }
}

/// Creates, notes and deletes, one process after the other.
fn write(jerry: &Jerry, rounds: usize) {
    for round in 0..rounds {
        let id = jerry.create("new");
        jerry.ok(["note", &id, "n"]);
        if round % 3 == 0 {
            jerry.ok(["delete", &id]);
        }
    }
}

/// Runs `watcher` with its cursor again and again while three others write.
fn watch_while_others_write(
    jerry: &Jerry,
    watcher: impl Fn(&str) -> Option<(Vec<Value>, String)> + Sync,
) {
    let (mut replica, mut at) = (Replica::default(), cursor(jerry));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                if let Some((changes, next)) = watcher(&at) {
                    replica.take(&changes);
                    at = next;
                }
            }
        });
        let writers: Vec<_> = (0..3).map(|_| scope.spawn(|| write(jerry, 8))).collect();
        let written = writers.into_iter().map(thread::ScopedJoinHandle::join).all(|it| it.is_ok());
        done.store(true, Ordering::SeqCst);
        watching.join().expect("watches");
        assert!(written);
    });
    replica.catch_up(jerry, at);
    replica.assert_complete(jerry);
}

#[test]
fn who_comes_back_with_its_cursor_has_missed_nothing() {
    let jerry = Jerry::new();
    watch_while_others_write(&jerry, |cursor| {
        Some(told(&jerry.json(["watch", "--once", "--timeout", "1", "--since", cursor])))
    });
}

/// It is killed at any time, and begins again where it had read the last whole line.
#[cfg(unix)]
#[test]
fn a_killed_watcher_has_missed_nothing() {
    let jerry = Jerry::new();
    watch_while_others_write(&jerry, |cursor| {
        let mut stream =
            Stream::start(jerry.command(["--json", "watch", "--since", cursor, "--timeout", "1"]));
        let line = stream.lines.next()?.expect("readable");
        // The next line may be half written, or written and never read.
        stream.child.kill().expect("it was not waited for");
        let answer: Value = serde_json::from_str(&line).expect("a whole line");
        let changes = answer.get("changes")?;
        Some((list(changes).to_vec(), text(&answer, "cursor").to_owned()))
    });
}

#[cfg(target_os = "linux")]
#[rstest::rstest]
#[case::not_to_be_had("inotify_init1", "error=EMFILE")]
#[case::refused("inotify_add_watch", "error=ENOSPC")]
#[case::silent("inotify_add_watch", "retval=1")]
fn without_hints_nothing_is_missed(#[case] call: &str, #[case] fault: &str) {
    if !can_inject() {
        return;
    }
    let jerry = Jerry::new();
    let args = |cursor: &str| {
        let args = ["--json", "watch", "--once", "--interval", "50ms", "--since", cursor];
        args.map(str::to_owned)
    };
    let first = cursor(&jerry);
    let id = thread::scope(|scope| {
        // No time-out: it ends when it has seen the change, or not at all.
        let watcher = scope.spawn(|| {
            let args = args(&first);
            let args: Vec<_> = args.iter().map(String::as_str).collect();
            Outcome::of(&mut tampered(&jerry, call, fault, "1+", &args))
        });
        let id = jerry.create("one");
        let (changes, _) = told(&watcher.join().expect("it ends"));
        assert_eq!(kinds(&changes), [("created", id.as_str())]);
        id
    });
    assert_eq!(jerry.item_names(), [id]);
}

/// A folder that was exchanged for another is looked at like any.
#[cfg(unix)]
#[test]
fn what_git_does_to_the_folder_is_told() {
    let jerry = Jerry::new();
    let id = jerry.create("one");
    let mut stream = Stream::start(jerry.command(["--json", "watch", "--interval", "50ms"]));
    stream.next();
    let items = jerry.path("data/items");
    let aside = jerry.path("data/aside");
    fs::rename(&items, &aside).expect("renamed");
    assert_eq!(kinds(list(&stream.next()["changes"])), [("deleted", id.as_str())]);
    fs::rename(&aside, &items).expect("renamed");
    assert_eq!(kinds(list(&stream.next()["changes"])), [("created", id.as_str())]);
}
