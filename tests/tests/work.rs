//! `work`: an item is taken for exactly as long as somebody works on it.

#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "tests arrange files as they like")]

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use jerry_tests::strace::{can_inject, inject};
use jerry_tests::{Jerry, Outcome, list};
use rstest::rstest;
use serde_json::{Value, json};

/// A command that says that it runs, and ends when it is told to.
struct Worker {
    jerry: Child,
    command: u32,
    go_on: PathBuf,
}

impl Worker {
    /// Starts `jerry work ARGS -- CMD` and waits until CMD runs.
    fn start(jerry: &Jerry, args: &[&str], last: &str) -> Self {
        let [up, go_on] = ["up", "go-on"].map(|name| fifo(jerry, name));
        let script = format!("echo $$ > {}; read word < {}; {last}", up.display(), go_on.display());
        let mut command = jerry.command(["--json", "work"]);
        command.args(args).args(["--", "sh", "-c", &script]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let process = command.spawn().expect("starts");
        let command = fs::read_to_string(up).expect("it says so").trim().parse().expect("a pid");
        Self { jerry: process, command, go_on }
    }

    fn go_on(&self) {
        fs::write(&self.go_on, "on\n").expect("somebody reads");
    }

    fn kill_jerry(&mut self) {
        self.jerry.kill().expect("kills");
        self.jerry.wait().expect("is gone");
    }

    /// Ends the command, whose parent need not live any more, and waits until its files are closed.
    fn kill_command(&self) {
        // Nobody else has it open for writing, so the end of the file is the end of the command.
        send("KILL", self.command);
    }

    fn end(mut self) -> (Option<i32>, Value) {
        let mut text = String::new();
        let out = self.jerry.stdout.take();
        out.expect("piped").read_to_string(&mut text).expect("text");
        let status = self.jerry.wait().expect("ends").code();
        (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}")))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.jerry.kill();
        let _ = self.jerry.wait();
        let _ = Command::new("kill").args(["-KILL", &self.command.to_string()]).output();
    }
}

fn send(signal: &str, pid: u32) {
    let sent = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status();
    assert!(sent.expect("kill").success());
}

fn fifo(jerry: &Jerry, name: &str) -> PathBuf {
    let path = jerry.folder().join(name);
    let _ = fs::remove_file(&path);
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    path
}

fn work(jerry: &Jerry, args: &[&str], script: &str) -> Outcome {
    let words = ["--json", "work"].iter().chain(args).copied();
    jerry.run(words.chain(["--", "sh", "-c", script]))
}

fn ready(jerry: &Jerry) -> Vec<String> {
    let answer = jerry.ok(["ready"]);
    let ids = list(&answer["items"]).iter().map(|item| item["id"].as_str().expect("an id"));
    ids.map(str::to_owned).collect()
}

/// Waits until the process is no more: nothing but a look tells, since it is not our child.
fn until_gone(pid: u32) {
    while fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
        std::thread::yield_now();
    }
}

#[rstest]
#[case::by_id(&["1"])]
#[case::next(&["--next"])]
fn what_succeeds_is_completed(#[case] args: &[&str]) {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let script = "env | grep '^JERRY_' > seen; jerry note $JERRY_ITEM 'said by the command'";
    let script = script.replace("jerry note", &format!("{} note", jerry_tests::binary().display()));
    let mut command = jerry.command(["--json", "--actor", "ada", "--session", "s1", "work"]);
    command.args(args).args(["--", "sh", "-c", &script]).current_dir(jerry.folder());
    let outcome = Outcome::of(&mut command);
    assert!(outcome.is_ok(), "{outcome}");
    let answer = outcome.json();
    assert_eq!(answer["kind"], "work");
    assert_eq!(answer["command"], json!({ "status": 0, "signal": null }));
    assert_eq!(answer["item"]["status"], "completed");
    assert_eq!(answer["item"]["claim"], Value::Null);
    assert_eq!(answer["item"]["notes"][0]["text"], "said by the command");
    let seen = fs::read_to_string(jerry.folder().join("seen")).expect("what it saw");
    let wanted = [format!("JERRY_ITEM={id}"), "JERRY_ACTOR=ada".into(), "JERRY_SESSION=s1".into()];
    for variable in wanted.into_iter().chain(["JERRY_FENCE=2".into()]) {
        assert!(seen.lines().any(|line| line == variable), "{variable} is not in {seen}");
    }
}

