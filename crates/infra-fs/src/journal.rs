//! Several items written all or none, crash included: what is to be written stands durably in one file
//! before the first item is written, and whoever finds that file completes it. The protocol and its
//! crash points are in `docs/adr/0027-plans-are-committed-by-a-journal.md`.

use std::path::Path;

use jerry_domain::ports::{LockName, RepositoryError, Unreadable};
use jerry_domain::{Uid, WorkId, WorkItem, fnv_1a};
use serde::{Deserialize, Serialize};

use crate::fault::{if_present, storage_error};
use crate::layout::Layout;
use crate::lock::{FsLockGuard, FsLocks};
use crate::publish::{self, Creation, Staged};
use crate::read::{self, Content, MAX_FILE_BYTES};
use crate::{backup, codec, index, naming, naming::Naming, tombstone};

const SCHEMA: u32 = 1;

/// All that one commit writes, new items before changed ones.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Journal {
    schema: u32,
    pub(crate) writes: Vec<Write>,
}

/// One item's new file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Write {
    pub(crate) id: WorkId,
    pub(crate) uid: Uid,
    /// What it replaces; `None` for a new item.
    pub(crate) from: Option<Replaced>,
    /// The whole file.
    pub(crate) text: String,
}

/// What stood in an item's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Replaced {
    pub(crate) version: u64,
    /// Of the file's bytes.
    pub(crate) digest: u64,
}

impl Replaced {
    pub(crate) fn of(version: u64, bytes: &[u8]) -> Self {
        // JSON numbers are exact up to 2^53.
        Self { version, digest: fnv_1a(bytes) >> 11 }
    }
}

impl Journal {
    pub(crate) fn new(writes: Vec<Write>) -> Self {
        Self { schema: SCHEMA, writes }
    }

    /// Steps 3 to 5. The caller holds the lock `journal` and those of the changed items, and has
    /// checked them; no journal is there.
    pub(crate) fn commit(&self, layout: &Layout, locks: &FsLocks) -> Result<(), RepositoryError> {
        let path = layout.journal();
        let text =
            codec::encode(self).map_err(|error| storage_error("write", &path, error.into()))?;
        let (size, limit) = (text.len() as u64, MAX_FILE_BYTES);
        if size > limit {
            return Err(RepositoryError::CommitTooLarge { size, limit });
        }
        if publish::create(&path, &text)? == Creation::Exists {
            let error = std::io::Error::other("another commit is being written");
            return Err(storage_error("create", &path, error).into());
        }
        // From here on it is done, if not by this process.
        let aside = self.carry_out(layout, locks).map_err(indeterminate)?;
        if aside.is_empty() { Ok(()) } else { Err(kept_aside(layout, &aside)) }
    }

    /// Steps 4 and 5. Returns the items that another program has written to, so that what was to be
    /// written is kept aside.
    fn carry_out(&self, layout: &Layout, locks: &FsLocks) -> Result<Vec<WorkId>, RepositoryError> {
        publish::make_dirs(&layout.items(), layout.root())?;
        let mut aside = Vec::new();
        for write in &self.writes {
            let made = match write.from {
                None => write.create(layout, locks)?,
                Some(from) => write.replace(layout, from)?,
            };
            if made == Made::KeptAside {
                aside.push(write.id.clone());
            }
        }
        publish::sync_folder(&layout.items())?;
        publish::remove(&layout.journal())?;
        Ok(aside)
    }
}

/// What became of one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Written,
    /// Another program was there first.
    KeptAside,
}

impl Write {
    fn create(&self, layout: &Layout, locks: &FsLocks) -> Result<Made, RepositoryError> {
        if self.is_there(layout)? {
            return Ok(Made::Written);
        }
        let path = layout.item(&self.id);
        // Nobody else writes under this name while the lock `journal` is held.
        let (staged, unsynced) = Staged::write_for_batch(&path, self.text.as_bytes(), NONCE)?;
        unsynced.sync("write", &path)?;
        match naming::give(layout, locks, &self.id, staged)? {
            Naming::Named => Ok(Made::Written),
            Naming::Taken | Naming::Deleted => self.keep_aside(layout),
        }
    }

    /// Whether the item, or what a deletion left of it, is under its number.
    fn is_there(&self, layout: &Layout) -> Result<bool, RepositoryError> {
        Ok(self.found(layout)?.is_some() || self.is_deleted(layout)?)
    }

