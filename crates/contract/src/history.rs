//! What was written, and what lies between two versions.

use jerry_application::{Diff, Write, Writes};
use jerry_domain::{Actor, Event, FieldChange, SessionName, Timestamp, Title, Uid, WorkId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::not_read;
use crate::{Answer, NotRead};

/// The answer of kind `history`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "history")]
pub struct History<'a> {
    /// As many as were asked for, the latest first.
    pub entries: Vec<Entry<'a>>,
    /// How many there are without a limit.
    pub total: usize,
    /// What could not be read, and so may be missing.
    pub unreadable: Vec<NotRead<'a>>,
}

impl Answer for History<'_> {
    const KIND: &'static str = "history";
}

impl<'a> From<&'a Writes> for History<'a> {
    fn from(told: &'a Writes) -> Self {
        Self {
            entries: told.writes.iter().map(Entry::from).collect(),
            total: told.total,
            unreadable: not_read(&told.unreadable),
        }
    }
}

/// One write of one item.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "history_entry")]
pub struct Entry<'a> {
    /// The item.
    pub id: &'a WorkId,
    /// Its identity.
    pub uid: Uid,
    /// What it is called now.
    pub title: &'a Title,
    /// The version that the write made; of a deletion, the last that there was.
    pub version: u64,
    /// What kind of write it was.
    pub event: &'a Event,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: &'a Actor,
    /// In which of the actor's sessions.
    pub session: Option<&'a SessionName>,
    /// Why, in the actor's words.
    pub reason: Option<&'a str>,
    /// The request that asked for it.
    pub request_id: Option<&'a str>,
    /// Whether somebody insisted on it.
    pub forced: bool,
    /// What it changed. An element that was appended to a list has `from` `null`.
    pub changes: &'a [FieldChange],
}

impl<'a> From<&'a Write> for Entry<'a> {
    fn from(write: &'a Write) -> Self {
        let Write { id, uid, title, entry } = write;
        Self {
            id,
            uid: *uid,
            title,
            version: entry.version,
            event: &entry.event,
            at: entry.at,
            actor: &entry.actor,
            session: entry.session.as_ref(),
            reason: entry.reason.as_deref(),
            request_id: entry.request_id.as_deref(),
            forced: entry.forced,
            changes: &entry.changes,
        }
    }
}

/// The answer of kind `diff`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "diff")]
pub struct Difference<'a> {
    /// The item.
    pub id: &'a WorkId,
    /// The version that it is compared with.
    pub from: u64,
    /// The version that it is looked at in.
    pub to: u64,
    /// What leads from the one to the other. An element that was appended to a list has `from`
    /// `null`.
    pub changes: &'a [FieldChange],
}

impl Answer for Difference<'_> {
    const KIND: &'static str = "diff";
}

impl<'a> From<&'a Diff> for Difference<'a> {
    fn from(diff: &'a Diff) -> Self {
        let Diff { id, from, to, changes } = diff;
        Self { id, from: *from, to: *to, changes }
    }
}
