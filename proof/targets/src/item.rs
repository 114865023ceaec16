//! An item's file.

use jerry_domain::{
    Actor, Credentials, Edit, ITEM_SCHEMA, Label, Refusal, Stamp, Summary, Timestamp, WorkItem,
};
use jerry_infra_fs::proof;

use crate::json::{Fields, Json, Kept, kept};
use crate::{Target, difference, must};

pub(crate) const TARGET: Target = Target {
    name: "item",
    words: &[
        "\"",
        ":",
        ",",
        "{",
        "}",
        "[",
        "]",
        "null",
        "true",
        "0",
        "-0",
        "1E400",
        "1e5",
        "1E+5",
        "1.10",
        "18446744073709551615",
        "18446744073709551616",
        "\\u0000",
        "\\ud83d",
        "\\\"",
        "\"schema\":2",
        "\"version\":18446744073709551615",
        "\"x\":1E5,",
        "\"WORK-001\"",
        "{\"id\":\"WORK-007\",\"uid\":\"7\"}",
        "\"$serde_json::private::Number\"",
        "notes/0",
        "1970-01-01T00:00:00Z",
        "-009999-01-02T01:59:59Z",
        "depends_on",
        "labels",
        "history",
    ],
    rewrite,
    again: rewrite,
    laws,
};

const REFERENCE: Fields = &[("id", Kept::Known), ("uid", Kept::Known), ("note", Kept::Known)];
const PLACE: Fields = &[("kind", Kept::Known), ("title", Kept::Exactly), ("url", Kept::Exactly)];
const EVIDENCE: Fields = &[("text", Kept::Exactly), ("source", Kept::Exactly)];
const CHECK: Fields = &[
    ("id", Kept::Known),
    ("text", Kept::Exactly),
    ("done", Kept::Known),
    ("evidence", Kept::Of(EVIDENCE)),
];
const CHANGE: Fields = &[("field", Kept::Exactly), ("from", Kept::Exactly), ("to", Kept::Exactly)];

/// What jerry knows of an item.
pub(crate) const ITEM: Fields = &[
    ("schema", Kept::Known),
    ("id", Kept::Known),
    ("uid", Kept::Known),
    ("version", Kept::Known),
    ("type", Kept::Known),
    ("title", Kept::Known),
    ("heading", Kept::Exactly),
    ("description", Kept::Exactly),
    ("status", Kept::Known),
    ("priority", Kept::Known),
    ("phase", Kept::Known),
    ("assignee", Kept::Known),
    (
        "claim",
        Kept::Of(&[
            ("holder", Kept::Known),
            ("session", Kept::Known),
            ("fence", Kept::Known),
            ("since", Kept::Known),
            ("lease_seconds", Kept::Known),
            ("expires_at", Kept::Known),
            ("handed_over_by", Kept::Known),
            ("lock", Kept::Known),
        ]),
    ),
    ("labels", Kept::Known),
    ("parent", Kept::Of(REFERENCE)),
    ("depends_on", Kept::Of(REFERENCE)),
    (
        "links",
        Kept::Of(&[("kind", Kept::Known), ("target", Kept::Of(REFERENCE)), ("note", Kept::Known)]),
    ),
    ("gates", Kept::Known),
    ("acceptance_criteria", Kept::Of(CHECK)),
    ("subtasks", Kept::Of(&[("id", Kept::Known), ("text", Kept::Exactly), ("done", Kept::Known)])),
    ("notes", Kept::Of(&[("at", Kept::Known), ("actor", Kept::Known), ("text", Kept::Exactly)])),
    ("findings", Kept::Exactly),
    ("artifacts", Kept::Of(PLACE)),
    ("sources", Kept::Of(&[("title", Kept::Exactly), ("url", Kept::Exactly)])),
    ("external_ref", Kept::Exactly),
    ("created_at", Kept::Known),
    ("updated_at", Kept::Known),
    ("started_at", Kept::Known),
    ("completed_at", Kept::Known),
    ("due_at", Kept::Known),
    ("imported", Kept::Exactly),
    (
        "history",
        Kept::Of(&[
            ("at", Kept::Known),
            ("actor", Kept::Known),
            ("version", Kept::Known),
            ("event", Kept::Exactly),
            ("changes", Kept::Of(CHANGE)),
            ("reason", Kept::Exactly),
            ("request_id", Kept::Exactly),
            ("forced", Kept::Known),
        ]),
    ),
];

