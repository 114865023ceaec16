//! Adapters that keep everything in memory and are stricter than production.

mod clock;
mod cursors;
mod hint;
mod ids;
mod locks;
mod repository;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use clock::ManualClock;
pub use cursors::MemoryCursors;
pub use hint::deaf;
pub use ids::MemoryIds;
pub use locks::MemoryLocks;
pub use repository::MemoryRepository;

/// Every port over one store in memory. Clones share it.
#[derive(Clone)]
pub struct MemoryStore {
    /// The items.
    pub items: Arc<MemoryRepository>,
    /// The identities and numbers.
    pub ids: Arc<MemoryIds>,
    /// The locks, which items and ids take too.
    pub locks: Arc<MemoryLocks>,
    /// The time.
    pub clock: Arc<ManualClock>,
}

impl MemoryStore {
    /// An empty store, at the beginning of 2026.
    #[must_use]
    pub fn new() -> Self {
        let locks = Arc::new(MemoryLocks::new());
        let items = Arc::new(MemoryRepository::new(locks.clone()));
        let ids = Arc::new(MemoryIds::new(items.clone(), locks.clone()));
        Self { items, ids, locks, clock: Arc::new(ManualClock::new()) }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

/// A test that panics must not make the others fail.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
