//! Work items as files, one each.
//!
//! # Protocol of an update, under the item's lock
//! 1. read the file; 2. check the tombstone and the expected version; 3. apply the change;
//! 4. stage the new text (temporary file, fsync); 5. look again whether the file still has the
//!    bytes of step 1, because people and git write without locks; 6. rename; 7. fsync the folder.
//!
//! A foreign write between 5 and 6 is overwritten; what it wrote is then lost. The window is two
//! system calls wide and cannot be closed against a program that takes no lock.
//!
//! Insertions: see `batch`.
//!
//! # Protocol of a deletion, under the item's lock
//! 1. read and check as above; 2. create the tombstone, durably; 3. unlink the item, under the
//!    lock `naming`; 4. fsync the folder. After a crash between 2 and 4 the item's file may still be
//!    there; beside a tombstone of its own uid it counts as deleted, everywhere. Whoever would write
//!    it makes that tombstone durable and goes on with 3. When 3 fails, the tombstone is taken back.
//!
//! A file that holds several items (see `displaced`) is split before any of this goes on.
//!
//! Several items all or none: see `journal`. Whoever has an item's lock looks for one first.
//!
//! Crash points of the publishing itself are listed in `publish`.

use std::collections::HashMap;
use std::path::PathBuf;

use async_trait::async_trait;
use jerry_domain::ports::{
    Change, Commit, Insertion, LockName, Lookout, RepositoryError, Sightings, StorageError,
    Summaries, Tombstone, Tombstones, Update, WorkItemRepository,
};
use jerry_domain::{Refusal, Stamp, Uid, WorkId, WorkItem};

use crate::batch::Batch;
use crate::fault::{if_present, storage_error};
use crate::format::Format;
use crate::journal::{self, Journal, Replaced, Write};
use crate::layout::Layout;
use crate::lock::{FsLockGuard, FsLocks};
use crate::naming;
use crate::publish::{self, PublishError};
use crate::read::{self, Content, MAX_FILE_BYTES};
use crate::{backup, codec, displaced, index, steps, tombstone};

/// The items of one store.
pub struct FsRepository {
    layout: Layout,
    locks: FsLocks,
    format: Format,
}

impl FsRepository {
    /// The items of the store at `layout`, which has `format`.
    #[must_use]
    pub fn new(layout: Layout, locks: FsLocks, format: Format) -> Self {
        Self { layout, locks, format }
    }

    fn insert_many(&self, items: Vec<WorkItem>) -> Result<Vec<Insertion>, RepositoryError> {
        self.format.check_writable()?;
        let uids: HashMap<_, _> = items.iter().map(|item| (item.id.clone(), item.uid)).collect();
        let uid_of = |id: &WorkId| self.uid_of(id).or_else(|| uids.get(id).copied());
        let items = items.into_iter().map(|item| item.complete_references(uid_of)).collect();
        self.make_folder(self.layout.items())?;
        Batch::begin(&self.layout, &self.locks)?.insert(items)
    }

    fn get(&self, id: &WorkId) -> Result<Option<WorkItem>, RepositoryError> {
        let path = self.layout.item(id);
        let item = index::read_item(&path, &self.layout.relative(&path), id)?;
        match item {
            Some(item) if self.is_deleted(&item)? => Ok(None),
            item => Ok(item),
        }
    }

    fn tombstone(&self, id: &WorkId) -> Result<Option<Tombstone>, RepositoryError> {
        Ok(tombstone::read(&self.layout, id)?)
    }

    fn update(
        &self,
        id: &WorkId,
        expected: Option<u64>,
        change: Change,
    ) -> Result<Update, RepositoryError> {
        self.format.check_writable()?;
        let guard = journal::lock_item(&self.layout, &self.locks, id)?;
        self.update_held(&guard, id, expected, change)
    }

    fn try_update(
        &self,
        id: &WorkId,
        expected: Option<u64>,
        change: Change,
    ) -> Result<Option<Update>, RepositoryError> {
        self.format.check_writable()?;
        match journal::try_lock_item(&self.layout, &self.locks, id)? {
            Some(guard) => self.update_held(&guard, id, expected, change).map(Some),
            None => Ok(None),
        }
    }