#[test]
fn what_fails_is_given_back_with_a_note() {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let outcome = work(&jerry, &["1"], "exit 3");
    assert_eq!(outcome.code(), Some(4));
    let answer = outcome.json();
    assert_eq!(answer["command"], json!({ "status": 3, "signal": null }));
    let item = jerry.item(&id);
    assert_eq!((&item["status"], &item["claim"]), (&json!("pending"), &Value::Null));
    assert_eq!(item["notes"][0]["text"], "the command ended with exit status 3");
    assert_eq!(ready(&jerry), [id]);
}

#[rstest]
#[case::by_path("/no/such/program")]
#[case::by_name("no-such-program")]
#[case::not_executable("./plain")]
#[case::a_folder("/tmp")]
#[case::nothing("")]
fn for_what_is_no_program_nothing_is_claimed(#[case] program: &str) {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    fs::write(jerry.folder().join("plain"), "true").expect("written");
    let mut command = jerry.command(["--json", "work", &id, "--", program]);
    let outcome = Outcome::of(command.current_dir(jerry.folder()));
    assert_eq!(outcome.error(2)["code"], "usage");
    assert_eq!(jerry.item(&id)["version"], 1);
}

/// It looks like a program until the system is asked.
#[test]
fn what_cannot_be_run_after_all_is_given_back() {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let program = jerry.folder().join("program");
    fs::write(&program, "#!/no/such/interpreter\n").expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
    let program = program.display().to_string();
    let outcome = jerry.run(["--json", "work", &id, "--", &program]);
    assert_eq!(outcome.error(2)["code"], "usage");
    assert_eq!(jerry.item(&id)["status"], "pending");
}

#[rstest]
#[case::left(&["1", "--leave"], "true", "in_progress")]
#[case::blocked_by_the_command(&["1"], "jerry block $JERRY_ITEM", "blocked")]
#[case::completed_by_the_command(&["1"], "jerry complete $JERRY_ITEM", "completed")]
#[case::given_back_by_the_command(&["1"], "jerry release $JERRY_ITEM", "pending")]
fn what_the_command_decided_stands(
    #[case] args: &[&str],
    #[case] script: &str,
    #[case] status: &str,
) {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let script = script.replace("jerry ", &format!("{} ", jerry_tests::binary().display()));
    let outcome = work(&jerry, args, &script);
    assert!(outcome.is_ok(), "{outcome}");
    let item = jerry.item(&id);
    assert_eq!((&item["status"], &item["claim"]), (&json!(status), &Value::Null));
}

#[test]
fn what_may_not_be_completed_is_given_back() {
    let jerry = Jerry::new();
    let whole = jerry.create("the whole");
    jerry.ok(["create", "a part", "--parent", &whole]);
    let outcome = work(&jerry, &[&whole], "true");
    assert_eq!(outcome.error(4)["code"], "unfinished_parts");
    let item = jerry.item(&whole);
    assert_eq!((&item["status"], &item["claim"]), (&json!("pending"), &Value::Null));
}

/// Neither is enough: somebody may still work.
#[rstest]
#[case::jerry_first(true)]
#[case::the_command_first(false)]
fn an_item_is_free_once_jerry_and_the_command_are_dead_and_not_before(#[case] jerry_first: bool) {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let mut worker = Worker::start(&jerry, &["1"], "exit 0");
    let fence = jerry.item(&id)["claim"]["fence"].to_string();
    let is_taken = || {
        assert_eq!(jerry.refused(5, ["claim", &id])["code"], "claimed");
        assert_eq!(jerry.refused(5, ["note", &id, "by another"])["code"], "claimed");
        assert_eq!(jerry.refused(5, ["work", &id, "--", "true"])["code"], "claimed");
        assert_eq!(jerry.refused(7, ["claim", "--next"])["code"], "nothing_ready");
        assert_eq!(jerry.refused(7, ["work", "--next", "--", "true"])["code"], "nothing_ready");
        assert!(ready(&jerry).is_empty());
    };
    is_taken();
    if jerry_first {
        worker.kill_jerry();
        is_taken();
        worker.kill_command();
        until_gone(worker.command);
    } else {
        // With its parent stopped nobody gives the item back.
        send("STOP", worker.jerry.id());
        worker.kill_command();
        is_taken();
        worker.kill_jerry();
    }
    assert_eq!(ready(&jerry), [id.as_str()], "without waiting for a lease");
    jerry.ok(["note", &id, "nobody works on it"]);
    let claimed = jerry.ok(["claim", "--next"]);
    assert_eq!(claimed["item"]["id"], id.as_str());
    let late = jerry.refused(5, ["note", &id, "too late", "--fence", &fence]);
    assert_eq!(late["code"], "stale_fence");
}

