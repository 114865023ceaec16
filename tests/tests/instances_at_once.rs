//! Several instances at once, as the happy paths and edge cases of the requirements name them.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[cfg(unix)]
use jerry_tests::strace::{Stopped, can_inject};
use jerry_tests::{HeldLock, Jerry, Outcome, at_once, id_in, list};
use serde_json::Value;

fn distinct<'a>(values: impl IntoIterator<Item = &'a Value>) -> usize {
    values.into_iter().map(ToString::to_string).collect::<BTreeSet<_>>().len()
}

/// `jerry --json create` by `count` processes; the items as the answers have them.
fn created_at_once(jerry: &Jerry, count: usize) -> Vec<Value> {
    let create = |number: usize| jerry.command(["--json", "create", &format!("item {number}")]);
    let outcomes = at_once((0..count).map(create));
    let item = |outcome: &Outcome| {
        assert!(outcome.is_ok(), "{outcome}");
        outcome.json()["item"].clone()
    };
    outcomes.iter().map(item).collect()
}

/// What was acknowledged is what the store holds, and each has an id and a uid of its own.
fn assert_all_kept(jerry: &Jerry, items: &[Value]) {
    let stored = jerry.items();
    assert_eq!(stored.len(), items.len());
    for item in items {
        let id = item["id"].as_str().expect("an id");
        assert_eq!(stored[id]["title"], item["title"]);
        assert_eq!(stored[id]["uid"], item["uid"]);
    }
    assert_eq!(distinct(items.iter().map(|item| &item["id"])), items.len());
    assert_eq!(distinct(items.iter().map(|item| &item["uid"])), items.len());
    assert_eq!(jerry.litter(), [""; 0]);
    jerry.assert_sound();
}

#[test]
fn hp_1_two_instances_create_at_once() {
    let jerry = Jerry::new();
    let items = created_at_once(&jerry, 2);
    assert_all_kept(&jerry, &items);
    assert_eq!(jerry.ok(["list"])["total"], 2);
}

#[test]
fn hp_2_reader_during_a_write() {
    let jerry = Jerry::new();
    let id = jerry.create("read while it is written");
    // Windows takes no longer command line.
    let long = "x".repeat(if cfg!(windows) { 20_000 } else { 100_000 });
    let writes = (0..20).map(|number| {
        jerry.command(["--json", "update", &id, "--finding", &format!("{number} {long}")])
    });
    let reads = (0..40).map(|_| jerry.command(["--json", "show", &id]));
    let lists = (0..20).map(|_| jerry.command(["--json", "list"]));
    let mut commands: Vec<Command> = writes.collect();
    commands.extend(reads);
    commands.extend(lists);
    // Beside the commands, which would look twice, one who looks at the bare file all the time.
    let done = AtomicBool::new(false);
    let outcomes = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                jerry.assert_sound();
            }
        });
        let outcomes = at_once(commands);
        done.store(true, Ordering::Relaxed);
        outcomes
    });
    for outcome in outcomes {
        assert!(outcome.is_ok(), "{outcome}");
        let answer = outcome.json();
        if answer["kind"] == "items" {
            assert_eq!(answer["total"], 1);
            assert_eq!(list(&answer["unreadable"]).len(), 0);
        } else {
            let item = &answer["item"];
            let description = item["description"].as_str().unwrap_or_default();
            assert!(description.is_empty() || description.len() > long.len());
        }
    }
    assert_eq!(jerry.item(&id)["version"], 21);
}

/// A reader needs no lock: it reads while a writer holds the item for as long as it likes.
#[test]
fn a_lock_is_never_the_reason_why_a_reader_fails() {
    let jerry = Jerry::new();
    let id = jerry.create("held");
    let _held = HeldLock::of(&jerry, &id);
    assert_eq!(jerry.ok(["--lock-timeout", "1ms", "show", &id])["item"]["title"], "held");
    assert_eq!(jerry.ok(["--lock-timeout", "1ms", "list"])["total"], 1);
}

#[test]
fn hp_3_update_of_another_item() {
    let jerry = Jerry::new();
    let (one, other) = (jerry.create("one"), jerry.create("other"));
    let _held = HeldLock::of(&jerry, &one);
    jerry.ok(["--lock-timeout", "1ms", "note", &other, "not held up by the other item's lock"]);
    let busy = jerry.refused(6, ["--lock-timeout", "1ms", "note", &one, "held up"]);
    assert_eq!(busy["code"], "busy");
    assert_eq!(jerry.item(&other)["version"], 2);
    assert_eq!(jerry.item(&one)["version"], 1);
}

#[test]
fn ec_1_two_instances_update_one_item_one_wins_and_one_gets_a_conflict() {
    let jerry = Jerry::new();
    let id = jerry.create("fought over");
    for round in 1..=5_u64 {
        let update = |title: String| {
            let version = round.to_string();
            jerry.command(["--json", "update", &id, "--title", &title, "--if-version", &version])
        };
        let outcomes =
            at_once([update(format!("first {round}")), update(format!("second {round}"))]);
        let (won, lost): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.is_ok());
        let ([won], [lost]) = (&won[..], &lost[..]) else { panic!("{outcomes:?}") };
        let conflict = lost.error(5);
        assert_eq!(conflict["code"], "version_conflict");
        assert_eq!(conflict["context"]["expected"], round);
        assert_eq!(conflict["context"]["found"], round + 1);
        assert_eq!(jerry.item(&id)["title"], won.json()["item"]["title"]);
        assert_eq!(jerry.item(&id)["version"], round + 1);
    }
    jerry.assert_sound();
}

