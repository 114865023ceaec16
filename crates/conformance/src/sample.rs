//! Items for the rules to work with.

use std::sync::atomic::{AtomicU64, Ordering};

use jerry_domain::{
    Actor, Edit, ItemRef, Prefix, Priority, Record, Stamp, Timestamp, Title, Uid, WorkId, WorkItem,
};
use serde_json::json;

pub(crate) fn prefix(text: &str) -> Prefix {
    Prefix::new(text).expect("a valid prefix")
}

pub(crate) fn id(number: u64) -> WorkId {
    WorkId::new(prefix("WORK"), number).expect("a valid number")
}

/// A uid that no other item of this process has. The worker is the last one, which a store that
/// starts at its first slots does not use.
pub(crate) fn uid() -> Uid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let millis = NEXT.fetch_add(1, Ordering::Relaxed);
    Uid::from_parts(millis, Uid::WORKERS - 1, 0).expect("in range")
}

pub(crate) fn now() -> Timestamp {
    "2026-01-02T03:04:05.678901Z".parse().expect("a valid time")
}

pub(crate) fn actor() -> Actor {
    Actor::new("conformance").expect("a valid actor")
}

pub(crate) fn stamp() -> Stamp {
    Stamp { reason: Some("because".to_owned()), ..Stamp::new(now(), actor()) }
}

pub(crate) fn item(number: u64) -> WorkItem {
    with(number, &[Edit::Priority(Priority::High)])
}

pub(crate) fn with(number: u64, edits: &[Edit]) -> WorkItem {
    let title = Title::new(&format!("Item {number}")).expect("a valid title");
    WorkItem::create(id(number), uid(), title, edits, &stamp()).expect("valid edits")
}

/// An item of which no field is empty, with fields that nobody knows and numbers that no machine
/// type holds.
pub(crate) fn rich(number: u64) -> WorkItem {
    let other = ItemRef::new(id(900), uid()).with_note(Some("first that".to_owned()));
    let mut record: Record = item(number).into_record();
    let fields = json!({
        "heading": "# An item",
        "description": "Line one\n\n  Line two with „quotes“, \u{1f980} and a tab\t.\n",
        "phase": "beta",
        "assignee": "ann",
        "claim": {
            "holder": "ann", "session": "s", "fence": 3, "since": "2025-01-02T03:04:05Z",
            "lease_seconds": 60, "expires_at": "2025-01-02T03:05:05Z", "x_lease": [1]
        },
        "labels": ["a", "b/c"],
        "parent": other,
        "depends_on": [{"id": "WORK-901", "uid": "77", "x_weight": 1.50}],
        "links": [
            {"kind": "related", "target": {"id": "WORK-902", "uid": "78"}, "note": "see"},
            {"kind": "depends_on", "target": "elsewhere#1"}
        ],
        "acceptance_criteria": [{
            "id": "AC-1", "text": "It holds", "done": true,
            "evidence": [{"text": "seen", "source": "log", "x_line": 7}]
        }],
        "subtasks": [{"id": "ST-1", "text": "a step", "done": false}],
        "notes": [{"at": "2026-01-02T03:04:05.000000001Z", "actor": "bob", "text": "said"}],
        "findings": ["found"],
        "artifacts": [{"kind": "Research", "title": "paper", "url": "docs/paper.md"}],
        "sources": [{"title": "book"}],
        "external_ref": "beads:x-1",
        "due_at": "2026-02-01T00:00:00Z",
        "imported": {"deep": [null, {"er": false}]},
        "x_unknown": {"kept": ["to", "the", "letter"]},
        "x_zero": 1.0
    });
    let mut value = serde_json::to_value(&record).expect("serialises");
    let whole = value.as_object_mut().expect("an object");
    whole.extend(fields.as_object().expect("an object").clone());
    let big = "123456789012345678901234567890.12345678901234567890e-3";
    whole.insert("x_big".to_owned(), serde_json::from_str(big).expect("a number"));
    record = serde_json::from_value(value).expect("a record");
    WorkItem::try_from(record).expect("a valid item")
}
