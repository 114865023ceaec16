//! The contract of every port as a suite of tests that any adapter can run, and adapters in
//! memory that run it too.
//!
//! A suite is stamped onto an adapter with one line in an integration test:
//!
//! ```ignore
//! fn my_items() -> Fixture<repository::Handle> {
//!     let folder = tempfile::tempdir().expect("a folder");
//!     Fixture::new(move || Arc::new(MyItems::open(folder.path())) as repository::Handle)
//! }
//! jerry_conformance::repository_suite!(my_items);
//! ```
//!
//! The adapters in memory are stricter than an adapter for production has to be: what a contract
//! asks of the caller, they check, and panic where it is not kept. A service that is tested with
//! them cannot get by with an adapter's leniency.

mod fixture;
mod memory;
mod sample;
mod suites;

pub use fixture::Fixture;
pub use memory::{
    ManualClock, MemoryCursors, MemoryIds, MemoryLocks, MemoryRepository, MemoryStore, deaf,
};
pub use suites::{cursors, ids, locks, repository};
