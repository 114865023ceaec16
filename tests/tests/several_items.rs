//! Commands on several items, by real processes: what is told of each, and that it is made once.

use jerry_tests::{Jerry, at_once, list};
use serde_json::Value;

const IDS: [&str; 3] = ["WORK-001", "WORK-002", "WORK-003"];

fn three() -> Jerry {
    let jerry = Jerry::new();
    assert_eq!(["one", "two", "three"].map(|title| jerry.create(title)), IDS);
    jerry
}

/// Of each item `ok`, or why it was not done, as the answer tells.
fn told(answer: &Value) -> Vec<(&str, &str)> {
    assert_eq!(answer["kind"], "results");
    let each = list(&answer["results"]).iter().map(|result| {
        let id = result["id"].as_str().expect("an id");
        if result["ok"] == true {
            assert_eq!((result["item"]["id"].as_str(), &result["error"]), (Some(id), &Value::Null));
            return (id, "ok");
        }
        assert_eq!(result["item"], Value::Null);
        (id, result["error"]["code"].as_str().expect("a code"))
    });
    let each: Vec<_> = each.collect();
    let done = each.iter().filter(|(_, what)| *what == "ok").count();
    let summary = [("total", each.len()), ("done", done), ("failed", each.len() - done)];
    for (name, number) in summary {
        assert_eq!(answer["summary"][name], number, "{answer}");
    }
    each
}

#[test]
fn some_that_fail_keep_no_other_from_being_done() {
    let jerry = three();
    let all = jerry.json(["start", "1", "2", "3"]);
    assert_eq!(told(&all.json()), IDS.map(|id| (id, "ok")));
    assert!(all.is_ok(), "{all}");
    jerry.ok(["complete", "2"]);

    let some = jerry.json(["complete", "1", "2", "99", "3", "1"]);
    let wanted = [
        ("WORK-001", "ok"),
        ("WORK-002", "invalid_transition"),
        ("WORK-099", "not_found"),
        ("WORK-003", "ok"),
    ];
    assert_eq!(told(&some.json()), wanted);
    assert_eq!(some.code(), Some(10), "{some}");
    for id in IDS {
        assert_eq!(jerry.item(id)["status"], "completed");
    }

    let none = jerry.json(["complete", "99", "1"]);
    assert_eq!(told(&none.json()), [("WORK-099", "not_found"), ("WORK-001", "invalid_transition")]);
    assert_eq!(none.code(), Some(3), "{none}");
}

#[test]
fn a_word_that_is_no_id_ends_it_before_anything_is_written() {
    let jerry = three();
    for words in [["note", "1", "fix", "it"], ["start", "1", "2", "it"]] {
        assert_eq!(jerry.refused(2, words)["code"], "usage");
    }
    jerry.refused(2, ["start", "1", "2", "--if-version", "1"]);
    jerry.refused(2, ["start", "1", "2", "--fence", "1"]);
    for id in IDS {
        assert_eq!(jerry.item(id)["version"], 1);
    }
}

#[test]
fn a_request_with_a_name_is_made_once_on_each_item() {
    let jerry = three();
    let note = ["note", "1", "2", "3", "said once", "--request-id", "r-1"];
    // As if the first attempt had been killed after its first item.
    jerry.ok(["note", "1", "said once", "--request-id", "r-1"]);
    let first = jerry.json(note);
    assert!(first.is_ok(), "{first}");
    jerry.ok(["start", "2"]);
    assert_eq!(jerry.json(note).json(), first.json());

    let commands = (0..8).map(|_| jerry.command(["--json"].iter().chain(&note)));
    for outcome in at_once(commands) {
        assert_eq!(outcome.json(), first.json());
    }
    for id in IDS {
        assert_eq!(list(&jerry.item(id)["notes"]).len(), 1, "{id}");
    }

    let delete = ["delete", "3", "2", "--request-id", "r-2"];
    let deleted = jerry.json(delete);
    assert_eq!(told(&deleted.json()), [("WORK-003", "ok"), ("WORK-002", "ok")]);
    assert_eq!(jerry.json(delete).json(), deleted.json());
    assert_eq!(jerry.item_names(), ["WORK-001"]);
}

#[test]
fn of_many_who_claim_several_each_item_has_one_winner() {
    let jerry = three();
    let claims = (0..10).map(|number| {
        let mut command = jerry.command(["--json", "claim", "1", "2", "3"]);
        command.env("JERRY_SESSION", format!("s-{number}"));
        command
    });
    let answers: Vec<_> = at_once(claims).iter().map(|outcome| outcome.json()).collect();
    let won: Vec<_> = answers.iter().flat_map(told).filter(|(_, what)| *what == "ok").collect();
    assert_eq!(won.len(), IDS.len(), "{won:?}");
    assert!(IDS.iter().all(|id| won.contains(&(*id, "ok"))), "{won:?}");
}