    /// The item, if its file holds it. One that does not parse is another program's text.
    fn found(&self, layout: &Layout) -> Result<Option<WorkItem>, RepositoryError> {
        let path = layout.item(&self.id);
        match index::read_item(&path, &layout.relative(&path), &self.id) {
            Ok(item) => Ok(item.filter(|item| item.uid == self.uid)),
            Err(Unreadable::Malformed(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn is_deleted(&self, layout: &Layout) -> Result<bool, RepositoryError> {
        let stone = tombstone::read(layout, &self.id)?;
        Ok(stone.is_some_and(|stone| stone.is_of(self.uid)))
    }

    fn keep_aside(&self, layout: &Layout) -> Result<Made, RepositoryError> {
        let name = format!("{}-{}.json", self.id, self.uid);
        backup::keep_bytes(layout, &name, self.text.as_bytes())?;
        Ok(Made::KeptAside)
    }

    fn replace(&self, layout: &Layout, from: Replaced) -> Result<Made, RepositoryError> {
        let path = layout.item(&self.id);
        let shown = layout.relative(&path);
        let Some(content) = read::bytes(&path, &shown)? else {
            let is_deleted = self.is_deleted(layout)?;
            return if is_deleted { Ok(Made::Written) } else { self.keep_aside(layout) };
        };
        if content.bytes == self.text.as_bytes() {
            return Ok(Made::Written);
        }
        if Replaced::of(from.version, &content.bytes) != from {
            // Whoever completed the journal was killed before it was gone, and others went on.
            let is_later = self.found(layout)?.is_some_and(|item| item.version > from.version);
            return if is_later { Ok(Made::Written) } else { self.keep_aside(layout) };
        }
        let permissions = Some(content.metadata.permissions());
        Staged::write(&path, self.text.as_bytes(), permissions)?.replace()?;
        Ok(Made::Written)
    }
}

/// In the names of temporary files.
pub(crate) const NONCE: &str = "journal";

/// The lock that whoever writes the items of a journal holds.
pub(crate) fn lock(locks: &FsLocks) -> Result<FsLockGuard, RepositoryError> {
    Ok(locks.acquire(&LockName::journal(), None)?)
}

/// Whether a journal is there. For who holds the lock `graph`, under which they are written: its writer
/// is dead.
pub(crate) fn is_left(layout: &Layout) -> Result<bool, RepositoryError> {
    let path = layout.journal();
    if_present(std::fs::symlink_metadata(&path))
        .map(|found| found.is_some())
        .map_err(|error| storage_error("look at", &path, error).into())
}

/// Whether a journal is there that speaks of the item `id`. Where it cannot be read nobody can tell.
pub(crate) fn concerns(layout: &Layout, id: &WorkId) -> Result<bool, RepositoryError> {
    Ok(look(layout)?.is_some_and(|journal| journal.writes.iter().any(|write| write.id == *id)))
}

/// The lock of an item of which no killed commit has something left to write.
pub(crate) fn lock_item(
    layout: &Layout,
    locks: &FsLocks,
    id: &WorkId,
) -> Result<FsLockGuard, RepositoryError> {
    loop {
        let held = locks.acquire(&LockName::item(id), None)?;
        if let Some(held) = free_of_commits(layout, locks, id, held)? {
            return Ok(held);
        }
    }
}

/// As [`lock_item`]; `None` when somebody has the item's lock.
pub(crate) fn try_lock_item(
    layout: &Layout,
    locks: &FsLocks,
    id: &WorkId,
) -> Result<Option<FsLockGuard>, RepositoryError> {
    while let Some(held) = locks.try_acquire(&LockName::item(id))? {
        if let Some(held) = free_of_commits(layout, locks, id, held)? {
            return Ok(Some(held));
        }
    }
    Ok(None)
}

/// The lock, if no killed commit has anything left to write there; otherwise that is completed, for
/// which the lock had to be let go.
fn free_of_commits(
    layout: &Layout,
    locks: &FsLocks,
    id: &WorkId,
    held: FsLockGuard,
) -> Result<Option<FsLockGuard>, RepositoryError> {
    if !concerns(layout, id)? {
        return Ok(Some(held));
    }
    drop(held);
    complete(layout, locks)?;
    Ok(None)
}

/// Completes the journal that is there, if one is, whose writer is dead. The caller holds no item's
/// lock.
pub(crate) fn complete(layout: &Layout, locks: &FsLocks) -> Result<(), RepositoryError> {
    complete_held(&lock(locks)?, layout, locks).map(drop)
}

/// As [`complete`], unless the writer, or somebody who completes it, is at it; and what had to be kept
/// aside is an error.
pub(crate) fn complete_if_idle(layout: &Layout, locks: &FsLocks) -> Result<(), RepositoryError> {
    if !is_left(layout)? {
        return Ok(());
    }
    match locks.try_acquire(&LockName::journal())? {
        Some(held) => match complete_held(&held, layout, locks)? {
            aside if aside.is_empty() => Ok(()),
            aside => Err(kept_aside(layout, &aside)),
        },
        None => Ok(()),
    }
}

/// As [`complete`], for who holds the lock `journal`. Returns what had to be kept aside.
pub(crate) fn complete_held(
    _journal: &FsLockGuard,
    layout: &Layout,
    locks: &FsLocks,
) -> Result<Vec<WorkId>, RepositoryError> {
    let Some(journal) = look(layout)? else { return Ok(Vec::new()) };
    publish::sync_entry_of_another(&layout.journal())?;
    let mut changed: Vec<_> =
        journal.writes.iter().filter(|write| write.from.is_some()).map(|write| &write.id).collect();
    changed.sort_unstable();
    let guards = changed.into_iter().map(|id| locks.acquire(&LockName::item(id), None));
    let _guards = guards.collect::<Result<Vec<_>, _>>()?;
    journal.carry_out(layout, locks)
}

fn look(layout: &Layout) -> Result<Option<Journal>, RepositoryError> {
    if !is_left(layout)? {
        return Ok(None);
    }
    let path = layout.journal();
    let read: Result<Option<(Journal, Content)>, Unreadable> =
        read::json(&path, &layout.relative(&path));
    match read? {
        Some((journal, _)) if journal.schema > SCHEMA => {
            Err(RepositoryError::NewerFormat { found: journal.schema, known: SCHEMA })
        }
        found => Ok(found.map(|(journal, _)| journal)),
    }
}

fn kept_aside(layout: &Layout, ids: &[WorkId]) -> RepositoryError {
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let said = format!(
        "another program has written to {}; what the plan says of it is kept in local/backups",
        ids.join(", ")
    );
    let error = std::io::Error::other(said);
    RepositoryError::Indeterminate(storage_error("write all of a plan to", &layout.items(), error))
}

/// The commit stands, whatever kept this process from writing it all.
fn indeterminate(error: RepositoryError) -> RepositoryError {
    match error {
        RepositoryError::Indeterminate(_) => error,
        error => RepositoryError::Indeterminate(storage_error(
            "write all of",
            Path::new("data/journal.json"),
            std::io::Error::other(error),
        )),
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests play the other programs")]
mod tests;