    fn commit(&self, new: Vec<WorkItem>, next: Vec<WorkItem>) -> Result<Commit, RepositoryError> {
        self.format.check_writable()?;
        let held = journal::lock(&self.locks)?;
        journal::complete_held(&held, &self.layout, &self.locks)?;
        let mut ids: Vec<_> = next.iter().map(|item| &item.id).collect();
        ids.sort_unstable();
        let guards = ids.into_iter().map(|id| self.locks.acquire(&LockName::item(id), None));
        let _guards = guards.collect::<Result<Vec<_>, _>>()?;
        for item in &new {
            let is_there = self.get(&item.id)?.is_some();
            if is_there || tombstone::is_present(&self.layout, &item.id)? {
                return Ok(Commit::Taken);
            }
        }
        let uids: HashMap<_, _> = new.iter().map(|item| (item.id.clone(), item.uid)).collect();
        let complete = |item: WorkItem| {
            item.complete_references(|id| uids.get(id).copied().or_else(|| self.uid_of(id)))
        };
        let (mut items, mut writes, mut replaced) = (Vec::new(), Vec::new(), Vec::new());
        for item in new {
            let item = complete(item);
            writes.push(write_of(&item, None, encode(&item)?));
            items.push(item);
        }
        for item in next {
            let (before, content) = self.read_for_write(&item.id, Some(item.version - 1))?;
            if before.uid != item.uid {
                return Err(RepositoryError::ChangedOutside { id: item.id.clone() });
            }
            let item = complete(item).holding(before.displaced.clone());
            let text = within_limit(&item.id, codec::respell(&content.bytes, encode(&item)?, &[]))?;
            writes.push(write_of(&item, Some(Replaced::of(before.version, &content.bytes)), text));
            replaced.push((item.id.clone(), content));
            items.push(item);
        }
        // What the journal builds on must be there when it is completed, also if whoever wrote it was
        // killed before it was durable.
        self.settle()?;
        for (id, content) in &replaced {
            self.check_unchanged(id, content)?;
        }
        Journal::new(writes).commit(&self.layout, &self.locks)?;
        Ok(Commit::Written(items))
    }

    fn complete_commits(&self) -> Result<(), RepositoryError> {
        if !journal::is_left(&self.layout)? {
            return Ok(());
        }
        self.format.check_writable()?;
        journal::complete(&self.layout, &self.locks)
    }

    /// [`FsRepository::update`] of an item whose lock this is.
    fn update_held(
        &self,
        _lock: &FsLockGuard,
        id: &WorkId,
        expected: Option<u64>,
        change: Change,
    ) -> Result<Update, RepositoryError> {
        let (item, content) = self.read_for_write(id, expected)?;
        let refused = |source| RepositoryError::Refused { id: id.clone(), source };
        let Some(next) = change(&item).map_err(refused)? else {
            // The answer rests on what is visible, which a killed process may have written.
            publish::sync_entry_of_another(&self.layout.item(id))?;
            return Ok(Update::Unchanged(item));
        };
        if (&next.id, next.uid, next.version) != (id, item.uid, item.version + 1) {
            let rule = "a change must make the item's next version and keep its id and uid";
            return Err(refused(Refusal::Rule(rule.to_owned())));
        }
        let next = self.completed(next);
        let text = codec::respell(&content.bytes, encode(&next)?, &[]);
        let path = self.layout.item(id);
        let shown = self.layout.relative(&path);
        match publish::replace_unchanged::<RepositoryError>(&path, &shown, &content, &text)? {
            true => Ok(Update::Written(next)),
            false => Err(RepositoryError::ChangedOutside { id: id.clone() }),
        }
    }

