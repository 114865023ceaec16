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
use crate::{Actor, InvalidItem, RequestId, SessionName, WorkItem};

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
    let mut past = Past::of(item).map_err(|_| broken(wanted, "item"))?;
    while past.history.last().is_some_and(|entry| entry.version > wanted) {
        past.take_back().map_err(|field| broken(wanted, &field))?;
    }
    finished(past.value, wanted, past.history)
}

/// The line that was merged into `item` where it made the version `wanted`, as it stood then.
pub(crate) fn rebuild_merged(item: &WorkItem, wanted: u64) -> Result<WorkItem, UnknownVersion> {
    let merged = rebuild(item, wanted)?;
    let entry = merged.history.last().filter(|entry| entry.version == wanted);
    let line = entry.and_then(|entry| entry.merged.as_ref());
    let line = line.ok_or(UnknownVersion::NoMerge { wanted })?;
    let shared = merged.history.iter().take(line.shared).map(HistoryEntry::alone);
    let history: Vec<_> = shared.chain(own_entries(&merged.history, line)).collect();
    let mut past = Past::of(&merged).map_err(|_| broken(wanted, "item"))?;
    if let Some(last) = history.last() {
        past.value["updated_at"] = Value::from(last.at.to_string());
    }
    for change in line.changes.iter().rev() {
        past.take_back_change(change).ok_or_else(|| broken(wanted, &change.field))?;
    }
    finished(past.value, line.version, history)
}

/// The entries of `line`, merged somewhere in `history`, since the two went their own ways.
pub(crate) fn own_entries(history: &[HistoryEntry], line: &MergedLine) -> Vec<HistoryEntry> {
    let mut parts = vec![&line.history];
    let (mut continues, mut before) = (line.continues, history);
    while let Some(version) = continues.take() {
        // Only upwards, whatever the file says.
        let Some(at) = before.iter().rposition(|entry| entry.version == version) else { break };
        let Some(earlier) = &before[at].merged else { break };
        parts.push(&earlier.history);
        (continues, before) = (earlier.continues, &before[..at]);
    }
    parts.into_iter().rev().flatten().cloned().collect()
}

fn finished(
    mut value: Value,
    version: u64,
    history: Vec<HistoryEntry>,
) -> Result<WorkItem, UnknownVersion> {
    value["version"] = version.into();
    let invalid = |source| UnknownVersion::Invalid { wanted: version, source };
    // By way of text: read from a `Value`, an unknown number would lose its spelling.
    let mut record: Record = serde_json::from_str(&value.to_string())
        .map_err(|error| invalid(InvalidItem::from(error)))?;
    record.history = history;
    WorkItem::try_from(record).map_err(invalid)
}

fn broken(wanted: u64, field: &str) -> UnknownVersion {
    UnknownVersion::Broken { wanted, field: field.to_owned() }
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

/// An item on its way back through its writes.
struct Past {
    /// The item without its history.
    value: Value,
    history: Vec<HistoryEntry>,
}

impl Past {
    fn of(item: &WorkItem) -> serde_json::Result<Self> {
        let mut record = Record::clone(item);
        // The other items of the file have histories of their own.
        record.displaced.clear();
        let history = std::mem::take(&mut record.history);
        Ok(Self { value: serde_json::to_value(record)?, history })
    }

    /// Takes back the last write and returns its entry, or the path of a change that does not fit
    /// what stands there; then nothing more can be taken back.
    fn take_back(&mut self) -> Result<Option<HistoryEntry>, String> {
        let Some(mut entry) = self.history.pop() else { return Ok(None) };
        if let Some(previous) = self.history.last() {
            self.value["updated_at"] = Value::from(previous.at.to_string());
        }
        for change in entry.changes.iter_mut().rev() {
            let Some(there) = self.take_back_change(change) else {
                return Err(change.field.clone());
            };
            if change.is_append() {
                change.to = there;
            }
        }
        Ok(Some(entry))
    }

    /// Returns what stood where the change was.
    fn take_back_change(&mut self, change: &FieldChange) -> Option<Value> {
        let path = change.pointer();
        if let Some(absent) = change.absent {
            // Always one of the item's own fields.
            let fields = self.value.as_object_mut()?;
            let key = change.field.replace("~1", "/").replace("~0", "~");
            match absent {
                End::From => fields.shift_remove(&key),
                End::To => Some(fields.insert(key, change.from.clone()).unwrap_or_default()),
            }
        } else if change.is_append() {
            let (list, index) = path.rsplit_once('/')?;
            let list = self.value.pointer_mut(list)?.as_array_mut()?;
            if list.len().checked_sub(1)? != index.parse::<usize>().ok()? {
                return None;
            }
            list.pop()
        } else {
            Some(std::mem::replace(self.value.pointer_mut(&path)?, change.from.clone()))
        }
    }
}

/// The writes of an item, the latest first, as [`WorkItem::writes`] tells them.
pub struct Writes {
    /// Entries as they are recorded; the last of them is told next.
    recorded: Vec<HistoryEntry>,
    /// What appended elements are read from, as far as the recorded changes apply.
    past: Option<Past>,
}

impl Writes {
    pub(crate) fn of(item: &WorkItem) -> Self {
        Self { recorded: item.history.clone(), past: Past::of(item).ok() }
    }
}

impl Iterator for Writes {
    type Item = HistoryEntry;

    fn next(&mut self) -> Option<HistoryEntry> {
        let recorded = self.recorded.pop()?;
        match self.past.as_mut().map(Past::take_back) {
            Some(Ok(Some(entry))) => Some(entry),
            _ => {
                self.past = None;
                Some(recorded)
            }
        }
    }
}
