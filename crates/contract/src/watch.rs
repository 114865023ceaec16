//! What somebody who watches is told.

use jerry_application::{Changes, Happening, ItemChange};
use jerry_domain::ports::Cursor;
use jerry_domain::{Actor, Timestamp, Uid, WorkId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::not_read;
use crate::{Answer, NotRead, Row};

/// The answer of kind `changes`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "changes")]
pub struct ChangedItems<'a> {
    /// Each item that is otherwise than it was, the longest unchanged first.
    pub changes: Vec<Change<'a>>,
    /// What could not be read; it counts as unchanged until it can be.
    pub unreadable: Vec<NotRead<'a>>,
    /// Where to go on after these changes.
    pub cursor: &'a str,
}

impl Answer for ChangedItems<'_> {
    const KIND: &'static str = "changes";
}

/// One item that is otherwise than it was.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "change")]
pub struct Change<'a> {
    /// What happened: `left` says that the filter does not let it through any more.
    pub change: ChangeKind,
    /// The item's id; of a deleted one the id that it had.
    pub id: &'a WorkId,
    /// The item's identity.
    pub uid: Uid,
    /// The id that a renumbered item had.
    pub was: Option<&'a WorkId>,
    /// The item as it is; a deleted one as it last was, `null` where that is not known.
    pub item: Option<Row<'a>>,
    /// When it was deleted; `null` where its file was taken away without jerry.
    pub deleted_at: Option<Timestamp>,
    /// Who deleted it.
    pub deleted_by: Option<&'a Actor>,
    /// Why it was deleted.
    pub reason: Option<&'a str>,
}

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "change_kind")]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ChangeKind {
    Created,
    Changed,
    Renumbered,
    Left,
    Deleted,
}

impl ChangeKind {
    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Renumbered => "renumbered",
            Self::Left => "left",
            Self::Deleted => "deleted",
        }
    }
}

impl From<&Happening> for ChangeKind {
    fn from(happening: &Happening) -> Self {
        match happening {
            Happening::Created => Self::Created,
            Happening::Changed => Self::Changed,
            Happening::Renumbered { .. } => Self::Renumbered,
            Happening::Left => Self::Left,
            Happening::Deleted(_) => Self::Deleted,
        }
    }
}

impl<'a> ChangedItems<'a> {
    /// The answer that tells `changes`, after which comes `cursor`.
    #[must_use]
    pub fn new(found: &'a Changes, cursor: &'a Cursor) -> Self {
        let change = |change: &'a ItemChange| {
            let (was, deletion) = match &change.happening {
                Happening::Renumbered { was } => (Some(was), None),
                Happening::Deleted(deletion) => (None, deletion.as_ref()),
                _ => (None, None),
            };
            Change {
                change: (&change.happening).into(),
                id: &change.id,
                uid: change.uid,
                was,
                item: change.item.as_ref().map(|item| Row::new(item, &found.progress)),
                deleted_at: deletion.map(|deletion| deletion.at),
                deleted_by: deletion.map(|deletion| &deletion.by),
                reason: deletion.and_then(|deletion| deletion.reason.as_deref()),
            }
        };
        Self {
            changes: found.changes.iter().map(change).collect(),
            unreadable: not_read(&found.unreadable),
            cursor: cursor.as_str(),
        }
    }
}
