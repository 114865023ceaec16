//! The JSON contract: one object on one line, `schema` and `kind` first, every field always there.

use std::io::{self, Write};

use jerry_domain::{
    Actor, ClaimSummary, ItemRef, ItemType, Label, Phase, Priority, Progress, ProgressCount,
    Status, Summary, Timestamp, Title, Uid, WorkId, WorkItem,
};
use serde::Serialize;
use serde_json::Value;

use super::SCHEMA;
use super::escape::SafeJson;
use crate::exit::Failure;

/// Takes one answer.
pub struct Json<'a> {
    out: &'a mut dyn Write,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: u32,
    kind: &'a str,
    #[serde(flatten)]
    fields: &'a T,
}

impl<'a> Json<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self { out }
    }

    /// Writes the answer whose fields are those of `fields`.
    pub(crate) fn answer<T: Serialize>(self, kind: &str, fields: &T) -> io::Result<()> {
        let mut serializer = serde_json::Serializer::with_formatter(&mut *self.out, SafeJson);
        Envelope { schema: SCHEMA, kind, fields }.serialize(&mut serializer)?;
        writeln!(self.out)
    }

    pub(crate) fn error(self, failure: &Failure) -> io::Result<()> {
        self.answer("error", &serde_json::json!({ "error": failure.to_json() }))
    }
}

/// An item in a list: exactly these fields.
#[derive(Serialize)]
pub(crate) struct Row<'a> {
    id: &'a WorkId,
    uid: Uid,
    version: u64,
    #[serde(rename = "type")]
    item_type: ItemType,
    title: &'a Title,
    status: Status,
    priority: Priority,
    phase: Option<&'a Phase>,
    assignee: Option<&'a Actor>,
    claim: Option<&'a ClaimSummary>,
    labels: &'a [Label],
    parent: Option<&'a WorkId>,
    depends_on: Vec<&'a WorkId>,
    progress: Option<Progress>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> Row<'a> {
    /// `progress` is that of all items.
    pub(crate) fn new(item: &'a Summary, progress: &ProgressCount) -> Self {
        Self {
            id: &item.id,
            uid: item.uid,
            version: item.version,
            item_type: item.item_type,
            title: &item.title,
            status: item.status,
            priority: item.priority,
            phase: item.phase.as_ref(),
            assignee: item.assignee.as_ref(),
            claim: item.claim.as_ref(),
            labels: &item.labels,
            parent: item.parent.as_ref().map(|parent| &parent.id),
            depends_on: item.depends_on.iter().map(|needed| &needed.id).collect(),
            progress: progress.of(&item.id, item.uid),
            created_at: item.created_at,
            updated_at: item.updated_at,
        }
    }
}

/// Every field of an item, references as ids.
pub(crate) fn whole(item: &WorkItem) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(item)?;
    value["parent"] = serde_json::to_value(item.parent.as_ref().map(|parent| &parent.id))?;
    value["depends_on"] = ids(&item.depends_on);
    for (index, link) in item.links.iter().enumerate() {
        value["links"][index]["target"] = Value::from(link.target.to_string());
    }
    Ok(value)
}

fn ids(references: &[ItemRef]) -> Value {
    references.iter().map(|reference| Value::from(reference.id.to_string())).collect()
}