    fn delete(
        &self,
        id: &WorkId,
        expected: Option<u64>,
        stamp: &Stamp,
    ) -> Result<Tombstone, RepositoryError> {
        self.format.check_writable()?;
        let _guard = journal::lock_item(&self.layout, &self.locks, id)?;
        let (item, content) = self.read_for_write(id, expected)?;
        if !item.displaced.is_empty() {
            // Somebody is writing one of them under its own number.
            return Err(RepositoryError::ChangedOutside { id: id.clone() });
        }
        let refused = |source| RepositoryError::Refused { id: id.clone(), source };
        let tombstone = Tombstone::of(item, stamp).map_err(refused)?;
        let text = codec::encode(&tombstone).map_err(|error| self.unencodable(id, error))?;
        // It must be readable ever after.
        let text = within_limit(id, codec::respell(&content.bytes, text, &["item"]))?;
        self.make_folder(self.layout.tombstones())?;
        self.check_unchanged(id, &content)?;
        // A tombstone of another uid under this number came from another clone; its item is kept.
        let path = self.layout.tombstone(id);
        backup::keep(&self.layout, &path)?;
        let older = read::bytes(&path, &self.layout.relative(&path))?;
        publish::replace(&path, &text)?;
        match naming::take_away(&self.layout, &self.locks, id) {
            Ok(()) => Ok(tombstone),
            Err(error @ RepositoryError::Indeterminate(_)) => Err(error),
            Err(error) => Err(self.take_back_tombstone(id, older, error)),
        }
    }

    /// The item could not be unlinked: without its tombstone it is what it was. If that cannot be
    /// taken back durably, nobody can say whether the item stays deleted.
    fn take_back_tombstone(
        &self,
        id: &WorkId,
        older: Option<Content>,
        error: RepositoryError,
    ) -> RepositoryError {
        let path = self.layout.tombstone(id);
        let taken_back = match older {
            Some(older) => publish::replace(&path, &older.bytes),
            None => publish::remove(&path).map(drop),
        };
        match taken_back {
            Ok(()) => error,
            Err(PublishError::Failed(failed) | PublishError::Indeterminate(failed)) => {
                RepositoryError::Indeterminate(failed)
            }
        }
    }

    fn settle(&self) -> Result<(), RepositoryError> {
        for folder in [self.layout.items(), self.layout.tombstones()] {
            if_present(steps::sync_dir(&folder))
                .map_err(|error| storage_error("make durable", &folder, error))?;
        }
        Ok(())
    }

    /// Reads an item that is about to be written, with the bytes that it was read from. Also
    /// finishes a deletion that was interrupted.
    fn read_for_write(
        &self,
        id: &WorkId,
        expected: Option<u64>,
    ) -> Result<(WorkItem, Content), RepositoryError> {
        let path = self.layout.item(id);
        let shown = self.layout.relative(&path);
        let Some((item, content)) = read::json::<WorkItem>(&path, &shown)? else {
            return Err(self.missing(id)?);
        };
        index::check_name(&item, &shown, id)?;
        let (item, _) = displaced::give_numbers(&self.layout, &self.locks, item)?;
        if self.is_deleted(&item)? {
            // The others of its file must not go with it.
            if item.displaced.is_empty() {
                naming::finish_deletion(&self.layout, &self.locks, id)?;
            }
            return Err(self.missing(id)?);
        }
        RepositoryError::unless_version(&item, expected)?;
        Ok((item, content))
    }

    fn missing(&self, id: &WorkId) -> Result<RepositoryError, RepositoryError> {
        Ok(RepositoryError::absent(id.clone(), self.tombstone(id)?))
    }

    /// Whether `item` stands beside a tombstone of its own uid. Most ids have none.
    fn is_deleted(&self, item: &WorkItem) -> Result<bool, RepositoryError> {
        if !tombstone::is_present(&self.layout, &item.id)? {
            return Ok(false);
        }
        Ok(self.tombstone(&item.id)?.is_some_and(|tombstone| tombstone.is_of(item.uid)))
    }

    /// Step 5 of an update.
    fn check_unchanged(&self, id: &WorkId, content: &Content) -> Result<(), RepositoryError> {
        let path = self.layout.item(id);
        if read::is_still(content, &path, &self.layout.relative(&path))? {
            Ok(())
        } else {
            Err(RepositoryError::ChangedOutside { id: id.clone() })
        }
    }

    fn completed(&self, item: WorkItem) -> WorkItem {
        item.complete_references(|id| self.uid_of(id))
    }

