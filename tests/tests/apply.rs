//! `apply`: a plan is there whole or not at all, whatever happens to whoever carries it out.

#![allow(clippy::disallowed_methods, reason = "tests arrange files as they like")]

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;

use jerry_tests::strace::{can_inject, inject};
use jerry_tests::{Jerry, Outcome, at_once, list};
use rstest::rstest;
use serde_json::{Value, json};

const STEPS: [&str; 6] = ["write", "pwrite64", "fsync", "rename", "renameat2", "unlink"];

/// Four new items, one of them within another, and a change of the first item of the store.
fn plan() -> Value {
    json!({ "items": [
        { "name": "last", "title": "the last", "needs": ["first", "within"] },
        { "name": "whole", "title": "the whole", "type": "epic", "children": [
            { "name": "within", "title": "the part", "needs": ["first"], "labels": ["x"] },
        ] },
        { "name": "first", "title": "the first", "criteria": ["it works"], "priority": "high" },
        { "id": "1", "needs": ["last"], "description": "waits for the plan" },
    ] })
}

fn store() -> Jerry {
    let jerry = Jerry::new();
    jerry.create("there already");
    fs::write(jerry.folder().join("plan.json"), plan().to_string()).expect("written");
    jerry
}

fn file(jerry: &Jerry) -> String {
    jerry.folder().join("plan.json").display().to_string()
}

/// The items as their files are, without asking jerry.
fn files(jerry: &Jerry) -> BTreeMap<String, Value> {
    let names = fs::read_dir(jerry.path("data/items")).expect("a folder");
    let names = names.map(|entry| entry.expect("listed").path());
    let items = names.filter(|path| path.extension().is_some_and(|it| it == "json"));
    let read = |path: std::path::PathBuf| {
        let item: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
        (item["id"].as_str().expect("an id").to_owned(), item)
    };
    items.map(read).collect()
}

fn assert_nothing_dangles(items: &BTreeMap<String, Value>, when: &str) {
    for item in items.values() {
        for needed in list(&item["depends_on"]) {
            let id = needed["id"].as_str().expect("an id");
            assert!(items.contains_key(id), "{when}: {} waits for {id}", item["id"]);
        }
    }
}

/// Whether the plan is there; panics where a part of it is.
fn is_there(jerry: &Jerry, when: &str) -> bool {
    // Any command completes what was begun.
    jerry.ok(["ready"]);
    let items = jerry.items();
    let changed = jerry.item("WORK-001")["version"] == 2;
    match (items.len(), changed) {
        (1, false) => false,
        (5, true) => true,
        other => panic!("{when}: {other:?}"),
    }
}

