use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LockError, Malformed, StorageError};
use crate::{Actor, Refusal, SessionName, Stamp, Summary, WorkId, WorkItem, to_the_second};

/// A change to one item, as [`WorkItemRepository::update`] applies it: the item as it is now to
/// the item as it shall be, made by [`WorkItem::apply`]; `None` when there is nothing to write.
pub type Change = Box<dyn FnOnce(&WorkItem) -> Result<Option<WorkItem>, Refusal> + Send>;

/// The items of a store in brief, one after the other in no particular order. What cannot be read
/// is an element of its own and does not end the stream.
pub type Summaries = Box<dyn Iterator<Item = Result<Summary, Unreadable>> + Send>;

/// What deleted items left, one after the other in no particular order; as [`Summaries`].
pub type Tombstones = Box<dyn Iterator<Item = Result<Tombstone, Unreadable>> + Send>;

/// An item that cannot be read, beside the others that can.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Its file does not hold an item.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Its file cannot be opened or read.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What became of an insertion.
#[derive(Debug, Clone, PartialEq)]
pub enum Insertion {
    /// The item is there, durably.
    Inserted(Box<WorkItem>),
    /// An item with this id exists already. It was not touched.
    Taken,
    /// An item with this id existed and was deleted; its number is not given out again.
    Deleted,
}

/// What became of several writes that were to be made all or none.
#[derive(Debug, Clone, PartialEq)]
pub enum Commit {
    /// All are there, durably: the items as they were written, new ones first, in the order given.
    Written(Vec<WorkItem>),
    /// A new item's id is taken, or was deleted. Nothing was written.
    Taken,
}

/// What became of an update.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// The item is this now, durably.
    Written(WorkItem),
    /// The change changed nothing, and nothing was written.
    Unchanged(WorkItem),
}

impl Update {
    /// The item as it stands after the update.
    #[must_use]
    pub fn into_item(self) -> WorkItem {
        match self {
            Self::Written(item) | Self::Unchanged(item) => item,
        }
    }
}

/// What a deletion leaves, so that the number is never given out again and nothing is lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tombstone {
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// By whom.
    pub deleted_by: Actor,
    /// In which of the actor's sessions. Absent where it was in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionName>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// The request that asked for it, if it had a name.
    #[serde(default)]
    pub request_id: Option<String>,
    /// The item as it last was.
    pub item: WorkItem,
    /// What younger items of the same number left, which other branches deleted. Absent where there
    /// is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub displaced: Vec<Tombstone>,
}

impl Tombstone {
    /// What `item` leaves when it is deleted as `stamp` says. `item` holds no other one of its number.
    ///
    /// # Errors
    /// As [`WorkItem::may_be_deleted`].
    pub fn of(item: WorkItem, stamp: &Stamp) -> Result<Self, Refusal> {
        item.may_be_deleted(stamp)?;
        Ok(Self {
            deleted_at: stamp.at,
            deleted_by: stamp.actor.clone(),
            session: stamp.credentials.session.clone(),
            reason: stamp.reason.clone(),
            request_id: stamp.request_id.clone().map(String::from),
            item,
            displaced: Vec::new(),
        })
    }
}

