//! What the store holds already, as far as an import has to know it.

use std::collections::HashMap;

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
            known.by_id.insert(item.id.clone(), place);
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
