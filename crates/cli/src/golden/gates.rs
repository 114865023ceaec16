//! What must be shown before items are completed.

use jerry_domain::ItemType;

use super::*;

/// 3 is a bug with two criteria and a sub-task, begun; bugs must show criteria and evidence.
fn bug(more: &str) -> Jerry {
    let mut jerry = Jerry::new();
    let gate = |text: &str| text.parse().expect("a gate");
    let mut gates = vec![gate("criteria"), gate("evidence")];
    gates.extend((!more.is_empty()).then(|| gate(more)));
    jerry.gates.of_type.insert(ItemType::Bug, gates);
    jerry.quietly(
        "create 'It breaks' -t bug --criterion 'It holds' --criterion 'It lasts' --subtask Tell",
    );
    jerry.quietly("start 3");
    jerry
}

#[test]
fn an_item_is_completed_when_it_shows_what_it_must() {
    let mut jerry = bug("");
    for command in [
        "complete 3",
        "check 3 AC-003.1 AC-003.2",
        "complete 3",
        "check 3 AC-003.1 --evidence commit:1a2b3c4",
        "check 3 AC-003.2 --evidence 'seen it' --source 'page 1'",
        "update 3 --gate subtasks",
        "update 3 --status completed",
        "check 3 ST-003.1",
        "show 3",
        "complete 3",
        "create 'Simple' -t chore",
        "start 5",
        "complete 5",
    ] {
        jerry.run(Style::PLAIN, command);
    }
    insta::assert_snapshot!(jerry.transcript);
}

/// What failed shows nothing, however it was ticked afterwards.
#[test]
fn a_command_that_failed_is_on_record_and_is_no_evidence() {
    let mut jerry = bug("");
    jerry.quietly("check 3 AC-003.1 --evidence seen");
    jerry.json("check 3 AC-003.2 --evidence 'cmd:exit 7' --run");
    jerry.quietly("check 3 AC-003.2");
    jerry.run(Style::PLAIN, "complete 3");
    jerry.quietly("check 3 AC-003.2 --evidence 'cmd:exit 0' --run");
    jerry.run(Style::PLAIN, "complete 3");
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn who_insists_passes_every_gate() {
    let mut jerry = bug("cmd: exit 3");
    jerry.run(Style::PLAIN, "complete 3 --force -m 'The machine is gone'");
    jerry.json("show 3");
    insta::assert_snapshot!(jerry.transcript);
}

/// Who begins learns it before the completion is refused.
#[test]
fn what_settings_ask_for_is_told() {
    let mut jerry = bug("cmd: make test");
    jerry.quietly("update 3 --gate subtasks");
    jerry.run(Style::PLAIN, "show 3");
    let (_, shown) = jerry.answer(Style::PLAIN, "show 3 --json");
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let asked = ["criteria", "evidence", "subtasks", "cmd: make test"];
    assert_eq!(shown["gates"], serde_json::json!(asked));
    assert_eq!(shown["item"]["gates"], serde_json::json!(["subtasks"]));
    let (_, primed) = jerry.answer(Style::PLAIN, "prime");
    assert!(primed.contains("of a bug criteria, evidence, cmd: make test"), "{primed}");
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn commands_are_run_by_complete_alone() {
    let mut jerry = bug("cmd: exit 3");
    jerry.json("complete 3");
    jerry.quietly("check 3 AC-003.1 AC-003.2 --evidence seen");
    jerry.run(Style::PLAIN, "update 3 --status completed");
    jerry.json("update 3 --status completed");
    jerry.json("complete 3");
    jerry.gates.of_type.insert(ItemType::Bug, vec!["cmd: exit 0".parse().expect("a gate")]);
    jerry.run(Style::PLAIN, "complete 3");
    insta::assert_snapshot!(jerry.transcript);
}

#[test]
fn evidence_names_its_kind() {
    let mut jerry = bug("");
    let folder = jerry.folder.path().display().to_string();
    let file = jerry.folder.path().join("seen.txt");
    #[expect(clippy::disallowed_methods, reason = "writes test data")]
    std::fs::write(&file, "x").expect("written");
    let file = file.display().to_string();
    for command in [
        "check 3 AC-003.1 --evidence url:https://example.org/1",
        "check 3 AC-003.1 --evidence 'cmd:exit 0'",
        "check 3 AC-003.1 --evidence 'cmd:exit 0' --run",
        &format!("check 3 AC-003.1 --evidence 'file:{file}'"),
        "check 3 AC-003.2 --evidence 'Cmd: exit 7' --run",
        "check 3 AC-003.2 --evidence 'cmd:exit 0' --run --source here",
        "check 3 AC-003.2 --evidence '  '",
        &format!("check 3 AC-003.2 --evidence 'file:{folder}'"),
        "check 3 AC-003.2 --evidence seen --run",
        "check 3 AC-003.2 --evidence file:/nowhere/at/all",
        "check 3 AC-003.2 --evidence commit:HEAD",
        "check 3 AC-003.2 --evidence url:example.org",
        "check 3 AC-003.2 --evidence cmd:",
        "check 3 AC-003.2 --evidence commit:1a2b3c4 --source here",
        "show 3",
    ] {
        jerry.run(Style::PLAIN, command);
    }
    insta::assert_snapshot!(jerry.transcript.replace(&file, "FILE").replace(&folder, "FOLDER"));
}