/// Why an operation on items was not done. Unless it is [`RepositoryError::Indeterminate`],
/// everything is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// There is no such item.
    #[error("there is no item {id}")]
    NotFound {
        /// What was asked for.
        id: WorkId,
    },
    /// There was such an item; it was deleted.
    #[error("{id} was deleted by {by} at {}", to_the_second(*.at))]
    Deleted {
        /// What was asked for.
        id: WorkId,
        /// When it was deleted.
        at: Timestamp,
        /// Who deleted it.
        by: Actor,
    },
    /// The item has moved on since the caller looked.
    #[error("{id} is at version {found}, not {expected}")]
    VersionConflict {
        /// The item.
        id: WorkId,
        /// The version that the caller knows.
        expected: u64,
        /// The version that it has.
        found: u64,
    },
    /// Something that does not use locks wrote to the item while it was being updated.
    #[error("{id} was changed by another program while it was being written")]
    ChangedOutside {
        /// The item.
        id: WorkId,
    },
    /// A rule does not allow the change.
    #[error("{id} was not changed")]
    Refused {
        /// The item.
        id: WorkId,
        /// The rule.
        source: Refusal,
    },
    /// A lock was not to be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The item's file does not hold an item.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The item would be larger than [`MAX_ITEM_BYTES`](crate::MAX_ITEM_BYTES).
    #[error("{id} would have {size} bytes; the limit is {limit}")]
    TooLarge {
        /// The item.
        id: WorkId,
        /// How many bytes it would have.
        size: u64,
        /// How many it may have.
        limit: u64,
    },
    /// What is to be written all or none would be too much for one file.
    #[error("what is to be written at once would have {size} bytes; the limit is {limit}")]
    CommitTooLarge {
        /// How many bytes it would have.
        size: u64,
        /// How many it may have.
        limit: u64,
    },
    /// A newer version of jerry made the store. This one may read it, not write to it.
    #[error("the store has format {found}; this version of jerry writes format {known}")]
    NewerFormat {
        /// The store's format.
        found: u32,
        /// The newest that this version knows.
        known: u32,
    },
    /// The storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It is done and visible, but whether it survives a power cut is not known.
    #[error("the write was made, but it is not known whether it survives a power cut")]
    Indeterminate(#[source] StorageError),
}

impl RepositoryError {
    /// That there is no item `id`: it never was, or it was deleted and left this.
    #[must_use]
    pub fn absent(id: WorkId, stone: Option<Tombstone>) -> Self {
        match stone {
            Some(Tombstone { deleted_at: at, deleted_by: by, .. }) => Self::Deleted { id, at, by },
            None => Self::NotFound { id },
        }
    }

    /// Checks that `item` has the version `expected`, where one is.
    ///
    /// # Errors
    /// [`RepositoryError::VersionConflict`].
    pub fn unless_version(item: &WorkItem, expected: Option<u64>) -> Result<(), Self> {
        match expected {
            Some(expected) if expected != item.version => {
                let (id, found) = (item.id.clone(), item.version);
                Err(Self::VersionConflict { id, expected, found })
            }
            _ => Ok(()),
        }
    }
}

impl From<Unreadable> for RepositoryError {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Malformed(error) => Self::Malformed(error),
            Unreadable::Storage(error) => Self::Storage(error),
        }
    }
}