fn rewrite(bytes: &[u8]) -> Option<Vec<u8>> {
    proof::item_text(bytes, &proof::item(bytes).ok()?)
}

fn laws(bytes: &[u8], written: &[u8]) -> Result<(), String> {
    let said = |error: jerry_domain::ports::Malformed| error.to_string();
    let item = proof::item(bytes).map_err(said)?;
    must(proof::item(written).map_err(said)? == item, || "it is another item".to_owned())?;
    let before = Json::read(bytes)?;
    kept(&before, &Json::read(written)?, ITEM)?;
    summarised(&item)?;
    let _ = jerry_application::render_markdown(&item);
    past(&item)?;
    changed(bytes, &before, &item)
}

/// The index says of an item what the item says.
fn summarised(item: &WorkItem) -> Result<(), String> {
    let summary = Summary::from(item);
    let row = proof::index::row(&summary).ok_or("it has no row in the index")?;
    let back = proof::index::summary(&row);
    must(back.as_ref() == Some(&summary), || format!("{summary:?} is {back:?} in the index"))
}

/// An earlier version is an item, or there is a reason why not.
fn past(item: &WorkItem) -> Result<(), String> {
    const ENOUGH: usize = 4;
    let versions = item.history.iter().rev().take(ENOUGH).map(|entry| entry.version);
    for wanted in versions.chain([0, 1, item.version.wrapping_sub(1)]) {
        if let Ok(earlier) = item.at_version(wanted) {
            must(earlier.version == wanted, || format!("{wanted} was {}", earlier.version))?;
        }
    }
    Ok(())
}

/// A write loses nothing of what stood there, and can be taken back.
fn changed(bytes: &[u8], before: &Json, item: &WorkItem) -> Result<(), String> {
    let actor = Actor::new("fuzz").map_err(|error| error.to_string())?;
    let label = Label::new("fuzz").map_err(|error| error.to_string())?;
    // Whoever holds the item.
    let credentials = Credentials { force: true, ..Credentials::default() };
    let stamp = Stamp { credentials, ..Stamp::new(Timestamp::UNIX_EPOCH, actor) };
    let edits =
        [Edit::AddLabel(label), Edit::Note("seen".to_owned()), Edit::AddFinding("!".into())];
    let next = match item.apply(&edits, &stamp) {
        Ok(Some(next)) => next,
        Ok(None) => return Err("a note changed nothing".to_owned()),
        Err(Refusal::NewerSchema { .. }) if item.schema > ITEM_SCHEMA => return Ok(()),
        Err(_) if item.version == u64::MAX => return Ok(()),
        Err(refusal) => return Err(format!("a note was refused: {refusal}")),
    };
    let text = proof::item_text(bytes, &next).ok_or("it cannot be written")?;
    let back = proof::item(&text).map_err(|error| error.to_string())?;
    must(back == next, || "what was written is another item".to_owned())?;
    // Known fields may have changed; what is not known may not.
    let mut before = before.clone();
    if let Json::Object(fields) = &mut before {
        fields.retain(|(key, _)| key != "findings");
    }
    kept(&before, &Json::read(&text)?, ITEM)?;
    // A history that somebody made up leads anywhere.
    let sound = item.history.iter().all(|entry| entry.version <= item.version);
    if !sound {
        return Ok(());
    }
    let taken_back = back.at_version(item.version).map_err(|error| format!("{error}"))?;
    let own = serde_json::to_vec(item).map_err(|error| error.to_string())?;
    let taken_back = serde_json::to_vec(&taken_back).map_err(|error| error.to_string())?;
    must(own == taken_back, || difference("taken back it is another item", &own, &taken_back))
}
