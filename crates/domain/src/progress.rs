//! How far the parts of an item are.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use crate::{ItemRef, Summary, Uid, WorkId};

/// How many of an item's direct parts are finished.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Progress {
    /// Those that are completed or cancelled.
    pub done: usize,
    /// All of them.
    pub total: usize,
}

/// `2/5`.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.done, self.total)
    }
}

/// Takes in every item of a store, in any order, and tells the progress of those that have parts.
#[derive(Debug, Default)]
pub struct ProgressCount {
    by_uid: HashMap<Uid, Progress>,
    /// Parts whose parent was written by hand, which has only a name.
    by_name: HashMap<WorkId, Progress>,
}

impl ProgressCount {
    /// How far the items are that have parts among `items`.
    #[must_use]
    pub fn of_all(items: &[Summary]) -> Self {
        let mut count = Self::default();
        items.iter().for_each(|item| count.add(item));
        count
    }

    /// Takes in one item.
    pub fn add(&mut self, item: &Summary) {
        let Some(ItemRef { id, uid, .. }) = &item.parent else { return };
        let progress = match uid {
            Some(uid) => self.by_uid.entry(*uid).or_default(),
            None => self.by_name.entry(id.clone()).or_default(),
        };
        progress.total += 1;
        progress.done += usize::from(item.status.is_closed());
    }

    /// How far the parts of the item called `id` are; `None` when it has none.
    #[must_use]
    pub fn of(&self, id: &WorkId, uid: Uid) -> Option<Progress> {
        match (self.by_uid.get(&uid), self.by_name.get(id)) {
            (Some(one), Some(other)) => {
                Some(Progress { done: one.done + other.done, total: one.total + other.total })
            }
            (one, other) => one.or(other).copied(),
        }
    }
}