#[test]
fn who_dies_is_followed_by_the_next_worker() {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let mut worker = Worker::start(&jerry, &["--next"], "exit 0");
    worker.kill_jerry();
    worker.kill_command();
    until_gone(worker.command);
    let outcome = work(&jerry, &["--next"], "true");
    assert!(outcome.is_ok(), "{outcome}");
    assert_eq!(jerry.item(&id)["status"], "completed");
}

#[test]
fn a_signal_is_the_commands_and_the_item_is_given_back() {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let worker = Worker::start(&jerry, &["1"], "exit 0");
    send("TERM", worker.jerry.id());
    let (status, answer) = worker.end();
    assert_eq!(status, Some(130));
    assert_eq!(answer["command"], json!({ "status": null, "signal": 15 }));
    assert_eq!(jerry.item(&id)["status"], "pending");
}

/// Most programs put themselves in order when they are told to end, and exit with 0.
#[rstest]
#[case::unfinished("exit 0", "pending")]
#[case::completed_by_the_command("jerry complete $JERRY_ITEM", "completed")]
fn a_command_that_was_told_to_end_has_not_done_the_work(#[case] last: &str, #[case] left: &str) {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let [up, go_on] = ["up", "go-on"].map(|name| fifo(&jerry, name));
    let last = last.replace("jerry ", &format!("{} ", jerry_tests::binary().display()));
    let (up, go_on) = (up.display(), go_on.display());
    let script = format!("trap '{last}; exit 0' TERM; echo up > {up}; read word < {go_on}");
    let words = ["--json", "work", &id, "--request-id", "r-1", "--", "sh", "-c", &script];
    let mut command = jerry.command(words);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut working = command.spawn().expect("starts");
    drop(fs::read_to_string(up.to_string()).expect("it says so"));
    send("TERM", working.id());
    let mut text = String::new();
    working.stdout.take().expect("piped").read_to_string(&mut text).expect("text");
    assert_eq!(working.wait().expect("ends").code(), Some(130));
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(answer["command"], json!({ "status": 0, "signal": null }));
    let item = jerry.item(&id);
    assert_eq!((&item["status"], &item["claim"]), (&json!(left), &Value::Null));
    let note = item["notes"][0]["text"].to_string();
    assert!(note.contains("told to end"), "{note}");
    // A repeat says the same.
    let again = jerry.run(words);
    assert_eq!((again.code(), again.json()), (Some(130), answer));
}

/// Nothing is the command's any more, and what completes the item may take long.
#[test]
fn a_signal_after_the_command_ends_jerry_and_the_item_is_free() {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let [up, go_on] = ["up", "go-on"].map(|name| fifo(&jerry, name));
    let gate = format!("cmd: echo $$ > {}; read word < {}", up.display(), go_on.display());
    jerry.ok(["config", "set", "gates.default", &gate]);
    let mut working = jerry.command(["work", &id, "--", "true"]).spawn().expect("starts");
    let gate: u32 = fs::read_to_string(up).expect("it runs").trim().parse().expect("a pid");
    send("TERM", working.id());
    let ended = working.wait().expect("ends");
    send("KILL", gate);
    assert_eq!(ended.signal(), Some(15));
    assert_eq!(ready(&jerry), [id]);
}

/// An item is not given back while its command runs, whatever goes wrong.
#[test]
fn a_failure_beside_the_command_waits_for_its_end() {
    if !can_inject() {
        return;
    }
    let script = "sleep 0.2; cp .jerry/data/items/WORK-001.json seen";
    let args = ["work", "1", "--", "sh", "-c", script];
    let begin = || {
        let jerry = Jerry::new();
        jerry.create("to be done");
        jerry
    };
    let jerry = begin();
    drop(inject(&jerry, "fcntl", "error=EIO", 10_000, &args));
    let log = fs::read_to_string(jerry.folder().join("strace.log")).expect("written");
    let calls = log.lines().filter(|line| line.contains("fcntl("));
    let shares = calls.enumerate().filter(|(_, line)| line.contains("F_SETFD, 0)"));
    let [(nth, line)] = shares.collect::<Vec<_>>()[..] else { panic!("{log}") };
    assert!(line.contains("work-WORK-001"), "{line}");

    // strace counts from 1, and what comes next takes the lock back.
    let jerry = begin();
    let injected = inject(&jerry, "fcntl", "error=EIO", nth + 2, &args);
    let call = injected.call.expect("as before");
    assert!(call.contains("work-WORK-001") && call.contains("FD_CLOEXEC"), "{call}");
    assert_eq!(injected.outcome.error(8)["code"], "storage");
    let seen = fs::read(jerry.folder().join("seen")).expect("it came to its end");
    let seen: Value = serde_json::from_slice(&seen).expect("JSON");
    assert_eq!(seen["status"], "in_progress");
    assert_eq!(jerry.item("WORK-001")["status"], "pending");
}

