//! What must be shown before items are completed, with real shells.

#![allow(clippy::disallowed_methods, reason = "tests look at files as they are")]
#![cfg(unix)]

use std::fs;
use std::process::Stdio;

use jerry_tests::Jerry;

/// A store whose tasks ask for `command`, and a task that is claimed in the session `s`.
fn with_gate(command: &str) -> (Jerry, String) {
    let jerry = Jerry::new();
    jerry.ok(["config", "set", "gates.task", &format!("cmd: {command}")]);
    let id = jerry.create("$(touch pwned); `touch pwned` 'touch pwned");
    jerry.ok(["claim", &id, "--session", "s"]);
    (jerry, id)
}

/// It has the item's name, acts under its claim, finds the store from anywhere, and the answer is
/// still one line of JSON.
#[test]
fn a_gate_command_works_on_the_item_that_it_is_run_for() {
    let program = jerry_tests::binary();
    let command =
        format!("cd / && echo said && '{}' note \"$JERRY_ITEM\" 'tests pass'", program.display());
    let (jerry, id) = with_gate(&command);
    let done = jerry.command(["--json", "complete", &id, "--session", "s"]).output();
    let done = done.expect("runs");
    assert!(done.status.success(), "{done:?}");
    let answer: serde_json::Value = serde_json::from_slice(&done.stdout).expect("one answer");
    assert_eq!(answer["item"]["status"], "completed");
    assert_eq!(answer["item"]["notes"][0]["text"], "tests pass");
    assert!(String::from_utf8_lossy(&done.stderr).contains("said"), "{done:?}");
    assert!(!jerry.folder().join("pwned").exists());
}

/// In a working tree commands run at its root, wherever whoever completes the item stands.
#[test]
fn a_gate_command_runs_at_the_root_of_the_working_tree() {
    let (jerry, id) = with_gate("pwd > where.txt");
    fs::create_dir(jerry.folder().join(".git")).expect("made");
    let below = jerry.folder().join("src/deep");
    fs::create_dir_all(&below).expect("made");
    let mut complete = jerry.command(["complete", &id, "--session", "s"]);
    assert!(complete.current_dir(&below).output().expect("runs").status.success());
    let said = fs::read_to_string(jerry.folder().join("where.txt")).expect("written at the root");
    assert_eq!(said.trim(), jerry.folder().display().to_string());
}

/// Whoever looks at a store, or writes to it otherwise, runs nothing that its settings say.
#[test]
fn nothing_but_complete_runs_a_gate_command() {
    let (jerry, id) = with_gate("touch ran");
    let id = id.as_str();
    for command in [
        &["list"][..],
        &["ready", "--explain"],
        &["why", id],
        &["show", id],
        &["config", "show"],
        &["doctor"],
        &["note", id, "x", "--session", "s"],
        &["check", id, "--add", "It holds", "--session", "s"],
        &["export"],
        &["create", "another"],
    ] {
        jerry.ok(command);
    }
    let update = ["--json", "update", id, "--status", "completed", "--session", "s"];
    assert_eq!(jerry.run(update).error(4)["code"], "gate");
    assert!(!jerry.folder().join("ran").exists());
    jerry.ok(["complete", id, "--session", "s", "--force"]);
    assert!(!jerry.folder().join("ran").exists(), "who insists passes by it");
    jerry.ok(["reopen", id]);
    jerry.ok(["complete", id]);
    assert!(jerry.folder().join("ran").exists());
}

#[test]
fn a_completion_that_is_killed_while_its_command_runs_has_changed_nothing() {
    let (jerry, id) =
        with_gate("echo $$ > running.tmp && mv running.tmp running && exec sleep 600");
    let before = jerry.item(&id);
    let mut complete = jerry.command(["complete", &id, "--session", "s"]);
    let mut child = complete.stderr(Stdio::null()).stdout(Stdio::null()).spawn().expect("runs");
    let running = jerry.folder().join("running");
    while !running.exists() {
        assert!(child.try_wait().expect("a child").is_none(), "it waits for its command");
        std::thread::yield_now();
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    let pid = fs::read_to_string(&running).expect("written");
    let killed = std::process::Command::new("kill").arg(pid.trim()).status().expect("runs");
    assert!(killed.success());
    assert_eq!(jerry.item(&id), before);
    jerry.ok(["note", &id, "not locked", "--session", "s"]);
}

/// What `work` ends with is a completion, too.
#[test]
fn work_is_completed_through_its_gates() {
    let jerry = Jerry::new();
    jerry.ok(["config", "set", "gates.task", "cmd: test -e ready"]);
    let id = jerry.create("x");
    let work = |command: &str| jerry.json(["work", &id, "--", "sh", "-c", command]);
    assert_eq!(work("true").error(4)["code"], "gate");
    assert_eq!(jerry.item(&id)["status"], "pending", "another may see to it");
    jerry.ok(["config", "set", "gates.task", "cmd: test \"$JERRY_ITEM\" && test -e ready"]);
    assert_eq!(work("touch ready").json()["item"]["status"], "completed");
}
