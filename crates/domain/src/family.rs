//! What an item's parts and its parent have to say about a write of it.
//!
//! A completed item has no unfinished parts: whoever completes an item finishes its parts first, and
//! whoever opens a part opens what it belongs to first. A cancelled item may have any: giving up a
//! plan does not give up its parts. See `docs/adr/0019-parents-complete-last.md`.

use crate::{Refusal, Status, WorkId, WorkItem};

/// What there is to know of an item's family before it is written, while nobody else can change it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Family {
    /// Its unfinished parts, by id.
    pub unfinished: Vec<WorkId>,
    /// What it becomes, or would be opened as, a part of, if that is completed.
    pub completed_parent: Option<WorkId>,
}

impl Family {
    /// Whether the item may become `after`; `before` is `None` for a new one.
    ///
    /// # Errors
    /// [`Refusal::UnfinishedParts`], [`Refusal::CompletedParent`].
    pub fn allows(&self, before: Option<&WorkItem>, after: &WorkItem) -> Result<(), Refusal> {
        let completes = after.status == Status::Completed
            && before.is_none_or(|before| before.status != Status::Completed);
        if completes && !self.unfinished.is_empty() {
            return Err(Refusal::UnfinishedParts { parts: self.unfinished.clone() });
        }
        let keeps_parent = |before: &WorkItem| match (&before.parent, &after.parent) {
            (Some(before), Some(after)) => before.same_target(after),
            (before, after) => before.is_none() && after.is_none(),
        };
        let stays = before.is_some_and(|before| !before.status.is_closed() && keeps_parent(before));
        match &self.completed_parent {
            Some(parent) if !after.status.is_closed() && !stays => {
                Err(Refusal::CompletedParent { parent: parent.clone() })
            }
            _ => Ok(()),
        }
    }
}