/// What says why the item is not completed is not hidden by what happens next.
#[test]
fn a_gate_that_also_takes_the_claim_away_is_told_as_the_gate() {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let program = jerry_tests::binary();
    let gate = format!("cmd: {} release {id} --force && exit 1", program.display());
    jerry.ok(["config", "set", "gates.default", &gate]);
    assert_eq!(work(&jerry, &["1"], "true").error(4)["code"], "gate");
    assert_eq!(jerry.item(&id)["status"], "pending");
}

/// Two in containers have one process id, and one name would make each the holder of the other's claim.
#[test]
fn each_work_is_a_session_of_its_own() {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let worker = Worker::start(&jerry, &["1"], "exit 0");
    let session = jerry.item(&id)["claim"]["session"].as_str().expect("a name").to_owned();
    let pid = format!("work-{}-", worker.jerry.id());
    let since = session.strip_prefix(&pid).map(|since| u64::from_str_radix(since, 16));
    assert!(since.is_some_and(|since| since.is_ok()), "{session}");
    let refused = jerry.refused(5, ["note", &id, "x", "--session", pid.trim_end_matches('-')]);
    assert_eq!(refused["code"], "claimed");
}

/// An agent may take it for the end of a step.
#[test]
fn an_interrupt_that_the_command_survives_is_its_own_matter() {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let script = "exit 0";
    let worker = Worker::start(&jerry, &["1"], script);
    send("INT", worker.jerry.id());
    worker.go_on();
    let (status, answer) = worker.end();
    assert_eq!((status, &answer["item"]["status"]), (Some(0), &json!("completed")));
    assert_eq!(jerry.item(&id)["status"], "completed");
}

/// A descriptor that is left open in the background does not keep the item.
#[test]
fn what_the_command_leaves_behind_does_not_hold_the_item() {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let [up, held] = ["up", "held"].map(|name| fifo(&jerry, name));
    let script = format!(
        "(echo > {}; read word < {}) > /dev/null 2>&1 & exit 3",
        up.display(),
        held.display()
    );
    let outcome = work(&jerry, &["1"], &script);
    assert_eq!(outcome.code(), Some(4), "{outcome}");
    fs::read(up).expect("it runs in the background");
    assert!(work(&jerry, &["1"], "true").is_ok());
    assert_eq!(jerry.item(&id)["status"], "completed");
    drop(File::options().write(true).open(held).expect("it still reads"));
}

#[test]
fn a_claim_that_was_taken_by_force_ends_the_work_with_a_conflict() {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let worker = Worker::start(&jerry, &["1"], "exit 0");
    jerry.ok(["--actor", "bob", "claim", &id, "--force"]);
    worker.go_on();
    let (status, answer) = worker.end();
    assert_eq!((status, &answer["error"]["code"]), (Some(5), &json!("stale_fence")));
    assert_eq!(jerry.item(&id)["claim"]["holder"], "bob");
}

/// Its claim is gone, and yet somebody works on it.
#[test]
fn what_is_still_worked_on_is_not_given_to_the_next() {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let worker = Worker::start(&jerry, &["1"], "exit 0");
    jerry.ok(["release", &id, "--force"]);
    assert_eq!(jerry.refused(7, ["work", "--next", "--", "true"])["code"], "nothing_ready");
    assert_eq!(jerry.refused(6, ["work", &id, "--", "true"])["code"], "busy");
    worker.go_on();
    let (status, answer) = worker.end();
    assert_eq!((status, &answer["item"]["status"]), (Some(0), &json!("pending")));
    assert!(work(&jerry, &["--next"], "true").is_ok());
}

/// Asks for work under the name `r-1`; what is done is written into the file `done`.
fn named(jerry: &Jerry, args: &[&str], script: &str) -> Outcome {
    let script = format!("echo $JERRY_ITEM >> done; {script}");
    let script = script.replace("jerry ", &format!("{} ", jerry_tests::binary().display()));
    let mut command = jerry.command(["--json", "work", "--request-id", "r-1"]);
    command.args(args).args(["--", "sh", "-c", &script]);
    Outcome::of(command.current_dir(jerry.folder()))
}

