//! The adapters in memory keep to the contracts that they are used to test others by.

use std::sync::Arc;

use jerry_conformance::{Fixture, MemoryCursors, MemoryStore, cursors, ids, locks, repository};

mod items {
    use super::*;

    fn memory() -> Fixture<repository::Handle> {
        let store = MemoryStore::new();
        Fixture::new(move || store.items.clone() as repository::Handle)
    }

    jerry_conformance::repository_suite!(memory);
}

mod identities {
    use super::*;

    fn memory() -> Fixture<ids::Handle> {
        let store = MemoryStore::new();
        Fixture::new(move || ids::Handle { ids: store.ids.clone(), items: store.items.clone() })
    }

    jerry_conformance::id_suite!(memory);
}

mod exclusion {
    use super::*;

    fn memory() -> Fixture<locks::Handle> {
        let store = MemoryStore::new();
        Fixture::new(move || store.locks.clone() as locks::Handle)
    }

    jerry_conformance::lock_suite!(memory);
}

mod watchers {
    use super::*;

    fn memory() -> Fixture<cursors::Handle> {
        let store = Arc::new(MemoryCursors::default());
        Fixture::new(move || store.clone() as cursors::Handle)
    }

    jerry_conformance::cursor_suite!(memory);
}
