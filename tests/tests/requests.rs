//! Requests with a name, made again after their process was killed, could not say whether what it did
//! will last, or ran many times at once.

use std::collections::BTreeSet;

use jerry_tests::strace::{can_inject, inject};
use jerry_tests::{Jerry, Outcome, at_once, id_in};
use rstest::rstest;
use serde_json::Value;

const STEPS: [&str; 6] = ["write", "pwrite64", "fsync", "rename", "renameat2", "unlink"];

/// A store with one item, and a command on it or beside it.
fn store() -> (Jerry, String) {
    let jerry = Jerry::new();
    let id = jerry.create("the first");
    (jerry, id)
}

fn named<'a>(words: &[&'a str], id: &'a str, request: &'a str) -> Vec<&'a str> {
    let words = words.iter().map(|word| if *word == "ID" { id } else { word });
    words.chain(["--json", "--yes", "--request-id", request]).collect()
}

/// How often the store shows that the request was made.
fn made(jerry: &Jerry, request: &str) -> usize {
    let of = |item: &Value| {
        let history = item["history"].as_array().expect("a history");
        history.iter().filter(|entry| entry["request_id"] == request).count()
    };
    jerry.items().values().map(of).sum()
}

#[rstest]
#[case::create(&["create", "made once"])]
#[case::quick(&["q", "made", "once"])]
#[case::many(&["create", "made once", "made twice"])]
#[case::note(&["note", "ID", "said once"])]
#[case::claim(&["claim", "ID"])]
#[case::claim_next(&["claim", "--next"])]
fn killed_at_any_step_and_repeated_it_is_made_once(#[case] words: &[&str]) {
    if !can_inject() {
        return;
    }
    let (mut points, mut found) = (0, 0);
    for step in STEPS {
        for nth in 1..500 {
            let (jerry, id) = store();
            let command = named(words, &id, "r-1");
            let Some(call) = inject(&jerry, step, "signal=KILL", nth, &command).call else { break };
            points += 1;
            found += usize::from(made(&jerry, "r-1") > 0);
            let first = jerry.run(&command);
            assert!(first.is_ok(), "{call}: {first}");
            let wanted = if words.contains(&"made twice") { 2 } else { 1 };
            assert_eq!(made(&jerry, "r-1"), wanted, "{call}");
            assert_eq!(jerry.run(&command).json(), first.json(), "{call}");
            assert_eq!(made(&jerry, "r-1"), wanted, "{call}");
            jerry.assert_sound();
        }
    }
    assert!(points >= 6 && found >= 1, "{points} points, {found} after it was made");
}

#[test]
fn a_deletion_killed_at_any_step_and_repeated_ends_in_its_answer() {
    if !can_inject() {
        return;
    }
    let mut gone = 0;
    for step in STEPS {
        for nth in 1..500 {
            let (jerry, id) = store();
            let command = named(&["delete", "ID"], &id, "r-1");
            let Some(call) = inject(&jerry, step, "signal=KILL", nth, &command).call else { break };
            gone += usize::from(jerry.items().is_empty());
            let first = jerry.run(&command);
            assert!(first.is_ok(), "{call}: {first}");
            assert_eq!(first.json()["kind"], "deleted");
            assert_eq!(jerry.run(&command).json(), first.json(), "{call}");
        }
    }
    assert!(gone >= 1, "no kill came after the deletion");
}

/// Exit status 9: it is done, and perhaps not durable.
#[rstest]
#[case::create(&["create", "made once"])]
#[case::note(&["note", "ID", "said once"])]
#[case::claim_next(&["claim", "--next"])]
#[case::delete(&["delete", "ID"])]
fn in_doubt_and_repeated_it_is_made_once(#[case] words: &[&str]) {
    if !can_inject() {
        return;
    }
    let mut doubts = 0;
    for nth in 1..20 {
        let (jerry, id) = store();
        let command = named(words, &id, "r-1");
        let injected = inject(&jerry, "fsync", "error=EIO", nth, &command);
        if injected.call.is_none() {
            break;
        }
        if injected.outcome.code() != Some(9) {
            continue;
        }
        doubts += 1;
        let first = jerry.run(&command);
        assert!(first.is_ok(), "{first}");
        assert!(made(&jerry, "r-1") <= 1);
        assert_eq!(jerry.run(&command).json(), first.json());
    }
    assert!(doubts >= 1, "no failed fsync left a doubt");
}

#[rstest]
#[case::create(&["create", "made once"])]
#[case::note(&["note", "ID", "said once"])]
#[case::claim_next(&["claim", "--next"])]
#[case::delete(&["delete", "ID"])]
fn twenty_processes_with_one_request_make_it_once(#[case] words: &[&str]) {
    let (jerry, id) = store();
    let command = || jerry.command(named(words, &id, "r-1"));
    let outcomes = at_once((0..20).map(|_| command()));
    assert!(outcomes.iter().all(Outcome::is_ok), "{outcomes:?}");
    let answers: BTreeSet<_> = outcomes.iter().map(|outcome| outcome.json().to_string()).collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(made(&jerry, "r-1") <= 1);
    jerry.assert_sound();
}

#[test]
fn a_name_that_stood_for_something_else_is_refused() {
    let (jerry, id) = store();
    jerry.ok(["note", &id, "said", "--request-id", "r-1"]);
    let error = jerry.refused(4, ["start", &id, "--request-id", "r-1"]);
    assert_eq!(
        (&error["code"], &error["context"]["version"]),
        (&"request_reused".into(), &2.into())
    );
    let other = id_in(&jerry.ok(["create", "another", "--request-id", "r-2"]));
    jerry.refused(4, ["create", "a third", "--request-id", "r-2"]);
    assert_eq!(jerry.items().len(), 2, "{id} and {other}");
}

/// Whoever makes an item in a session finds it again in that session.
#[rstest]
#[case::create("create")]
#[case::quick("q")]
fn what_is_made_in_a_session_is_of_that_session(#[case] word: &str) {
    let jerry = Jerry::new();
    for session in [&["--session", "s-1"][..], &[]] {
        let mut command = jerry.command(["--json", word, "title"]);
        let outcome = Outcome::of(command.args(session).env("JERRY_SESSION", "s-2"));
        assert!(outcome.is_ok(), "{outcome}");
    }
    let sessions =
        ["WORK-001", "WORK-002"].map(|id| jerry.item(id)["history"][0]["session"].clone());
    assert_eq!(sessions, ["s-1", "s-2"]);
}