#[test]
fn a_plan_is_made_with_its_references() {
    let jerry = store();
    let answer = jerry.ok(["apply", &file(&jerry)]);
    assert_eq!(answer["kind"], "applied");
    let deeds: Vec<_> = list(&answer["items"]).iter().map(|item| item["deed"].clone()).collect();
    assert_eq!(deeds, ["created", "created", "created", "created", "updated"]);
    let by_name: BTreeMap<_, _> = list(&answer["items"])
        .iter()
        .filter_map(|item| Some((item["name"].as_str()?, item["id"].as_str()?)))
        .collect();
    let item = |name: &str| jerry.item(by_name[name]);
    let needs = |name: &str| {
        let item = item(name);
        let needs = list(&item["depends_on"]).iter().map(|it| it["id"].as_str().expect("an id"));
        needs.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(needs("last"), [by_name["first"], by_name["within"]]);
    assert_eq!(needs("within"), [by_name["first"]]);
    assert_eq!(item("within")["parent"]["id"], by_name["whole"]);
    assert_eq!(item("first")["acceptance_criteria"][0]["text"], "it works");
    let first = jerry.item("WORK-001");
    assert_eq!(first["depends_on"][0]["id"], by_name["last"]);
    assert!(fs::metadata(jerry.path("data/journal.json")).is_err());
    jerry.assert_sound();
}

#[test]
fn a_plan_killed_at_any_step_is_there_whole_or_not_at_all() {
    if !can_inject() {
        return;
    }
    let (mut points, mut there, mut partly) = (0, 0, 0);
    for step in STEPS {
        for nth in 1..500 {
            let jerry = store();
            let file = file(&jerry);
            let command = ["apply", &file, "--json", "--request-id", "r-1"];
            let Some(call) = inject(&jerry, step, "signal=KILL", nth, &command).call else { break };
            points += 1;
            let raw = files(&jerry);
            assert_nothing_dangles(&raw, &call);
            partly += usize::from((2..5).contains(&raw.len()));
            there += usize::from(is_there(&jerry, &call));
            let first = jerry.run(command);
            assert!(first.is_ok(), "{call}: {first}");
            assert!(is_there(&jerry, &call));
            assert_eq!(jerry.run(command).json(), first.json(), "{call}");
            assert!(is_there(&jerry, &call));
            jerry.assert_sound();
        }
    }
    assert!(points >= 15 && there >= 3 && partly >= 1, "{points}, {there}, {partly}");
}

/// The write would be overwritten by what the journal has, or take its place.
#[rstest]
#[case::note(&["note", "1", "after the kill"], 3)]
#[case::claim(&["claim", "1"], 3)]
fn a_killed_commit_is_completed_before_its_items_are_written(
    #[case] write: &[&str],
    #[case] version: u64,
) {
    if !can_inject() {
        return;
    }
    let mut completed = 0;
    for nth in 1..500 {
        let jerry = store();
        let file = file(&jerry);
        let apply = ["apply", &file];
        let Some(_) = inject(&jerry, "renameat2", "signal=KILL", nth, &apply).call else { break };
        if fs::metadata(jerry.path("data/journal.json")).is_ok() {
            jerry.ok(write);
            assert_eq!(jerry.item("WORK-001")["version"], version);
            assert_eq!(jerry.items().len(), 5);
            completed += 1;
        }
    }
    assert!(completed >= 1);
}

#[test]
fn ten_runs_with_one_request_carry_it_out_once() {
    let jerry = store();
    let file = file(&jerry);
    let command = || jerry.command(["--json", "apply", &file, "--request-id", "r-1"]);
    let outcomes = at_once((0..10).map(|_| command()));
    assert!(outcomes.iter().all(Outcome::is_ok), "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| outcome.json() == outcomes[0].json()), "{outcomes:?}");
    assert!(is_there(&jerry, "after ten runs"));
    jerry.assert_sound();
}

#[test]
fn plans_and_single_writes_lose_nothing_of_each_other() {
    let jerry = store();
    let plan = json!([{ "id": "1", "labels": ["x"], "subtasks": ["step"] }, { "title": "new" }]);
    fs::write(jerry.folder().join("plan.json"), plan.to_string()).expect("written");
    let file = file(&jerry);
    let mut commands: Vec<_> = (0..5).map(|_| jerry.command(["--json", "apply", &file])).collect();
    commands.extend((0..20).map(|n| jerry.command(["--json", "note", "1", &format!("note {n}")])));
    let outcomes = at_once(commands);
    assert!(outcomes.iter().all(Outcome::is_ok), "{outcomes:?}");
    let item = jerry.item("WORK-001");
    assert_eq!(list(&item["notes"]).len(), 20);
    assert_eq!(list(&item["subtasks"]).len(), 1);
    assert_eq!(jerry.items().len(), 6);
    jerry.assert_sound();
}

#[rstest]
#[case::no_json("{", "invalid")]
#[case::unknown_field(r#"[{"title": "a", "prio": "high"}]"#, "invalid")]
#[case::empty("[]", "invalid")]
#[case::no_title(r#"[{"name": "a"}]"#, "invalid")]
#[case::name_twice(r#"[{"name": "a", "title": "a"}, {"name": "a", "title": "b"}]"#, "invalid")]
#[case::name_is_an_id(r#"[{"name": "work-7", "title": "a"}]"#, "invalid")]
#[case::unknown_name(r#"[{"title": "a", "needs": ["b"]}]"#, "invalid")]
#[case::unknown_item(r#"[{"title": "a", "needs": ["77"]}]"#, "not_found")]
#[case::unknown_id(r#"[{"id": "77", "title": "a"}]"#, "not_found")]
#[case::item_twice(r#"[{"id": "1"}, {"id": "WORK-001"}]"#, "invalid")]
#[case::ring(
    r#"[{"name": "a", "title": "a", "needs": ["b"]}, {"name": "b", "title": "b", "needs": ["a"]}]"#,
    "cycle"
)]
#[case::ring_through_the_store(
    r#"[{"name": "a", "title": "a", "needs": ["1"]}, {"id": "1", "needs": ["a"]}]"#,
    "cycle"
)]
#[case::no_single_move(r#"[{"title": "a", "status": "completed"}]"#, "invalid_transition")]
#[case::long_title_behind_a_good_one(r#"[{"title": "a"}, {"title": ""}]"#, "invalid")]
fn what_is_wrong_with_a_plan_is_said_and_nothing_is_done(#[case] plan: &str, #[case] code: &str) {
    let jerry = store();
    fs::write(jerry.folder().join("plan.json"), plan).expect("written");
    let outcome = jerry.json(["apply", &file(&jerry)]);
    assert_eq!(outcome.json()["error"]["code"], code, "{outcome}");
    assert!(!is_there(&jerry, plan));
}

#[test]
fn a_dry_run_changes_nothing_and_a_plan_comes_by_standard_input() {
    let jerry = store();
    let answer = jerry.ok(["apply", &file(&jerry), "--dry-run"]);
    assert_eq!((&answer["created"], &answer["updated"]), (&json!(4), &json!(1)));
    assert!(!is_there(&jerry, "a dry run"));
    let mut command = jerry.command(["--json", "apply", "-"]);
    command.stdin(fs::File::open(file(&jerry)).expect("opens")).stdout(Stdio::null());
    assert!(command.status().expect("runs").success());
    assert!(is_there(&jerry, "standard input"));
}

#[test]
fn what_is_as_the_plan_wants_it_is_not_written() {
    let jerry = store();
    let plan = json!([{ "external_ref": "X-1", "title": "elsewhere", "labels": ["x"] }]);
    fs::write(jerry.folder().join("plan.json"), plan.to_string()).expect("written");
    jerry.ok(["apply", &file(&jerry)]);
    let again = jerry.ok(["apply", &file(&jerry)]);
    assert_eq!(again["items"][0]["deed"], "unchanged");
    assert_eq!(jerry.items().len(), 2);
}

#[test]
fn a_plan_for_one_version_is_refused_in_another_and_may_replace_a_description() {
    let jerry = store();
    jerry.ok(["update", "1", "--description", "as it was"]);
    let apply = |plan: Value| {
        fs::write(jerry.folder().join("plan.json"), plan.to_string()).expect("written");
        jerry.json(["apply", &file(&jerry)])
    };
    let item =
        |version: u64| json!([{ "id": "1", "description": "as planned", "if_version": version }]);
    let blind = apply(json!([{ "id": "1", "description": "as planned" }]));
    assert_eq!(blind.error(4)["code"], "would_replace");
    assert_eq!(apply(item(1)).error(5)["code"], "version_conflict");
    assert!(apply(item(2)).is_ok());
    assert_eq!(jerry.item("WORK-001")["description"], "as planned");
}
