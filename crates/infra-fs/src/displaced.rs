//! Items that a merge put into the file of an older one, because two branches had given out the same
//! number: each gets a number of its own.
//!
//! # Protocol, under the lock of the item whose file it is
//! For each of them:
//! 1. look for a file of its own, which somebody may have made who was killed before step 3, who
//!    wrote nothing after that, or another branch: if there is one that knows all that is said here,
//!    it is made durable; if it does not, both are merged, in that file, under its lock too, which is
//!    only tried, since it may come before this one in the order; when it is not to be had, the item
//!    stays for the next writer. If it had one and was deleted under that number, and the tombstone
//!    knows all that is said here, there is nothing to give a number to;
//! 2. otherwise create a file under the next free number, durably;
//! 3. only then replace this file by one without it, with whatever else is being written.
//!
//! # Crash points
//! - before 2 is visible: nothing has happened, but for a number that is lost;
//! - between 2 and 3: the item stands twice. Readers show the one in a file of its own, and nothing
//!   when that was deleted; whoever writes next finds it by its uid in step 1.
//!
//! The file that holds several is not given back or deleted before 2 is durable: nobody's item goes
//! with another's.

use std::path::Path;

use jerry_domain::ports::{Clock, IdError, LockName, RepositoryError, Tombstone};
use jerry_domain::{Actor, Stamp, WorkId, WorkItem};

use crate::clock::SystemClock;
use crate::fault::storage_error;
use crate::ids::Sequences;
use crate::layout::Layout;
use crate::lock::FsLocks;
use crate::naming::{self, Naming};
use crate::publish::{self, Staged};
use crate::{codec, index, journal, machine, read, repository, tombstone};

/// Gives every item that `file` holds beside its own a number of its own, durably; returns the item
/// with those that have to stay, and under which numbers the others stand. The caller holds the
/// file's lock, and writes the file without them.
pub(crate) fn give_numbers(
    layout: &Layout,
    locks: &FsLocks,
    file: WorkItem,
) -> Result<(WorkItem, Vec<WorkId>), RepositoryError> {
    if file.displaced.is_empty() {
        return Ok((file, Vec::new()));
    }
    let (own, displaced) = file.split_off();
    let (mut stay, mut numbers) = (Vec::new(), Vec::new());
    for item in displaced {
        match settle(layout, locks, &own.id, &item)? {
            Settled::Under(id) => numbers.push(id),
            Settled::Stays => stay.push(item),
            Settled::Buried => {}
        }
    }
    Ok((own.holding(stay), numbers))
}

/// Where all that an item says stands.
enum Settled {
    /// In a file of its own.
    Under(WorkId),
    /// Still in that of the elder alone: somebody is writing its own.
    Stays,
    /// In a tombstone.
    Buried,
}

/// Whether `item` was deleted under a number of its own, by a tombstone that knows all that it says.
///
/// # Errors
/// When there are tombstones that cannot be read, unless another one tells: a deleted item would come
/// back.
pub(crate) fn is_buried(layout: &Layout, item: &WorkItem) -> Result<bool, RepositoryError> {
    let mut unreadable = None;
    for (name, stone) in tombstone::all(layout)? {
        let keeps_it = |stone: &Tombstone| {
            stone.item.uid == item.uid && matches!(stone.item.absorb(item), Ok(None))
        };
        let keeps = match stone {
            Ok(stone) => std::iter::once(&stone).chain(&stone.displaced).any(keeps_it),
            Err(error) => {
                unreadable = Some(error);
                false
            }
        };
        if keeps {
            publish::sync_entry_of_another(&layout.tombstones().join(name))?;
            return Ok(true);
        }
    }
    unreadable.map_or(Ok(false), |error| Err(error.into()))
}