#[test]
fn ec_4_hundred_instances_in_a_burst() {
    let jerry = Jerry::new();
    let items = created_at_once(&jerry, 100);
    assert_eq!(items.len(), 100);
    assert_all_kept(&jerry, &items);
    assert_eq!(jerry.ok(["list", "--limit", "0"])["total"], 100);
}

#[test]
fn ten_processes_note_one_item_twenty_times_each() {
    let jerry = Jerry::new();
    let id = jerry.create("much talked about");
    let note = |number: usize| jerry.command(["--json", "note", &id, &format!("note {number}")]);
    // Ten chains of twenty: each process of a chain starts when the one before it has ended.
    thread::scope(|scope| {
        for chain in 0..10 {
            scope.spawn(move || {
                for step in 0..20 {
                    let outcome = Outcome::of(&mut note(chain * 20 + step));
                    assert!(outcome.is_ok(), "{outcome}");
                }
            });
        }
    });
    let item = jerry.item(&id);
    assert_eq!(item["version"], 201);
    let notes: Vec<_> = list(&item["notes"]).iter().map(|note| &note["text"]).collect();
    assert_eq!(notes.len(), 200);
    assert_eq!(distinct(notes), 200);
    jerry.assert_sound();
}

#[test]
fn one_of_twenty_processes_begins_an_item() {
    let jerry = Jerry::new();
    let id = jerry.create("wanted by all");
    let start = |number: usize| {
        jerry.command(["--json", "--actor", &format!("agent-{number}"), "start", &id])
    };
    let outcomes = at_once((0..20).map(start));
    let winners: Vec<_> = outcomes.iter().filter(|outcome| outcome.is_ok()).collect();
    let [winner] = &winners[..] else { panic!("{} began it", winners.len()) };
    for outcome in outcomes.iter().filter(|outcome| !outcome.is_ok()) {
        assert_eq!(outcome.error(4)["code"], "invalid_transition");
    }
    let item = jerry.item(&id);
    assert_eq!(item["assignee"], winner.json()["item"]["assignee"]);
    assert_eq!(item["version"], 2);
}

/// A hundred processes that ask for the next item, each in the name of an agent of its own.
fn claimed_at_once(jerry: &Jerry) -> Vec<Outcome> {
    let claim = |number: usize| {
        jerry.command(["--json", "--actor", &format!("agent-{number}"), "claim", "--next"])
    };
    at_once((0..100).map(claim))
}

#[test]
fn a_hundred_processes_claim_a_hundred_items_each_its_own() {
    let jerry = Jerry::new();
    let titles: Vec<_> = (0..100).map(|number| format!("item {number}")).collect();
    jerry.ok(["create"].into_iter().chain(titles.iter().map(String::as_str)));
    let claimed: Vec<_> = claimed_at_once(&jerry)
        .iter()
        .map(|outcome| {
            assert!(outcome.is_ok(), "{outcome}");
            outcome.json()["item"].clone()
        })
        .collect();
    assert_eq!(distinct(claimed.iter().map(|item| &item["id"])), 100);
    assert_eq!(distinct(claimed.iter().map(|item| &item["claim"]["holder"])), 100);
    assert_eq!(jerry.ok(["ready"])["total"], 0);
    for item in &claimed {
        assert_eq!(jerry.item(item["id"].as_str().expect("an id")), *item);
    }
    jerry.assert_sound();
}

#[test]
fn one_of_a_hundred_processes_claims_the_only_item() {
    let jerry = Jerry::new();
    let id = jerry.create("wanted by all");
    let outcomes = claimed_at_once(&jerry);
    let winners: Vec<_> = outcomes.iter().filter(|outcome| outcome.is_ok()).collect();
    let [winner] = &winners[..] else { panic!("{} claimed it", winners.len()) };
    for outcome in outcomes.iter().filter(|outcome| !outcome.is_ok()) {
        assert_eq!(outcome.error(7)["code"], "nothing_ready");
    }
    assert_eq!(jerry.item(&id)["claim"], winner.json()["item"]["claim"]);
    assert_eq!(jerry.item(&id)["version"], 2);
}

/// Each alone is allowed, both together make a ring.
#[test]
fn of_two_dependencies_that_make_a_ring_one_is_refused() {
    let jerry = Jerry::new();
    for _ in 0..5 {
        let (one, two) = (jerry.create("one"), jerry.create("two"));
        let add = |waiter: &str, needed: &str| {
            jerry.command(["--json", "dep", "add", waiter, "--needs", needed])
        };
        let outcomes = at_once([add(&one, &two), add(&two, &one)]);
        let refused: Vec<_> = outcomes.iter().filter(|outcome| !outcome.is_ok()).collect();
        let [refused] = &refused[..] else { panic!("{outcomes:?}") };
        assert_eq!(refused.error(4)["code"], "cycle");
    }
}

