//! What every write changed, compactly, and how to go back.
//!
//! An entry says for each changed field what stood there before. Earlier versions are rebuilt
//! from the present one backwards, so what was only appended need not be repeated: a change whose
//! `from` and `to` are both `null` means that the element at its path was added at the end of its
//! list; the element itself stands in the item, or in the `from` of a later change.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::record::{Extra, Record};
use crate::{Actor, InvalidItem, RequestId, WorkItem};

/// What kind of write an entry stands for. Kinds of later versions are kept as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Event(Cow<'static, str>);

#[allow(missing_docs)]
impl Event {
    pub const CREATED: Self = Self(Cow::Borrowed("created"));
    pub const IMPORTED: Self = Self(Cow::Borrowed("imported"));
    pub const UPDATED: Self = Self(Cow::Borrowed("updated"));
    pub const STARTED: Self = Self(Cow::Borrowed("started"));
    pub const BLOCKED: Self = Self(Cow::Borrowed("blocked"));
    pub const COMPLETED: Self = Self(Cow::Borrowed("completed"));
    pub const CANCELLED: Self = Self(Cow::Borrowed("cancelled"));
    pub const RELEASED: Self = Self(Cow::Borrowed("released"));
    pub const REOPENED: Self = Self(Cow::Borrowed("reopened"));
    pub const CLAIMED: Self = Self(Cow::Borrowed("claimed"));
    pub const HANDED_OVER: Self = Self(Cow::Borrowed("handed_over"));
    pub const NOTED: Self = Self(Cow::Borrowed("noted"));
    pub const CHECKED: Self = Self(Cow::Borrowed("checked"));
    pub const LABELLED: Self = Self(Cow::Borrowed("labelled"));
    pub const LINKED: Self = Self(Cow::Borrowed("linked"));
    pub const RENUMBERED: Self = Self(Cow::Borrowed("renumbered"));

    /// The name in files.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One write of an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// The version that the write made.
    pub version: u64,
    /// What kind of write it was.
    pub event: Event,
    /// What it changed; nothing for the first version.
    #[serde(default)]
    pub changes: Vec<FieldChange>,
    /// Why, in the actor's words.
    #[serde(default)]
    pub reason: Option<String>,
    /// The request that asked for it, so that a repeat can be told from a second request.
    #[serde(default)]
    pub request_id: Option<String>,
    /// Whether it was written against the holder of a claim or another rule that would have
    /// refused it. Absent where it was not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl HistoryEntry {
    /// The digest of the request that made the item or chose it, instead of naming it.
    pub(crate) fn chosen_by(&self) -> Option<u64> {
        let chooses = [Event::CREATED, Event::CLAIMED].contains(&self.event);
        let request = self.request_id.as_deref().filter(|_| chooses)?;
        RequestId::new(request).ok().map(|request| request.digest())
    }
}

/// What stood at one place before and after a write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// A JSON pointer without its first slash: `title`, `notes/3`, `acceptance_criteria/0/done`.
    pub field: String,
    /// What stood there before.
    #[serde(default)]
    pub from: Value,
    /// What stands there after. `null` both here and in `from`: appended.
    #[serde(default)]
    pub to: Value,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl FieldChange {
    fn new(field: String, from: Value, to: Value) -> Self {
        Self { field, from, to, extra: Extra::new() }
    }

    /// The element at `path` was added to the end of its list.
    fn append(path: String) -> Self {
        Self::new(path, Value::Null, Value::Null)
    }

    /// Whether the change added the element at its path to the end of its list.
    #[must_use]
    pub fn is_append(&self) -> bool {
        self.from.is_null() && self.to.is_null()
    }
}

/// A version that an item's history does not reach.
#[derive(Debug, thiserror::Error)]
pub enum UnknownVersion {
    /// The item never had it, or its history does not go back so far.
    #[error("version {wanted} is not in the history, which holds {oldest} to {newest}")]
    OutOfReach {
        /// What was asked for.
        wanted: u64,
        /// The oldest version that can be rebuilt.
        oldest: u64,
        /// The present version.
        newest: u64,
    },
    /// The item was changed by something that does not write history.
    #[error("version {wanted} cannot be rebuilt: '{field}' is not what the history says")]
    Broken {
        /// What was asked for.
        wanted: u64,
        /// The path of the change that did not apply.
        field: String,
    },
    /// What was rebuilt is no item.
    #[error("version {wanted} cannot be rebuilt")]
    Invalid {
        /// What was asked for.
        wanted: u64,
        /// Why not.
        source: InvalidItem,
    },
}

