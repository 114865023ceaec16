//! `jerry demo`, with real processes: that it passes, and that it can fail.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs jerry with a temporary folder of its own, which goes with what the demo left.
fn jerry(temp: &tempfile::TempDir, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jerry"))
        .args(args)
        .env("TMPDIR", temp.path())
        .output()
        .expect("jerry runs")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn temp() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn a_demo_loses_nothing_and_leaves_a_store_to_look_at() {
    let temp = temp();
    let output = jerry(&temp, &["demo", "--agents", "4", "--items", "20", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let demo = json(&output);
    for nothing in ["lost", "duplicate_ids", "unreadable"] {
        assert_eq!(demo[nothing], 0, "{demo:#}");
    }
    let kills = demo["kills"].as_u64().expect("a number");
    assert!(kills > 0, "nobody was killed");
    assert_eq!(demo["processes"], 4 + kills);
    assert!(demo["operations"]["total"].as_u64() >= Some(20 * 5), "{demo:#}");

    let store = demo["store"].as_str().expect("a path");
    let list = json(&jerry(&temp, &["--store", store, "list", "--all", "--json"]));
    assert!(list["total"].as_u64() >= Some(20), "{list:#}");
    let open = json(&jerry(&temp, &["--store", store, "list", "--json"]));
    assert_eq!(open["total"], 0, "{open:#}");
    assert!(jerry(&temp, &["--store", store, "doctor"]).status.success());
}

#[test]
#[cfg_attr(
    windows,
    ignore = "Windows refuses the temporary file that writers without locks share before they lose much"
)]
fn updates_without_locks_are_found_out() {
    let temp = temp();
    let fault = ["demo", "--agents", "4", "--items", "10", "--fault", "unlocked-updates"];
    let output = jerry(&temp, &fault);
    assert_eq!(output.status.code(), Some(8), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("\nlost  WORK-"), "{text}");
    assert!(!text.contains("Every acknowledged write is in the store"), "{text}");
    let error = String::from_utf8(output.stderr).expect("text");
    assert!(error.contains("error: the store does not hold what was acknowledged"), "{error}");

    let output = jerry(&temp, &[&fault[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(8), "{output:?}");
    let demo = json(&output);
    assert!(demo["lost"].as_u64() > Some(0), "{demo:#}");
    assert_eq!(demo["findings"][0]["wrong"], "lost");
}

#[test]
fn only_a_demo_s_own_store_is_touched() {
    let temp = temp();
    let store = temp.path().join(".jerry");
    let store = store.to_str().expect("text");
    let output = jerry(&temp, &["--store", store, "demo", "--json"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");

    assert!(jerry(&temp, &["--store", store, "init"]).status.success());
    let agent = ["--name", "a", "--create", "1", "--choice", "1", "--fault", "unlocked-updates"];
    let output = jerry(&temp, &[&["--store", store, "demo-agent"], &agent[..]].concat());
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let items: Vec<PathBuf> = std::fs::read_dir(temp.path().join(".jerry/data/items"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert!(items.is_empty(), "{items:?}");
}

#[test]
fn json_of_a_demo() {
    let temp = temp();
    let output = jerry(&temp, &["demo", "--agents", "1", "--items", "2", "--json"]);
    let mut demo = json(&output);
    for same in ["schema", "agents", "items", "lost", "duplicate_ids", "unreadable"] {
        assert!(demo[same].is_u64(), "{demo:#}");
    }
    redact(&mut demo);
    insta::assert_snapshot!(format!("{demo:#}"));
}

/// What differs from run to run.
fn redact(demo: &mut Value) {
    let Value::Object(fields) = demo else { return };
    for (name, value) in fields {
        match value {
            Value::Object(_) => redact(value),
            Value::Number(_) => match name.as_str() {
                "schema" | "agents" | "items" | "lost" | "duplicate_ids" | "unreadable" => {}
                _ => *value = "[number]".into(),
            },
            Value::String(_) if matches!(name.as_str(), "store" | "journal") => {
                *value = "[path]".into();
            }
            _ => {}
        }
    }
}
