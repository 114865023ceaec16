//! What every write changed, compactly, and how to go back.
//!
//! An entry says for each changed field what stood there before. Earlier versions are rebuilt
//! from the present one backwards, so what was only appended need not be repeated: a change whose
//! `from` and `to` are both `null` means that the element at its path was added at the end of its
//! list; the element itself stands in the item, or in the `from` of a later change.

mod past;

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::past::Writes;
pub(crate) use self::past::{own_entries, rebuild, rebuild_merged};
use crate::record::{Extra, Record};
use crate::{Actor, InvalidItem, RequestId, SessionName};

/// What kind of write an entry stands for. Kinds of later versions are kept as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    pub const MERGED: Self = Self(Cow::Borrowed("merged"));
    pub const UNDONE: Self = Self(Cow::Borrowed("undone"));
    /// Never in an item's own history: what a tombstone tells, where writes are listed.
    pub const DELETED: Self = Self(Cow::Borrowed("deleted"));

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
    /// In which of the actor's sessions. Absent where it was in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionName>,
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
    /// Whether somebody insisted on it against what would have refused it: the holder of a claim,
    /// another rule, or that another wrote what it took back. Absent where nobody did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// The line that was merged into this one. Absent where it was no merge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Box<MergedLine>>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl HistoryEntry {
    /// The digest of the request that made the item or chose it, instead of naming it.
    pub(crate) fn chosen_by(&self) -> Option<u64> {
        let chooses = [Event::CREATED, Event::CLAIMED, Event::UNDONE].contains(&self.event);
        let request = self.request_id.as_deref().filter(|_| chooses)?;
        RequestId::new(request).ok().map(|request| request.digest())
    }

    /// Whether `actor` made the write, in `session` or in none. Where all agents are one actor,
    /// only their sessions tell them apart.
    #[must_use]
    pub fn is_by(&self, actor: &Actor, session: Option<&SessionName>) -> bool {
        self.actor == *actor && self.session.as_ref() == session
    }
}

/// Another line of an item's versions, which went its own way on another branch until a merge.
/// Enough to rebuild it: nothing that it said is lost.
///
/// However often lines are merged, none holds another, and no write is kept twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergedLine {
    /// The version at which it stood.
    pub version: u64,
    /// How many entries, from the first, it has in common with the history that it was merged into.
    pub shared: usize,
    /// The version at which an earlier part of it was merged, which is not repeated. Absent at the
    /// first merge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<u64>,
    /// What leads from that version to the merged one.
    #[serde(default)]
    pub changes: Vec<FieldChange>,
    /// Its own entries, behind those in common and those of the earlier part.
    #[serde(default)]
    pub history: Vec<HistoryEntry>,
    /// Entries of lines that had been merged into it. Absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<HistoryEntry>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl HistoryEntry {
    /// The entry without the entries of the line that it merged.
    pub(crate) fn alone(&self) -> Self {
        let mut alone = self.clone();
        if let Some(line) = &mut alone.merged {
            (line.continues, line.history, line.further) = (None, Vec::new(), Vec::new());
        }
        alone
    }

    /// The entries of the line that it merged, and of those merged into that one.
    pub(crate) fn of_other_lines(&self) -> impl Iterator<Item = &Self> {
        self.merged.iter().flat_map(|line| line.history.iter().chain(&line.further))
    }
}

/// One of the two ends of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(missing_docs)]
pub enum End {
    From,
    To,
}

/// What stood at one place before and after a write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldChange {
    /// A JSON pointer without its first slash: `title`, `notes/3`, `acceptance_criteria/0/done`.
    pub field: String,
    /// What stood there before.
    #[serde(default)]
    pub from: Value,
    /// What stands there after. `null` both here and in `from`: appended.
    #[serde(default)]
    pub to: Value,
    /// Where there was no such field at all, which only merges do to fields that jerry does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<End>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl FieldChange {
    fn new(field: String, from: Value, to: Value) -> Self {
        Self { field, from, to, absent: None, extra: Extra::new() }
    }

    /// The element at `path` was added to the end of its list.
    fn append(path: String) -> Self {
        Self::new(path, Value::Null, Value::Null)
    }

    /// The JSON pointer to its place.
    pub(crate) fn pointer(&self) -> String {
        format!("/{}", self.field)
    }

    /// Whether the change added the element at its path to the end of its list.
    #[must_use]
    pub fn is_append(&self) -> bool {
        self.from.is_null() && self.to.is_null() && self.absent.is_none()
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
    /// No other line was merged there.
    #[error("version {wanted} is no merge")]
    NoMerge {
        /// What was asked for.
        wanted: u64,
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
    whole!(labels, depends_on, gates);
    lists!(links, acceptance_criteria, subtasks, notes);
    lists!(findings, artifacts, sources);
    scalars!(external_ref, created_at, started_at, completed_at, due_at, imported);
    unknown_fields(&before.extra, &after.extra, &mut found);
    // Said even where both are equal: without it, going back takes the last entry's time.
    if before.history.last().is_none_or(|entry| entry.at != before.updated_at) {
        let from = serde_json::to_value(before.updated_at)?;
        let to = serde_json::to_value(after.updated_at)?;
        found.push(FieldChange::new("updated_at".to_owned(), from, to));
    }
    Ok(found)
}

/// Only merges change them.
fn unknown_fields(before: &Extra, after: &Extra, found: &mut Vec<FieldChange>) {
    if before == after {
        return;
    }
    for (key, from) in before {
        match after.get(key) {
            Some(to) if to == from => {}
            Some(to) => compare(escaped(key), from.clone(), to.clone(), found),
            None => {
                let change = FieldChange::new(escaped(key), from.clone(), Value::Null);
                found.push(FieldChange { absent: Some(End::To), ..change });
            }
        }
    }
    for (key, to) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
        let change = FieldChange::new(escaped(key), Value::Null, to.clone());
        found.push(FieldChange { absent: Some(End::From), ..change });
    }
}

/// `key` as a step of a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
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
                    compare(format!("{path}/{}", escaped(&key)), from, to, found);
                }
            }
        }
        (from, to) => found.push(FieldChange::new(path, from, to)),
    }
}

/// `changes`, in which what was only appended is said too: its `to` is what stands in `after`.
pub(crate) fn in_full(changes: Vec<FieldChange>, after: &Value) -> Vec<FieldChange> {
    let say = |mut change: FieldChange| {
        if change.is_append() {
            change.to = after.pointer(&change.pointer()).cloned().unwrap_or_default();
        }
        change
    };
    changes.into_iter().map(say).collect()
}
