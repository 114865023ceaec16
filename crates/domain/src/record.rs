//! The fields of an item, as they stand in its file. The derives are the description of the
//! format: field order here is key order there.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{
    Actor, Artifact, Claim, Criterion, HistoryEntry, ItemRef, ItemType, Label, Link, Note, Phase,
    Priority, Requirement, Source, Status, Subtask, Title, Uid, WorkId, WorkItem,
};

/// Fields that this version does not know, kept as they are through every write, in their order.
/// Numbers keep every digit, however many; only an exponent is spelt in one way, `1e+400`.
pub type Extra = serde_json::Map<String, Value>;

/// Everything an item consists of. Each value is valid by its type; [`WorkItem`](crate::WorkItem)
/// adds the rules that hold between fields and is what the rest of jerry handles.
///
/// Every field is always written, `null` or `[]` where there is nothing, so that two writes of
/// one item give identical bytes. Optional fields may be absent in what is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The item format, [`ITEM_SCHEMA`](crate::ITEM_SCHEMA).
    pub schema: u32,
    /// The id for people.
    pub id: WorkId,
    /// The identity.
    pub uid: Uid,
    /// Grows by one with every write; the first is 1.
    pub version: u64,
    /// What kind of work it is.
    #[serde(rename = "type")]
    pub item_type: ItemType,
    /// What it is about, in one line.
    pub title: Title,
    /// The first line of the document that it was imported from, where that differs from the title.
    #[serde(default, deserialize_with = "none_if_empty")]
    pub heading: Option<String>,
    /// What it is about, at length.
    #[serde(default, deserialize_with = "none_if_empty")]
    pub description: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// How urgent it is.
    pub priority: Priority,
    /// The phase of a plan that it belongs to.
    #[serde(default)]
    pub phase: Option<Phase>,
    /// Who is to do it.
    #[serde(default)]
    pub assignee: Option<Actor>,
    /// Who works on it now.
    #[serde(default)]
    pub claim: Option<Claim>,
    /// Sorted, each once.
    #[serde(default, deserialize_with = "default_if_null")]
    pub labels: Vec<Label>,
    /// The item that it is a part of.
    #[serde(default)]
    pub parent: Option<ItemRef>,
    /// The items that must be completed or cancelled before this one is ready.
    #[serde(default, deserialize_with = "default_if_null")]
    pub depends_on: Vec<ItemRef>,
    /// Relations without consequences.
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: Vec<Link>,
    /// What it must show before it is completed, on top of what settings ask of its type.
    #[serde(default, deserialize_with = "default_if_null")]
    pub gates: Vec<Requirement>,
    /// What must hold for it to count as done.
    #[serde(default, deserialize_with = "default_if_null")]
    pub acceptance_criteria: Vec<Criterion>,
    /// The steps that it consists of.
    #[serde(default, deserialize_with = "default_if_null")]
    pub subtasks: Vec<Subtask>,
    /// What was said about it, append-only.
    #[serde(default, deserialize_with = "default_if_null")]
    pub notes: Vec<Note>,
    /// What was found out.
    #[serde(default, deserialize_with = "default_if_null")]
    pub findings: Vec<String>,
    /// What was produced.
    #[serde(default, deserialize_with = "default_if_null")]
    pub artifacts: Vec<Artifact>,
    /// What it draws on.
    #[serde(default, deserialize_with = "default_if_null")]
    pub sources: Vec<Source>,
    /// What it is called elsewhere, for example `beads:beads_rust-07b`. An import keys by it.
    #[serde(default, deserialize_with = "none_if_empty")]
    pub external_ref: Option<String>,
    /// When it came into being.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
    /// When work first began.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it was completed.
    #[serde(default)]
    pub completed_at: Option<Timestamp>,
    /// When it should be completed.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// What an importer could not map.
    #[serde(default)]
    pub imported: Option<Value>,
    /// One entry a write, enough to rebuild every earlier version.
    #[serde(default, deserialize_with = "default_if_null")]
    pub history: Vec<HistoryEntry>,
    /// Younger items that got the same number on other branches, the oldest first. They are whole
    /// items of their own and no part of this one; each has its own number from the next write on.
    /// Absent where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "default_if_null")]
    pub displaced: Vec<WorkItem>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

fn default_if_null<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn none_if_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}
