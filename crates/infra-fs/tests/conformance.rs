//! The file-system adapters keep the contracts of their ports, with either kind of lock.

use std::sync::Arc;

use jerry_conformance::{Fixture, cursors, ids, locks, repository};
use jerry_infra_fs::Store;
use jerry_infra_fs::lock::{LockBackend, LockSettings};
use tempfile::TempDir;

/// Opens the same new store each time it is called, as another process would.
fn store(backend: LockBackend) -> impl Fn() -> Store {
    let folder: Arc<TempDir> = Arc::new(tempfile::tempdir().expect("a folder"));
    let root = folder.path().join(".jerry");
    Store::init(&root, backend, "").expect("a store");
    move || {
        let _keeps_it = &folder;
        Store::open(&root, LockSettings::default()).expect("opens")
    }
}

macro_rules! stamped {
    ($backend:ident: $module:ident) => {
        mod $module {
            use super::*;

            fn items() -> Fixture<repository::Handle> {
                let open = store(LockBackend::$backend);
                Fixture::new(move || open().items())
            }

            fn identities() -> Fixture<ids::Handle> {
                let open = store(LockBackend::$backend);
                Fixture::new(move || {
                    let store = open();
                    ids::Handle { ids: store.ids(), items: store.items() }
                })
            }

            fn exclusion() -> Fixture<locks::Handle> {
                let open = store(LockBackend::$backend);
                Fixture::new(move || open().locks())
            }

            fn watchers() -> Fixture<cursors::Handle> {
                let open = store(LockBackend::$backend);
                Fixture::new(move || open().cursors())
            }

            jerry_conformance::repository_suite!(items);
            jerry_conformance::cursor_suite!(watchers);
            jerry_conformance::id_suite!(identities);
            jerry_conformance::lock_suite!(exclusion);
        }
    };
}

stamped!(Os: with_os_locks);
stamped!(Directory: with_directory_locks);