    /// The uid of the item called `id`; a reference to one that cannot be read stays as it is.
    fn uid_of(&self, id: &WorkId) -> Option<Uid> {
        self.get(id).ok().flatten().map(|item| item.uid)
    }

    fn make_folder(&self, folder: PathBuf) -> Result<(), RepositoryError> {
        Ok(publish::make_dirs(&folder, self.layout.root())?)
    }

    fn unencodable(&self, id: &WorkId, error: serde_json::Error) -> StorageError {
        storage_error("write", &self.layout.item(id), error.into())
    }
}

fn write_of(item: &WorkItem, from: Option<Replaced>, text: Vec<u8>) -> Write {
    let text = String::from_utf8_lossy(&text).into_owned();
    Write { id: item.id.clone(), uid: item.uid, from, text }
}

/// The text of `item` for its file.
pub(crate) fn encode(item: &WorkItem) -> Result<Vec<u8>, RepositoryError> {
    let text = codec::encode(item).map_err(|error| RepositoryError::Refused {
        id: item.id.clone(),
        source: jerry_domain::InvalidItem::from(error).into(),
    })?;
    within_limit(&item.id, text)
}

fn within_limit(id: &WorkId, text: Vec<u8>) -> Result<Vec<u8>, RepositoryError> {
    let (id, size, limit) = (id.clone(), text.len() as u64, MAX_FILE_BYTES);
    if size > limit { Err(RepositoryError::TooLarge { id, size, limit }) } else { Ok(text) }
}

impl From<PublishError> for RepositoryError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Failed(error) => Self::Storage(error),
            PublishError::Indeterminate(error) => Self::Indeterminate(error),
        }
    }
}

#[async_trait]
impl WorkItemRepository for FsRepository {
    async fn insert(&self, item: WorkItem) -> Result<Insertion, RepositoryError> {
        let mut answers = self.insert_many(vec![item])?;
        // One item, one answer.
        Ok(answers.pop().unwrap_or(Insertion::Taken))
    }

    async fn insert_many(&self, items: Vec<WorkItem>) -> Result<Vec<Insertion>, RepositoryError> {
        self.insert_many(items)
    }

    async fn get(&self, id: &WorkId) -> Result<Option<WorkItem>, RepositoryError> {
        self.get(id)
    }

    async fn tombstone(&self, id: &WorkId) -> Result<Option<Tombstone>, RepositoryError> {
        self.tombstone(id)
    }

    async fn update(
        &self,
        id: &WorkId,
        expected: Option<u64>,
        change: Change,
    ) -> Result<Update, RepositoryError> {
        self.update(id, expected, change)
    }

    async fn try_update(
        &self,
        id: &WorkId,
        expected: Option<u64>,
        change: Change,
    ) -> Result<Option<Update>, RepositoryError> {
        self.try_update(id, expected, change)
    }

    async fn commit(
        &self,
        new: Vec<WorkItem>,
        next: Vec<WorkItem>,
    ) -> Result<Commit, RepositoryError> {
        self.commit(new, next)
    }

    async fn delete(
        &self,
        id: &WorkId,
        expected: Option<u64>,
        stamp: &Stamp,
    ) -> Result<Tombstone, RepositoryError> {
        self.delete(id, expected, stamp)
    }

    async fn complete_commits(&self) -> Result<(), RepositoryError> {
        self.complete_commits()
    }

    async fn settle(&self) -> Result<(), RepositoryError> {
        self.settle()
    }

    async fn summaries(&self) -> Result<Summaries, RepositoryError> {
        Ok(index::summaries(&self.layout, &self.locks)?)
    }

    async fn tombstones(&self) -> Result<Tombstones, RepositoryError> {
        let tombstones = tombstone::all(&self.layout)?;
        Ok(Box::new(tombstones.map(|(_, tombstone)| tombstone)))
    }
}

#[async_trait]
impl Lookout for FsRepository {
    async fn look(&self) -> Result<Sightings, RepositoryError> {
        Ok(index::sightings(&self.layout, &self.locks)?)
    }
}