/// Each alone is allowed, both together leave an unfinished part of what is completed.
#[test]
fn of_completing_a_plan_and_adding_to_it_one_is_refused() {
    let jerry = Jerry::new();
    for round in 0..10 {
        let (plan, part) = (jerry.create("plan"), jerry.create("part"));
        jerry.ok(["start", &plan]);
        jerry.ok(["cancel", &part]);
        let add = match round % 3 {
            0 => jerry.command(["--json", "create", "late", "--parent", &plan]),
            1 => {
                jerry.ok(["reopen", &part]);
                jerry.command(["--json", "update", &part, "--parent", &plan])
            }
            _ => {
                jerry.ok(["update", &part, "--parent", &plan]);
                jerry.command(["--json", "reopen", &part])
            }
        };
        let outcomes = at_once([jerry.command(["--json", "complete", &plan]), add]);
        let (completed, added) = (&outcomes[0], &outcomes[1]);
        match completed.is_ok() {
            true => assert_eq!(added.error(4)["code"], "completed_parent"),
            false => assert_eq!(completed.error(4)["code"], "unfinished_parts"),
        }
        assert_ne!(completed.is_ok(), added.is_ok(), "{outcomes:?}");
    }
}

/// An item is deleted while others depend on it and note it: it is there or not, never half.
#[test]
fn a_deletion_among_writers_is_all_or_nothing() {
    let jerry = Jerry::new();
    let id = jerry.create("soon gone");
    let mut commands: Vec<_> =
        (0..10).map(|number| jerry.command(["--json", "note", &id, &number.to_string()])).collect();
    commands.insert(5, jerry.command(["--json", "--yes", "delete", &id]));
    let outcomes = at_once(commands);
    assert!(outcomes[5].is_ok(), "{}", outcomes[5]);
    let mut noted = 0;
    for (index, outcome) in outcomes.iter().enumerate().filter(|(index, _)| *index != 5) {
        if outcome.is_ok() {
            noted += 1;
        } else {
            assert_eq!(outcome.error(3)["code"], "deleted", "{index}");
        }
    }
    assert!(jerry.items().is_empty());
    let tombstone = std::fs::read(jerry.path("data/tombstones").join(format!("{id}.json")));
    let tombstone: Value = serde_json::from_slice(&tombstone.expect("readable")).expect("JSON");
    assert_eq!(list(&tombstone["item"]["notes"]).len(), noted, "what was acknowledged is kept");
    assert_ne!(jerry.create("the next"), id);
}

#[test]
fn many_from_one_call_among_many_single_ones() {
    let jerry = Jerry::new();
    let batch: Vec<_> = (0..40).map(|number| format!("batch {number}")).collect();
    let mut commands: Vec<_> = (0..20)
        .map(|number| jerry.command(["--json", "create", &format!("single {number}")]))
        .collect();
    for _ in 0..3 {
        let mut command = jerry.command(["--json", "create"]);
        command.args(&batch);
        commands.push(command);
    }
    let outcomes = at_once(commands);
    let mut ids = BTreeSet::new();
    for outcome in &outcomes {
        assert!(outcome.is_ok(), "{outcome}");
        let answer = outcome.json();
        if answer["kind"] == "item" {
            assert!(ids.insert(id_in(&answer)));
        } else {
            for item in list(&answer["items"]) {
                assert!(ids.insert(item["id"].as_str().expect("an id").to_owned()));
            }
        }
    }
    assert_eq!(ids.len(), 140);
    assert_eq!(jerry.item_names().len(), 140);
    jerry.assert_sound();
}

/// The doctor reads the numbers and the items one after the other, while others create.
#[cfg(unix)]
#[test]
fn the_doctor_takes_nothing_for_wrong_that_came_meanwhile() {
    if !can_inject() {
        return;
    }
    let jerry = Jerry::new();
    jerry.create("before");
    let doctor = Stopped::at_opening(&jerry, &jerry.path("data/sequences.json"), &["doctor"]);
    // More than a block, so that the file which the doctor has open is replaced.
    created_at_once(&jerry, 100);
    let found = doctor.go_on().json();
    let mut ailments = list(&found["findings"]).iter().map(|finding| &finding["ailment"]);
    assert!(ailments.all(|ailment| ailment != "sequence_behind"), "{found}");
}

/// It has read an item, and looks next whether it could write it.
#[cfg(unix)]
#[test]
fn the_doctor_takes_no_item_for_unwritable_that_was_deleted_meanwhile() {
    if !can_inject() {
        return;
    }
    let jerry = Jerry::new();
    let id = jerry.create("soon gone");
    let doctor = Stopped::at_opening(&jerry, &jerry.item_path(&id), &["doctor"]);
    jerry.ok(["delete", &id]);
    let found = doctor.go_on().json();
    let mut ailments = list(&found["findings"]).iter().map(|finding| &finding["ailment"]);
    assert!(ailments.all(|ailment| ailment != "wrong_permissions"), "{found}");
}
