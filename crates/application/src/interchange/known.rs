//! What the store holds already, as far as an import has to know it.

use std::collections::{HashMap, HashSet};

use jerry_domain::ports::Tombstone;
use jerry_domain::{ItemRef, Summary, Uid, WorkId};

/// The items of the store, and how to find them by every name they have.
#[derive(Default)]
pub(super) struct Known {
    pub(super) items: Vec<Summary>,
    by_uid: HashMap<Uid, usize>,
    by_id: HashMap<WorkId, usize>,
    by_ref: HashMap<String, usize>,
}

impl Known {
    pub(super) fn new(items: Vec<Summary>) -> Self {
        let mut known = Self::default();
        for (place, item) in items.iter().enumerate() {
            known.by_uid.insert(item.uid, place);
            if !item.is_displaced {
                known.by_id.insert(item.id.clone(), place);
            }
            if let Some(key) = &item.external_ref {
                known.by_ref.insert(key.clone(), place);
            }
        }
        known.items = items;
        known
    }

    pub(super) fn by_uid(&self, uid: Uid) -> Option<usize> {
        self.by_uid.get(&uid).copied()
    }

    pub(super) fn by_id(&self, id: &WorkId) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    pub(super) fn by_ref(&self, key: &str) -> Option<usize> {
        self.by_ref.get(key).copied()
    }

    /// The item that `reference` means: its uid decides, its id only where it has none.
    pub(super) fn find(&self, reference: &ItemRef) -> Option<usize> {
        match reference.uid {
            Some(uid) => self.by_uid(uid),
            None => self.by_id(&reference.id),
        }
    }
}

/// The items that were deleted, and stay so.
#[derive(Default)]
pub(super) struct Gone {
    numbers: HashSet<WorkId>,
    uids: HashSet<Uid>,
    keys: HashSet<String>,
}

impl Gone {
    pub(super) fn add(&mut self, tombstone: Tombstone) {
        let item = tombstone.item.into_record();
        self.numbers.insert(item.id);
        self.uids.insert(item.uid);
        self.keys.extend(item.external_ref);
    }

    /// Whether the number was a deleted item's.
    pub(super) fn had(&self, id: &WorkId) -> bool {
        self.numbers.contains(id)
    }

    /// Whether this very item was deleted, by its identity or by its name elsewhere.
    pub(super) fn is(&self, uid: Option<Uid>, key: Option<&str>) -> bool {
        uid.is_some_and(|uid| self.uids.contains(&uid))
            || key.is_some_and(|key| self.keys.contains(key))
    }
}
