//! Taking back the last write of an item: which can be, and what becomes of each field.
//!
//! Only the last write is taken back, and only by who made it: a later one may rest on what it
//! says. See `docs/adr/0022-the-last-write-can-be-taken-back.md`.

use jiff::Timestamp;
use serde_json::Value;

use crate::history::{self, Event, FieldChange, HistoryEntry, UnknownVersion};
use crate::record::Record;
use crate::{Actor, InvalidItem, Refusal, SessionName, Stamp, WorkItem};

/// Why the last write of an item is not taken back.
#[derive(Debug, thiserror::Error)]
pub enum NotUndone {
    /// Somebody else wrote since.
    #[error("its last write, version {version}, was made by {actor}{} at {at}", in_session(.session.as_ref()))]
    WrittenSince {
        /// The version that the write made.
        version: u64,
        /// Who made it.
        actor: Actor,
        /// In which session.
        session: Option<SessionName>,
        /// When.
        at: Timestamp,
    },
    /// Something that writes no history changed what the write had left.
    #[error("version {version} is not as its last write left it: '{field}' was changed since")]
    ChangedOutside {
        /// The version that the write made.
        version: u64,
        /// The path of what was changed.
        field: String,
    },
    /// There was no item before it.
    #[error("its last write, version {version}, made the item")]
    First {
        /// The version that the write made.
        version: u64,
    },
    /// It gave the item another name, which others have seen.
    #[error("its last write, version {version}, gave it its id")]
    Renumbered {
        /// The version that the write made.
        version: u64,
    },
    /// It brought two lines together, of which one would be lost.
    #[error("its last write, version {version}, merged what was written on two branches")]
    Merged {
        /// The version that the write made.
        version: u64,
    },
    /// It did only what is never taken back.
    #[error(
        "its last write, version {version}, did nothing that is taken back: notes stay, and a claim that ended does not stand again"
    )]
    Stays {
        /// The version that the write made.
        version: u64,
    },
    /// The history does not lead to what was there before.
    #[error("what was there before its last write, version {version}, is not known")]
    Unknown {
        /// The version that the write made.
        version: u64,
        /// Why not.
        source: UnknownVersion,
    },
}

fn in_session(session: Option<&SessionName>) -> String {
    session.map(|session| format!(" in the session {session}")).unwrap_or_default()
}

/// Whether the last write is that of the writer of `stamp`.
pub(crate) fn is_own(item: &WorkItem, stamp: &Stamp) -> bool {
    item.history.last().is_some_and(|entry| entry.is_by(&stamp.actor, session_of(stamp)))
}

fn session_of(stamp: &Stamp) -> Option<&SessionName> {
    stamp.credentials.session.as_ref()
}

/// The fields that the item has when its last write is taken back, if the writer of `stamp` may.
pub(crate) fn restored(item: &WorkItem, stamp: &Stamp) -> Result<Record, Refusal> {
    let mut record = Record::clone(item);
    restore(&mut record, before_last_write(item, stamp)?);
    let changes = history::changes(item, &record).map_err(InvalidItem::from)?;
    if changes.iter().all(|change| change.field == "updated_at") {
        return Err(NotUndone::Stays { version: item.version }.into());
    }
    Ok(record)
}

fn before_last_write(item: &WorkItem, stamp: &Stamp) -> Result<WorkItem, Refusal> {
    let version = item.version;
    if let Some(entry) = item.history.last().filter(|entry| entry.version == version) {
        if !stamp.credentials.force && !is_own(item, stamp) {
            let HistoryEntry { actor, session, at, .. } = entry.clone();
            return Err(NotUndone::WrittenSince { version, actor, session, at }.into());
        }
        if version == 1 {
            return Err(NotUndone::First { version }.into());
        }
        if entry.event == Event::RENUMBERED {
            return Err(NotUndone::Renumbered { version }.into());
        }
        if entry.event == Event::MERGED {
            return Err(NotUndone::Merged { version }.into());
        }
        if let Some(field) = changed_outside(item, entry) {
            return Err(NotUndone::ChangedOutside { version, field }.into());
        }
    }
    let unknown = |source| NotUndone::Unknown { version, source };
    Ok(item.at_version(version - 1).map_err(unknown)?)
}

/// The first place at which the item is not as its last write, `entry`, left it.
fn changed_outside(item: &WorkItem, entry: &HistoryEntry) -> Option<String> {
    let value = serde_json::to_value(item).ok()?;
    let is_as_left = |change: &&FieldChange| {
        let there = value.pointer(&change.pointer());
        change.is_append() || there.is_some_and(|there| named(there) == named(&change.to))
    };
    let changed = entry.changes.iter().find(|change| !is_as_left(change))?;
    Some(changed.field.clone())
}

/// `value` with references by name: a repository completes them in passing.
fn named(value: &Value) -> Value {
    match value {
        Value::Object(fields) if fields.contains_key("id") && fields.contains_key("uid") => {
            fields["id"].clone()
        }
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), named(value))).collect()
        }
        Value::Array(elements) => elements.iter().map(named).collect(),
        value => value.clone(),
    }
}

/// Gives `record` the values of `before`, but for what a write never takes back.
fn restore(record: &mut Record, before: WorkItem) {
    let now = std::mem::replace(record, before.into_record());
    record.version = now.version;
    record.history = now.history;
    record.notes = now.notes;
    // Other items of the file, and no part of this one.
    record.displaced = now.displaced;
    let fence = record.claim.as_ref().map(|claim| claim.fence);
    record.claim = now.claim.filter(|claim| Some(claim.fence) == fence);
}