/// Collects the changes that lead from `before` to `after`.
///
/// Left out: `version` and `history`, which every write changes, and `updated_at` where it is the
/// time of the last entry, as it is after every write but an import.
pub(crate) fn changes(
    before: &Record,
    after: &Record,
) -> Result<Vec<FieldChange>, serde_json::Error> {
    let mut found = Vec::new();
    macro_rules! scalars {
        ($($field:ident $(as $name:literal)?),*) => {$({
            #[allow(unused_variables)]
            let name = stringify!($field);
            $(let name = $name;)?
            if before.$field != after.$field {
                let from = serde_json::to_value(&before.$field)?;
                let to = serde_json::to_value(&after.$field)?;
                compare(name.to_owned(), from, to, &mut found);
            }
        })*};
    }
    // Short sets say more whole than by position.
    macro_rules! whole {
        ($($field:ident),*) => {$(
            if before.$field != after.$field {
                let from = serde_json::to_value(&before.$field)?;
                let to = serde_json::to_value(&after.$field)?;
                found.push(FieldChange::new(stringify!($field).to_owned(), from, to));
            }
        )*};
    }
    macro_rules! lists {
        ($($field:ident),*) => {$(
            let (from, to) = (&before.$field, &after.$field);
            // Appending to a long list is the common write; it must not cost the list.
            if to.len() > from.len() && to.starts_with(from) {
                let path = |index| format!("{}/{index}", stringify!($field));
                found.extend((from.len()..to.len()).map(path).map(FieldChange::append));
            } else {
                scalars!($field);
            }
        )*};
    }
    scalars!(schema, id, uid, item_type as "type", title, heading, description, status, priority);
    scalars!(phase, assignee, claim, parent);
    whole!(labels, depends_on);
    lists!(links, acceptance_criteria, subtasks, notes);
    lists!(findings, artifacts, sources);
    scalars!(external_ref, created_at, started_at, completed_at, due_at, imported);
    // Said even where both are equal: without it, going back takes the last entry's time.
    if before.history.last().is_none_or(|entry| entry.at != before.updated_at) {
        let from = serde_json::to_value(before.updated_at)?;
        let to = serde_json::to_value(after.updated_at)?;
        found.push(FieldChange::new("updated_at".to_owned(), from, to));
    }
    Ok(found)
}

/// Descends into what is alike, so that a ticked criterion is one small change.
fn compare(path: String, from: Value, to: Value, found: &mut Vec<FieldChange>) {
    match (from, to) {
        (Value::Array(from), Value::Array(to))
            if to.len() > from.len() && to.starts_with(&from) =>
        {
            let path = |index| format!("{path}/{index}");
            found.extend((from.len()..to.len()).map(path).map(FieldChange::append));
        }
        (Value::Array(from), Value::Array(to)) if from.len() == to.len() => {
            for (index, (from, to)) in from.into_iter().zip(to).enumerate() {
                if from != to {
                    compare(format!("{path}/{index}"), from, to, found);
                }
            }
        }
        (Value::Object(from), Value::Object(mut to)) if from.keys().eq(to.keys()) => {
            for (key, from) in from {
                if let Some(to) = to.remove(&key).filter(|to| *to != from) {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    compare(format!("{path}/{key}"), from, to, found);
                }
            }
        }
        (from, to) => found.push(FieldChange::new(path, from, to)),
    }
}

/// Rebuilds the version `wanted` of `item` by taking back what came after it.
pub(crate) fn rebuild(item: &WorkItem, wanted: u64) -> Result<WorkItem, UnknownVersion> {
    let newest = item.version;
    if wanted == newest {
        return Ok(item.clone());
    }
    let oldest = oldest_reachable(item);
    if wanted < oldest || wanted > newest {
        return Err(UnknownVersion::OutOfReach { wanted, oldest, newest });
    }
    let broken = |field: &str| UnknownVersion::Broken { wanted, field: field.to_owned() };

    let mut history = item.history.clone();
    let mut value = serde_json::to_value(item).map_err(|_| broken("item"))?;
    while let Some(entry) = history.pop_if(|entry| entry.version > wanted) {
        if let Some(previous) = history.last() {
            value["updated_at"] =
                serde_json::to_value(previous.at).map_err(|_| broken("updated_at"))?;
        }
        for change in entry.changes.iter().rev() {
            take_back(&mut value, change).ok_or_else(|| broken(&change.field))?;
        }
    }
    value["version"] = wanted.into();
    value["history"] = Value::Array(Vec::new());
    let invalid = |source| UnknownVersion::Invalid { wanted, source };
    // By way of text: read from a `Value`, an unknown number would lose its spelling.
    let mut record: Record = serde_json::from_str(&value.to_string())
        .map_err(|error| invalid(InvalidItem::from(error)))?;
    record.history = history;
    WorkItem::try_from(record).map_err(invalid)
}

/// The first version of the unbroken run of entries that ends at the present one.
fn oldest_reachable(item: &WorkItem) -> u64 {
    let mut oldest = item.version;
    for entry in item.history.iter().rev() {
        if entry.version != oldest || oldest == 1 {
            return oldest;
        }
        // Without an entry for it, a version is still what its successor's entry leads back to.
        oldest -= 1;
    }
    oldest
}

fn take_back(item: &mut Value, change: &FieldChange) -> Option<()> {
    let path = format!("/{}", change.field);
    if change.is_append() {
        let (list, index) = path.rsplit_once('/')?;
        let list = item.pointer_mut(list)?.as_array_mut()?;
        if list.len().checked_sub(1)? != index.parse::<usize>().ok()? {
            return None;
        }
        list.pop();
    } else {
        *item.pointer_mut(&path)? = change.from.clone();
    }
    Some(())
}
