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

/// The store's name is handed on as it is, and names the same from everywhere.
#[test]
fn a_gate_command_finds_a_store_whose_name_is_no_text() {
    use std::os::unix::ffi::OsStrExt;
    let around = Jerry::without_store();
    let folder = around.folder().join(std::ffi::OsStr::from_bytes(b"no \xFF text"));
    if fs::create_dir(&folder).is_err() {
        return jerry_tests::skip("this file system takes texts only");
    }
    let jerry = Jerry::at(&folder);
    jerry.ok(["init"]);
    let gate = "cmd: cd / && test -f \"$JERRY_STORE/data/format.json\"";
    jerry.ok(["config", "set", "gates.task", gate]);
    jerry.ok(["create", "x"]);
    jerry.ok(["--store", ".jerry", "start", "1"]);
    jerry.ok(["--store", ".jerry", "complete", "1"]);
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

/// Wherever it is named from, evidence names a file as everybody finds it.
#[test]
fn a_file_is_kept_as_it_is_seen_from_the_root() {
    let jerry = Jerry::new();
    let id = jerry.create("x");
    jerry.ok(["check", &id, "--add", "It holds"]);
    let below = jerry.folder().join("src/deep");
    fs::create_dir_all(&below).expect("made");
    fs::write(below.join("f.txt"), "x").expect("written");
    let outside = tempfile::NamedTempFile::new().expect("a file");
    let outside = outside.path().display().to_string();
    let entry = jerry.item(&id)["acceptance_criteria"][0]["id"].as_str().expect("an id").to_owned();
    let check = |path: &str, status: i32| {
        let evidence = format!("File:{path}");
        let mut check = jerry.command(["check", &id, &entry, "--evidence", &evidence]);
        let done = check.current_dir(&below).output().expect("runs");
        assert_eq!(done.status.code(), Some(status), "{path}: {done:?}");
        let item = jerry.item(&id);
        let evidence = item["acceptance_criteria"][0]["evidence"].as_array().expect("a list");
        evidence.last().map(|last| last["source"].as_str().expect("a source").to_owned())
    };
    let kept = |path: &str| Some(format!("file:{path}"));
    assert_eq!(check("src/deep/f.txt", 2), None, "it is named from the present folder");
    assert_eq!(check("f.txt", 0), kept("src/deep/f.txt"), "the store's folder");
    fs::create_dir(jerry.folder().join("src/.git")).expect("made");
    assert_eq!(check("../deep/f.txt", 0), kept("deep/f.txt"), "the working tree");
    assert_eq!(check(&outside, 0), kept(&outside));
    for folder in [".", "..", "../deep"] {
        assert_eq!(check(folder, 2), kept(&outside), "a folder is no evidence");
    }
}

/// Gates that nobody understands are not taken for none: nothing is completed, everything else works,
/// and the settings can be put right.
#[test]
fn what_asks_for_nothing_known_completes_nothing_and_stops_nothing_else() {
    for wrong in ["[gates]\ntsk = [\"criteria\"]\n", "[gates]\ntask = \"nonsense\"\n"] {
        let jerry = Jerry::new();
        let id = jerry.create("x");
        jerry.ok(["start", &id]);
        let config = jerry.path("config.toml");
        fs::write(&config, wrong).expect("written");
        for command in [
            &["list"][..],
            &["ready", "--explain"],
            &["show", &id],
            &["where"],
            &["prime"],
            &["note", &id, "on we go"],
            &["config", "show"],
            &["config", "get", "gates.task"],
        ] {
            jerry.ok(command);
        }
        let refused = jerry.json(["complete", &id]).error(4);
        assert_eq!(refused["code"], "gate");
        assert_eq!(refused["context"]["unmet"][0]["kind"], "unclear");
        let noted = jerry.command(["note", &id, "warned"]).output().expect("runs");
        let said = String::from_utf8_lossy(&noted.stderr).into_owned();
        assert!(said.contains("warning: ") && said.contains("gates.t"), "{said}");
        let ill = jerry.json(["doctor"]);
        assert_eq!(ill.code(), Some(8));
        let found = jerry.findings();
        assert_eq!(found[0]["ailment"], "invalid_setting");
        assert_eq!(found[0]["path"], "config.toml");
        if wrong.contains("task") {
            jerry.ok(["config", "set", "gates.task", "criteria,subtasks"]);
            let set = jerry.json(["config", "get", "gates.task"]).json();
            assert_eq!(set["setting"]["value"], serde_json::json!(["criteria", "subtasks"]));
            fs::write(&config, wrong).expect("written");
        }
        let name = if wrong.contains("tsk") { "gates.tsk" } else { "gates.task" };
        jerry.ok(["config", "unset", name]);
        jerry.ok(["complete", &id]);
    }
}

/// What is no gate may be a setting of a later version: it is named, and stops nothing.
#[test]
fn a_setting_that_there_is_not_is_named_by_the_doctor() {
    let jerry = Jerry::new();
    let id = jerry.create("x");
    fs::write(jerry.path("config.toml"), "[gate]\ntask = [\"criteria\"]\n").expect("written");
    let well = jerry.json(["doctor"]).json();
    assert_eq!(well["healthy"], true);
    assert_eq!(jerry.findings()[0]["ailment"], "unknown_setting");
    let begun = jerry.command(["start", &id]).output().expect("runs");
    let said = String::from_utf8_lossy(&begun.stderr).into_owned();
    assert!(said.contains("there is no setting 'gate.task'"), "{said}");
}

/// A setting that every command needs can be put right, too.
#[test]
fn a_wrong_setting_does_not_keep_anybody_from_putting_it_right() {
    let jerry = Jerry::new();
    fs::write(jerry.path("config.toml"), "[lock]\njitter = \"long\"\n").expect("written");
    let hint = jerry.json(["list"]).error(2)["hint"].to_string();
    assert!(hint.contains("`jerry config set lock.jitter VALUE`"), "{hint}");
    jerry.ok(["config", "show"]);
    jerry.ok(["config", "set", "lock.jitter", "5ms"]);
    jerry.ok(["list"]);
}
