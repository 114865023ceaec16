//! Processes that die while they write. What they acknowledged is there, what they did not finish
//! is not half there, and nobody has to clean up before others can go on.

#![allow(clippy::disallowed_methods, reason = "tests arrange files as they like")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use jerry_tests::strace::{can_inject, inject};
use jerry_tests::{Dice, Jerry, list};
use rstest::rstest;
use serde_json::Value;

/// The calls by which a write becomes visible and durable.
const STEPS: [&str; 6] = ["write", "pwrite64", "fsync", "rename", "renameat2", "unlink"];

#[test]
fn ec_2_crash_in_mid_write_of_a_new_item() {
    if !can_inject() {
        return;
    }
    let jerry = Jerry::new();
    let mut points = 0;
    for step in STEPS {
        for nth in 1..500 {
            let create = ["create", "killed while it is made"];
            let injected = inject(&jerry, step, "signal=KILL", nth, &create);
            let Some(call) = injected.call else { break };
            assert!(!injected.outcome.is_ok(), "killed at {call} and yet: {}", injected.outcome);
            points += 1;
            jerry.assert_sound();
            let id = jerry.create("made right after");
            assert_eq!(jerry.ok(["show", &id])["item"]["title"], "made right after");
        }
    }
    assert!(points >= 8, "only {points} crash points");
}

/// Every crash of an update leaves the old file, byte by byte, or the whole new one; the lock died
/// with its holder, so that the next update need not wait.
#[test]
fn crash_leaves_the_old_file() {
    if !can_inject() {
        return;
    }
    let jerry = Jerry::new();
    let id = jerry.create("killed while it is written");
    let (mut old, mut new) = (0, 0);
    for step in STEPS {
        for nth in 1..500 {
            let before = jerry.bytes(&id);
            let note = ["note", &id, "said by the killed"];
            let injected = inject(&jerry, step, "signal=KILL", nth, &note);
            let Some(call) = injected.call else { break };
            assert!(!injected.outcome.is_ok(), "killed at {call} and yet: {}", injected.outcome);
            if jerry.bytes(&id) == before {
                old += 1;
            } else {
                let item = jerry.item(&id);
                let text = &list(&item["notes"]).last().expect("a note")["text"];
                assert_eq!(text, "said by the killed", "{call}");
                new += 1;
            }
            jerry.ok(["--lock-timeout", "0ms", "note", &id, "said right after"]);
            assert_eq!(jerry.litter(), [""; 0], "the next write of the item sweeps");
        }
    }
    assert!(old >= 4 && new >= 2, "{old} crashes before and {new} after the rename");
    jerry.assert_sound();
}

#[test]
fn a_crash_in_mid_deletion_loses_neither_item_nor_number() {
    if !can_inject() {
        return;
    }
    let jerry = Jerry::new();
    for step in STEPS {
        for nth in 1..500 {
            let id = jerry.create("killed while it is deleted");
            let injected = inject(&jerry, step, "signal=KILL", nth, &["--yes", "delete", &id]);
            if injected.call.is_none() {
                break;
            }
            let listed = jerry.ok(["list", "--all", "--limit", "0"]);
            let shown = list(&listed["items"]).iter().any(|item| item["id"] == id.as_str());
            let tombstone = jerry.path("data/tombstones").join(format!("{id}.json"));
            if shown {
                assert!(!tombstone.try_exists().expect("readable"), "shown though deleted");
                jerry.ok(["note", &id, "as alive as before"]);
            } else {
                let text = std::fs::read(&tombstone).expect("not shown, so deleted");
                let tombstone: Value = serde_json::from_slice(&text).expect("whole");
                assert_eq!(tombstone["item"]["id"], id.as_str());
                assert_eq!(jerry.refused(3, ["note", &id, "too late"])["code"], "deleted");
            }
        }
    }
    jerry.assert_sound();
}

/// Whoever made the tombstone may have been killed before it was durable; were the item unlinked then,
/// a power cut could leave neither.
#[test]
fn an_interrupted_deletion_is_finished_with_a_durable_tombstone_only() {
    if !can_inject() {
        return;
    }
    let jerry = Jerry::new();
    let id = jerry.create("killed while it is deleted");
    let file = jerry.path("data/items").join(format!("{id}.json"));
    let text = std::fs::read(&file).expect("there");
    jerry.ok(["--yes", "delete", &id]);
    std::fs::write(&file, text).expect("as if it had been killed before the unlink");

    let refused = inject(&jerry, "fsync", "error=EIO", 1, &["note", &id, "too late"]);
    assert!(refused.call.expect("something is synced").contains("/tombstones>"));
    assert!(!refused.outcome.is_ok(), "{}", refused.outcome);
    assert!(file.try_exists().expect("readable"), "unlinked beside a tombstone that may not last");
    assert_eq!(jerry.refused(3, ["note", &id, "too late"])["code"], "deleted");
    assert!(!file.try_exists().expect("readable"));
}

