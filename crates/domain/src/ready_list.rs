//! What can be begun, found in one pass over a large store.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::{Actor, ItemRef, Summary, Uid, WorkId};

/// Takes in every item of a store and tells which can be begun: the free ones of which every
/// dependency is completed or cancelled. What cannot be found holds back like what is not finished.
///
/// Keeps the free items, and of a finished one only its identity, so that a store full of history
/// costs little memory.
#[derive(Debug)]
pub struct ReadyList {
    now: Timestamp,
    asked_by: Option<Actor>,
    passes_over_parents: bool,
    free: Vec<Summary>,
    closed: HashSet<Uid>,
    parents: Vec<ItemRef>,
}

impl ReadyList {
    /// What can be begun at `now`; by `actor`, also what was handed over to it.
    #[must_use]
    pub fn new(now: Timestamp, actor: Option<Actor>) -> Self {
        let (free, closed, parents) = (Vec::new(), HashSet::new(), Vec::new());
        Self { now, asked_by: actor, passes_over_parents: false, free, closed, parents }
    }

    /// What `claimant` can claim at `now` without being told which: also what was handed over to
    /// it, and no parent of something unfinished.
    #[must_use]
    pub fn for_claimant(now: Timestamp, claimant: Actor) -> Self {
        Self { passes_over_parents: true, ..Self::new(now, Some(claimant)) }
    }

    /// Takes in one item; it is among those that can be begun only if it is `wanted`.
    pub fn add(&mut self, item: Summary, wanted: bool) {
        if item.status.is_closed() {
            self.closed.insert(item.uid);
            return;
        }
        if self.passes_over_parents {
            self.parents.extend(item.parent.clone());
        }
        let is_theirs = |actor: &Actor| item.waits_for(actor);
        if wanted && (item.is_free(self.now) || self.asked_by.as_ref().is_some_and(is_theirs)) {
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
        let Self { mut free, closed, parents, .. } = self;
        let uid = |item: &ItemRef| item.uid.or_else(|| uid_of(&item.id));
        let parents: HashSet<Uid> = parents.iter().filter_map(uid).collect();
        free.retain(|item| {
            let mut needed = item.depends_on.iter();
            needed.all(|needed| uid(needed).is_some_and(|uid| closed.contains(&uid)))
                && !parents.contains(&item.uid)
        });
        let total = free.len();
        if (1..total).contains(&limit) {
            // The rest need not be sorted to be left out.
            free.select_nth_unstable_by_key(limit, Summary::urgency);
            free.truncate(limit);
        }
        free.sort_unstable_by_key(Summary::urgency);
        (total, free)
    }
}