fn done(jerry: &Jerry) -> String {
    fs::read_to_string(jerry.folder().join("done")).expect("what was done")
}

#[rstest]
#[case::success(&["1"], "true")]
#[case::success_of_the_next(&["--next"], "true")]
#[case::left(&["1", "--leave"], "true")]
#[case::failure(&["1"], "exit 3")]
#[case::failure_of_the_next(&["--next"], "exit 3")]
#[case::a_signal(&["1"], "kill -KILL $$")]
#[case::completed_by_the_command(&["1"], "jerry complete $JERRY_ITEM")]
#[case::completed_by_the_command_that_failed(&["1"], "jerry complete $JERRY_ITEM && exit 3")]
fn work_with_a_name_is_done_once(#[case] args: &[&str], #[case] script: &str) {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let first = named(&jerry, args, script);
    // What is open again is somebody else's by now.
    drop(jerry.run(["claim", &id, "--session", "another"]));
    let item = jerry.item(&id);
    jerry.create("too late");
    let second = named(&jerry, args, script);
    assert_eq!((second.code(), second.json()), (first.code(), first.json()));
    assert_eq!(jerry.item(&id), item);
    assert_eq!(done(&jerry), format!("{id}\n"));
}

#[test]
fn work_with_a_name_that_may_not_be_completed_is_not_done_again() {
    let jerry = Jerry::new();
    let whole = jerry.create("the whole");
    jerry.ok(["create", "a part", "--parent", &whole]);
    assert_eq!(named(&jerry, &[&whole], "true").error(4)["code"], "unfinished_parts");
    let again = named(&jerry, &[&whole], "true");
    assert_eq!(again.code(), Some(4));
    let note = again.json()["item"]["notes"][0]["text"].to_string();
    assert!(note.contains("it could not be completed"), "{note}");
    assert_eq!(done(&jerry), format!("{whole}\n"));
}

#[test]
fn work_with_a_name_that_did_not_end_goes_on_with_the_same_item() {
    let jerry = Jerry::new();
    let id = jerry.create("to be done");
    let mut worker = Worker::start(&jerry, &["--next", "--request-id", "r-1"], "exit 0");
    jerry.ok(["create", "more urgent", "--priority", "critical"]);
    assert_eq!(named(&jerry, &["--next"], "true").error(5)["code"], "claimed");
    worker.kill_jerry();
    worker.kill_command();
    until_gone(worker.command);
    for _ in 0..2 {
        let answer = named(&jerry, &["--next"], "true").json();
        assert_eq!(answer["item"]["id"], id.as_str());
        assert_eq!(answer["item"]["status"], "completed");
    }
    assert_eq!(done(&jerry), format!("{id}\n"));
}

#[test]
fn twenty_who_ask_under_one_name_do_it_once() {
    let jerry = Jerry::new();
    (0..3).for_each(|number| drop(jerry.create(&format!("item {number}"))));
    let codes: Vec<_> = std::thread::scope(|scope| {
        let ask = || named(&jerry, &["--next"], "true").code();
        let asked: Vec<_> = (0..20).map(|_| scope.spawn(ask)).collect();
        asked.into_iter().map(|one| one.join().expect("answers")).collect()
    });
    // Who comes while it is done is told so.
    assert!(codes.iter().all(|code| [Some(0), Some(5)].contains(code)), "{codes:?}");
    assert_eq!(done(&jerry).lines().count(), 1);
}

#[test]
fn twenty_workers_share_thirty_items() {
    let jerry = Jerry::new();
    (0..30).for_each(|number| drop(jerry.create(&format!("item {number}"))));
    let script = "mkdir at-$JERRY_ITEM && rmdir at-$JERRY_ITEM && echo $JERRY_ITEM >> done";
    let worker = || {
        let mut done = 0;
        loop {
            let mut command = jerry.command(["--json", "work", "--next", "--", "sh", "-c", script]);
            let outcome = Outcome::of(command.current_dir(jerry.folder()));
            if outcome.code() == Some(7) {
                return done;
            }
            assert!(outcome.is_ok(), "{outcome}");
            done += 1;
        }
    };
    let done: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..20).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().expect("works")).sum()
    });
    assert_eq!(done, 30);
    let text = fs::read_to_string(jerry.folder().join("done")).expect("what was done");
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 30, "each once");
    jerry.assert_sound();
}
