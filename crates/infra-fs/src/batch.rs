//! New items, one or many, with the durability of one write.
//!
//! # Protocol of an insertion
//! 1. stage the text under a name of its own (temporary file, fsync); 2. under the lock `naming`:
//!    look for a tombstone, rename without replacing; 3. fsync the folder. Many items share one
//!    step 3. A reader may see an item between 2 and 3, as it may see any write before it is
//!    acknowledged. None is visible before its data are durable.

use std::io;

use jerry_domain::WorkItem;
use jerry_domain::ports::{Insertion, LockName, RepositoryError};

use crate::fault::storage_error;
use crate::layout::Layout;
use crate::lock::{FsLockGuard, FsLocks};
use crate::naming::{self, Naming};
use crate::publish::{self, Staged};
use crate::repository::encode;
use crate::steps;

/// How many batches can be written at once before one waits for another.
const BATCHES: u32 = 64;

/// From how many items on syncing the whole file system is cheaper than syncing each file.
const WORTH_A_SYNCFS: usize = 16;

/// A batch of insertions. Its lock tells the temporary files of a living batch from the litter of
/// a killed one.
pub(crate) struct Batch<'a> {
    layout: &'a Layout,
    locks: &'a FsLocks,
    number: u32,
    _guard: FsLockGuard,
}

impl<'a> Batch<'a> {
    pub(crate) fn begin(layout: &'a Layout, locks: &'a FsLocks) -> Result<Self, RepositoryError> {
        // Processes of a burst begin at different ones.
        let first = std::process::id() % BATCHES;
        for number in (first..BATCHES).chain(0..first) {
            if let Some(guard) = locks.try_acquire(&LockName::batch(number))? {
                return Ok(Self { layout, locks, number, _guard: guard });
            }
        }
        let guard = locks.acquire(&LockName::batch(first), None)?;
        Ok(Self { layout, locks, number: first, _guard: guard })
    }

    /// All temporary files are written, then made durable together, then named one by one; last
    /// the folder is made durable, once.
    pub(crate) fn insert(self, items: Vec<WorkItem>) -> Result<Vec<Insertion>, RepositoryError> {
        let mut answers = Vec::with_capacity(items.len());
        for (item, staged) in self.stage(items)? {
            match self.name(item, staged) {
                Ok(answer) => answers.push(answer),
                Err(error) if !answers.iter().any(is_inserted) => return Err(error),
                Err(error) => return Err(self.cut_short(error)),
            }
        }
        if answers.iter().any(is_inserted) {
            publish::sync_folder(&self.layout.items())?;
        }
        Ok(answers)
    }

    /// Writes a durable temporary file for each item.
    fn stage(&self, items: Vec<WorkItem>) -> Result<Vec<(WorkItem, Staged)>, RepositoryError> {
        let sync_once = steps::CAN_SYNC_FILE_SYSTEM && items.len() >= WORTH_A_SYNCFS;
        let mut written = Vec::with_capacity(items.len());
        for (place, item) in items.into_iter().enumerate() {
            let path = self.layout.item(&item.id);
            let (staged, unsynced) =
                Staged::write_for_batch(&path, &encode(&item)?, &self.nonce(place))?;
            if !sync_once {
                unsynced.sync("write", &path)?;
            }
            written.push((item, staged));
        }
        if sync_once {
            let folder = self.layout.items();
            steps::sync_file_system(&folder)
                .map_err(|error| storage_error("make durable", &folder, error))?;
        }
        Ok(written)
    }

    fn name(&self, item: WorkItem, staged: Staged) -> Result<Insertion, RepositoryError> {
        Ok(match naming::give(self.layout, self.locks, &item.id, staged)? {
            Naming::Named => Insertion::Inserted(Box::new(item)),
            Naming::Taken => Insertion::Taken,
            Naming::Deleted => Insertion::Deleted,
        })
    }

    /// The error of a batch some of whose items are visible already: they are made durable where
    /// that is still possible, but "nothing was changed" would be wrong.
    fn cut_short(&self, error: RepositoryError) -> RepositoryError {
        let folder = self.layout.items();
        match publish::sync_folder(&folder) {
            Err(unsynced) => unsynced.into(),
            Ok(()) => RepositoryError::Indeterminate(storage_error(
                "write all of a batch to",
                &folder,
                io::Error::other(error),
            )),
        }
    }

    /// Tells apart two items of the batch that want the same id.
    fn nonce(&self, place: usize) -> String {
        format!("{}-{place}", self.number)
    }
}

/// The lock that the batch holds whose temporary files carry `nonce`.
pub(crate) fn lock_of(nonce: &str) -> Option<LockName> {
    let (number, _) = nonce.split_once('-')?;
    number.parse().ok().map(LockName::batch)
}

fn is_inserted(answer: &Insertion) -> bool {
    matches!(answer, Insertion::Inserted(_))
}