#[rstest]
#[case::first_in_a_fresh_folder(true)]
#[case::beside_items(false)]
fn a_crash_of_init_can_be_finished(#[case] fresh: bool) {
    if !can_inject() {
        return;
    }
    for step in ["mkdir", "write", "fsync", "renameat2"] {
        for nth in 1..500 {
            let jerry = Jerry::without_store();
            if !fresh {
                jerry.ok(["init"]);
                jerry.create("there before");
                std::fs::remove_file(jerry.path("data/format.json")).expect("there");
            }
            let injected = inject(&jerry, step, "signal=KILL", nth, &["init"]);
            if injected.call.is_none() {
                break;
            }
            jerry.ok(["init"]);
            jerry.create("made after");
            assert_eq!(jerry.item_names().len(), if fresh { 1 } else { 2 });
            jerry.assert_sound();
        }
    }
}

/// Five hundred commands by five people, each killed at some moment of its life or just after.
/// What a command printed as done is kept here, outside the store, and compared in the end.
#[test]
fn sigkill_at_random_points_of_500_commands_loses_nothing_acknowledged() {
    let jerry = Jerry::new();
    let shared: Vec<_> = (0..4).map(|number| jerry.create(&format!("shared {number}"))).collect();
    let began = Instant::now();
    jerry.create("how long a command takes here");
    let life = u64::try_from(began.elapsed().as_micros()).expect("short");

    // Acknowledged titles of items, and acknowledged notes of items.
    let created: Mutex<BTreeMap<String, String>> = Mutex::default();
    let noted: Mutex<Vec<(String, String)>> = Mutex::default();
    thread::scope(|scope| {
        for person in 0..5_u64 {
            let (jerry, shared, created, noted) = (&jerry, &shared, &created, &noted);
            scope.spawn(move || {
                let mut dice = Dice::new(person + 1);
                for step in 0..100 {
                    let text = format!("{person} says {step}");
                    let item = &shared[usize::try_from(dice.below(4)).expect("small")];
                    let is_note = dice.below(2) == 0;
                    let args = if is_note {
                        vec!["--json", "note", item, &text]
                    } else {
                        vec!["--json", "create", &text]
                    };
                    let mut running = jerry.start(args);
                    // Beyond a command's life, so that some come to their end.
                    thread::sleep(Duration::from_micros(dice.below(life * 3)));
                    running.kill();
                    let outcome = running.end();
                    let Ok(answer) = serde_json::from_slice::<Value>(&outcome.stdout) else {
                        assert!(!outcome.is_ok(), "done without an answer: {outcome}");
                        continue;
                    };
                    assert_eq!(answer["kind"], "item", "{outcome}");
                    if is_note {
                        noted.lock().expect("no panic").push((item.clone(), text));
                    } else {
                        let id = jerry_tests::id_in(&answer);
                        let twice = created.lock().expect("no panic").insert(id, text);
                        assert_eq!(twice, None, "a number was given out twice");
                    }
                }
            });
        }
    });

    let created = created.into_inner().expect("no panic");
    let noted = noted.into_inner().expect("no panic");
    assert!(created.len() + noted.len() > 20, "hardly any command came to its end");
    assert!(created.len() + noted.len() < 490, "hardly any command was killed");
    jerry.assert_sound();
    let items = jerry.items();
    for (id, title) in &created {
        assert_eq!(items[id]["title"], title.as_str(), "{id}");
    }
    for (id, text) in &noted {
        let found = list(&items[id]["notes"]).iter().any(|note| note["text"] == text.as_str());
        assert!(found, "{id} lost '{text}'");
    }
    let listed = jerry.ok(["list", "--all", "--limit", "0"]);
    assert_eq!(listed["total"], items.len());
    assert_eq!(list(&listed["unreadable"]).len(), 0);
    for id in &shared {
        jerry.ok(["note", id, "business as usual"]);
    }
}