/// Sees to it that all that `item` says stands in a file of its own, unless it was deleted.
fn settle(
    layout: &Layout,
    locks: &FsLocks,
    shared: &WorkId,
    item: &WorkItem,
) -> Result<Settled, RepositoryError> {
    let own = index::summaries(layout, locks)?
        .filter_map(Result::ok)
        .find(|other| other.uid == item.uid && !other.is_displaced && other.id != *shared);
    if let Some(other) = own {
        let merged = merge_into(layout, locks, &other.id, item)?;
        return Ok(merged.map_or(Settled::Stays, Settled::Under));
    }
    if is_buried(layout, item)? {
        return Ok(Settled::Buried);
    }
    Ok(Settled::Under(renumber(layout, locks, item, &stamp(&item.id)?)?))
}

/// Under which number it stands then; `None` when somebody is writing that file.
fn merge_into(
    layout: &Layout,
    locks: &FsLocks,
    id: &WorkId,
    item: &WorkItem,
) -> Result<Option<WorkId>, RepositoryError> {
    let Some(_guard) = locks.try_acquire(&LockName::item(id))? else { return Ok(None) };
    if journal::concerns(layout, id)? {
        // A killed commit has something left to write there.
        return Ok(None);
    }
    let path = layout.item(id);
    let shown = layout.relative(&path);
    let Some((own, content)) = read::json::<WorkItem>(&path, &shown)? else { return Ok(None) };
    if own.uid != item.uid || own.id != *id {
        return Ok(None);
    }
    let refused = |source| RepositoryError::Refused { id: id.clone(), source };
    match own.absorb(item).map_err(|error| refused(error.into()))? {
        None => publish::sync_entry_of_another(&path)?,
        Some(merged) => {
            let text = codec::respell(&content.bytes, repository::encode(&merged)?, &[]);
            if !publish::replace_unchanged::<RepositoryError>(&path, &shown, &content, &text)? {
                return Ok(None);
            }
        }
    }
    Ok(Some(id.clone()))
}

/// Creates a file for `item` under the next free number, durably.
pub(crate) fn renumber(
    layout: &Layout,
    locks: &FsLocks,
    item: &WorkItem,
    stamp: &Stamp,
) -> Result<WorkId, RepositoryError> {
    let sequences = Sequences::new(layout.clone(), locks.clone());
    sequences.catch_up(item.id.prefix()).map_err(not_given)?;
    loop {
        for id in sequences.take(item.id.prefix(), 1).map_err(not_given)? {
            let refused = |source| RepositoryError::Refused { id: item.id.clone(), source };
            let Some(renumbered) = item.renumber(id.clone(), stamp).map_err(refused)? else {
                continue;
            };
            let path = layout.item(&id);
            let staged = Staged::write(&path, &repository::encode(&renumbered)?, None)?;
            if naming::give(layout, locks, &id, staged)? == Naming::Named {
                publish::sync_parent(&path)?;
                return Ok(id);
            }
        }
    }
}

/// Nobody asked for it in words: whoever writes next does it in passing.
fn stamp(id: &WorkId) -> Result<Stamp, RepositoryError> {
    let actor = Actor::new(&format!("{}@{}", machine::user(), machine::host()));
    let actor =
        actor.map_err(|error| RepositoryError::Refused { id: id.clone(), source: error.into() })?;
    let mut stamp = Stamp::new(SystemClock.now(), actor);
    stamp.reason = Some(format!("{id} is an older item, of another branch"));
    Ok(stamp)
}

/// No number was given out, so nothing is in doubt.
fn not_given(error: IdError) -> RepositoryError {
    match error {
        IdError::Indeterminate(error) => RepositoryError::Storage(error),
        error => no_number(error),
    }
}

/// The error of who needs a number and got none.
pub(crate) fn no_number(error: IdError) -> RepositoryError {
    match error {
        IdError::Lock(error) => RepositoryError::Lock(error),
        IdError::Malformed(error) => RepositoryError::Malformed(error),
        IdError::Storage(error) => RepositoryError::Storage(error),
        IdError::Indeterminate(error) => RepositoryError::Indeterminate(error),
        other @ (IdError::NoWorkerSlot { .. } | IdError::Exhausted { .. }) => {
            let path = Path::new("data/sequences.json");
            storage_error("take a number from", path, std::io::Error::other(other)).into()
        }
    }
}