/// Keeps work items.
///
/// # Contract
/// - What a method acknowledges is durable: it survives the death of the process and a power cut.
///   So does what an update finds to be there already, whoever wrote it.
/// - An item is replaced whole. A reader sees the old or the new one, never a part, and never
///   waits for a writer.
/// - Two updates of one item never work on the same version: the second sees what the first wrote.
/// - References without uid are completed in passing where the item they name exists.
/// - An item may hold younger ones of its number beside it, as a merge of two branches leaves them.
///   All are among the [`summaries`](Self::summaries); by its number the elder is meant. An update or
///   a deletion of it, whatever comes of it, first gives the others numbers of their own, durably,
///   unless they stand under one already: then what is said here is merged into that.
/// - A method that fails leaves everything as it was, except [`RepositoryError::Indeterminate`], and
///   except that.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait WorkItemRepository: Send + Sync {
    /// Adds an item unless its id is taken.
    ///
    /// # Errors
    /// [`RepositoryError`]; that the id is taken is no error but an [`Insertion`].
    async fn insert(&self, item: WorkItem) -> Result<Insertion, RepositoryError>;

    /// Adds many items with the durability of one batch: when it returns, all that say
    /// [`Insertion::Inserted`] are durable. Each item is added whole or not at all, in the order
    /// given. Answers in the same order.
    ///
    /// # Errors
    /// [`RepositoryError`] when the storage fails; items before the failure may have been added.
    async fn insert_many(&self, items: Vec<WorkItem>) -> Result<Vec<Insertion>, RepositoryError>;

    /// Reads an item. `None` when there is none, which also holds for a deleted one.
    ///
    /// # Errors
    /// [`RepositoryError::Malformed`], [`RepositoryError::Storage`].
    async fn get(&self, id: &WorkId) -> Result<Option<WorkItem>, RepositoryError>;

    /// Reads what a deleted item left. `None` when none was deleted under this id.
    ///
    /// # Errors
    /// [`RepositoryError::Malformed`], [`RepositoryError::Storage`].
    async fn tombstone(&self, id: &WorkId) -> Result<Option<Tombstone>, RepositoryError>;

    /// Reads, changes and writes one item as a single operation.
    ///
    /// `change` is called at most once, with the item as it is while nobody else can write it.
    /// With `expected`, it is called only if the item has that version. What it returns must be
    /// the item's next version.
    ///
    /// # Errors
    /// [`RepositoryError`]; [`RepositoryError::Refused`] carries what `change` refused.
    async fn update(
        &self,
        id: &WorkId,
        expected: Option<u64>,
        change: Change,
    ) -> Result<Update, RepositoryError>;

    /// As [`update`](Self::update), unless somebody else is writing the item at this moment:
    /// `None` then, at once, and nothing was done.
    ///
    /// # Errors
    /// As [`update`](Self::update), but for the lock.
    async fn try_update(
        &self,
        id: &WorkId,
        expected: Option<u64>,
        change: Change,
    ) -> Result<Option<Update>, RepositoryError>;

    /// Adds the items `new` and writes `next`, the next versions of others, all or none, also when the
    /// process dies: what it has begun is completed then by whoever opens the store next or would
    /// write one of the items. Readers see them one after the other, the new ones in the order given.
    ///
    /// The caller holds the lock `graph`.
    ///
    /// # Errors
    /// [`RepositoryError`]: nothing was written; [`RepositoryError::VersionConflict`] when an item has
    /// another version than the one before `next`. [`RepositoryError::Indeterminate`]: it is decided
    /// that all will be written, and perhaps not all are.
    async fn commit(
        &self,
        new: Vec<WorkItem>,
        next: Vec<WorkItem>,
    ) -> Result<Commit, RepositoryError>;

    /// Completes what a process that was killed has left of a [`commit`](Self::commit), so that what is
    /// read after it has all of it or nothing.
    ///
    /// The caller holds the lock `graph`, and with it keeps others from beginning one.
    ///
    /// # Errors
    /// [`RepositoryError`]; perhaps some of it was written.
    async fn complete_commits(&self) -> Result<(), RepositoryError>;

    /// Removes an item and leaves a tombstone with the whole of it.
    ///
    /// # Errors
    /// [`RepositoryError`]; [`RepositoryError::Refused`] when another has claimed the item, by the
    /// rule of [`WorkItem::may_be_deleted`].
    async fn delete(
        &self,
        id: &WorkId,
        expected: Option<u64>,
        stamp: &Stamp,
    ) -> Result<Tombstone, RepositoryError>;

    /// Makes durable every item and tombstone that is visible: also what a process wrote that was
    /// killed before it was. For whoever answers that something is there already; an update that
    /// changes nothing sees to that itself.
    ///
    /// # Errors
    /// [`RepositoryError::Storage`]; nothing was changed.
    async fn settle(&self) -> Result<(), RepositoryError>;

    /// Every item in brief, as they are now.
    ///
    /// # Errors
    /// [`RepositoryError::Storage`] when they cannot be listed at all.
    async fn summaries(&self) -> Result<Summaries, RepositoryError>;

    /// What every deleted item left.
    ///
    /// # Errors
    /// [`RepositoryError::Storage`] when they cannot be listed at all.
    async fn tombstones(&self) -> Result<Tombstones, RepositoryError>;
}
