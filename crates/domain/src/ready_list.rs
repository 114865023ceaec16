//! What can be begun, found in one pass over a large store.

use std::collections::HashSet;

use crate::{Summary, Uid, WorkId};

/// Takes in every item of a store and tells which can be begun: the free ones of which every
/// dependency is completed or cancelled. What cannot be found holds back like what is not finished.
///
/// Keeps the free items, and of a finished one only its identity, so that a store full of history
/// costs little memory.
#[derive(Debug, Default)]
pub struct ReadyList {
    free: Vec<Summary>,
    closed: HashSet<Uid>,
}

impl ReadyList {
    /// Takes in one item.
    pub fn add(&mut self, item: Summary) {
        if item.status.is_closed() {
            self.closed.insert(item.uid);
        } else if item.is_free() {
            self.free.push(item);
        }
    }

    /// How many items can be begun, and the first `limit` of them (0 for all), the most urgent
    /// first, then the oldest. `uid_of` knows the items by name; it is asked only for references
    /// that were written by hand.
    #[must_use]
    pub fn into_ready(
        self,
        limit: usize,
        uid_of: impl Fn(&WorkId) -> Option<Uid>,
    ) -> (usize, Vec<Summary>) {
        let Self { mut free, closed } = self;
        free.retain(|item| {
            let mut needed = item.depends_on.iter();
            needed.all(|needed| {
                needed.uid.or_else(|| uid_of(&needed.id)).is_some_and(|uid| closed.contains(&uid))
            })
        });
        let total = free.len();
        let urgency = |item: &Summary| (item.priority, item.created_at, item.uid);
        if (1..total).contains(&limit) {
            // The rest need not be sorted to be left out.
            free.select_nth_unstable_by_key(limit, urgency);
            free.truncate(limit);
        }
        free.sort_unstable_by_key(urgency);
        (total, free)
    }
}
