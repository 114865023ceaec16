//! The moment in which an item's file gets its name, or loses it.
//!
//! A number that was deleted must not be given to another item. Whoever names a file looks for a
//! tombstone first; between the look and the naming, nobody may delete an item of that number and
//! take its file away. One lock keeps the two moments apart for the whole store. It is held for two
//! system calls and never for an fsync, and spares every new item a lock file of its own: making one
//! cost more than all else that a creation does beside its fsyncs.
//!
//! - A deletion makes its tombstone durable before it comes here. If it unlinks before the look, the
//!   look finds the tombstone; if after the naming, the naming found the file.
//! - Nothing here is a crash point of its own: a process killed while it holds the lock has either
//!   made the one call that counts or not.

use jerry_domain::WorkId;
use jerry_domain::ports::{LockName, RepositoryError};

use crate::layout::Layout;
use crate::lock::FsLocks;
use crate::publish::{self, Creation, Staged};
use crate::tombstone;

/// What became of a file that should get an item's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// It has it. To make that durable is the caller's part: [`publish::sync_parent`].
    Named,
    /// An item has it.
    Taken,
    /// A deleted item had it.
    Deleted,
}

/// Gives `staged`, whose data are durable, the name of the item `id`.
pub(crate) fn give(
    layout: &Layout,
    locks: &FsLocks,
    id: &WorkId,
    staged: Staged,
) -> Result<Naming, RepositoryError> {
    let _guard = locks.acquire(&LockName::naming(), None)?;
    if tombstone::is_present(layout, id)? {
        return Ok(Naming::Deleted);
    }
    Ok(match staged.create()? {
        Creation::Created => Naming::Named,
        Creation::Exists => Naming::Taken,
    })
}

/// Removes the file of the item `id`, whose lock the caller holds and whose tombstone is durable.
/// Durable when it returns.
pub(crate) fn take_away(
    layout: &Layout,
    locks: &FsLocks,
    id: &WorkId,
) -> Result<(), RepositoryError> {
    let path = layout.item(id);
    let guard = locks.acquire(&LockName::naming(), None)?;
    publish::unlink(&path)?;
    drop(guard);
    Ok(publish::sync_parent(&path)?)
}

/// Finishes the deletion of `id`, whose tombstone somebody else made: they may have been killed before
/// it was durable. Otherwise as [`take_away`].
pub(crate) fn finish_deletion(
    layout: &Layout,
    locks: &FsLocks,
    id: &WorkId,
) -> Result<(), RepositoryError> {
    publish::sync_entry_of_another(&layout.tombstone(id))?;
    take_away(layout, locks, id)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jerry_domain::ports::LockError;

    use super::*;
    use crate::lock::{LockBackend, LockSettings};

    /// Whoever names or removes a file waits for whoever does so at that moment.
    #[test]
    fn naming_and_taking_away_exclude_each_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = Layout::new(folder.path().join(".jerry"));
        crate::Store::init(layout.root(), LockBackend::Os, "").expect("a store");
        let locks = |timeout| {
            let settings = LockSettings { timeout, ..LockSettings::default() };
            FsLocks::new(layout.locks(), LockBackend::Os, settings)
        };
        let (patient, impatient) = (locks(Duration::MAX), locks(Duration::from_millis(20)));
        let (there, new): (WorkId, WorkId) =
            ("WORK-001".parse().expect("valid"), "WORK-002".parse().expect("valid"));
        let staged = |id| Staged::write(&layout.item(id), b"{}", None).expect("staged");
        assert_eq!(give(&layout, &patient, &there, staged(&there)).expect("free"), Naming::Named);

        let held = patient.acquire(&LockName::naming(), None).expect("free");
        let timed_out = |error| {
            matches!(error, RepositoryError::Lock(LockError::TimedOut { name, .. })
                if name == LockName::naming())
        };
        assert!(give(&layout, &impatient, &new, staged(&new)).is_err_and(timed_out));
        assert!(take_away(&layout, &impatient, &there).is_err_and(timed_out));
        assert!(std::fs::metadata(layout.item(&new)).is_err());
        assert!(std::fs::metadata(layout.item(&there)).is_ok());

        drop(held);
        take_away(&layout, &impatient, &there).expect("free");
        assert!(std::fs::metadata(layout.item(&there)).is_err());
        assert_eq!(give(&layout, &impatient, &new, staged(&new)).expect("free"), Naming::Named);
    }
}
