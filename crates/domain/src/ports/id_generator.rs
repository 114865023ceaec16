use async_trait::async_trait;

use super::{LockError, Malformed, StorageError};
use crate::{Prefix, Uid, WorkId};

/// Why no id was given out.
#[derive(Debug, thiserror::Error)]
pub enum IdError {
    /// Every worker slot is taken by a living process.
    #[error("all {slots} worker slots are in use")]
    NoWorkerSlot {
        /// How many there are.
        slots: u16,
    },
    /// The numbers or the milliseconds of the format are used up.
    #[error("{what} are used up")]
    Exhausted {
        /// Which.
        what: String,
    },
    /// A lock that guards the ids was not to be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// What is recorded of the ids is not what it should be and cannot be rebuilt.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The storage did not keep what must be recorded before an id is given out.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Whether the record survives a power cut is not known, so nothing was given out.
    #[error("it is not known whether the reservation of ids survives a power cut")]
    Indeterminate(#[source] StorageError),
}

/// Gives out identities and numbers.
///
/// # Contract
/// - No uid and no number is given out twice: not to two processes, not after a crash, a power
///   cut, a clock set back, a delete, or the loss of everything that can be derived.
/// - What is given out and not used is lost; gaps are fine.
/// - Uids of one caller grow.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait IdGenerator: Send + Sync {
    /// `count` new uids, ascending.
    ///
    /// # Errors
    /// [`IdError`].
    async fn uids(&self, count: usize) -> Result<Vec<Uid>, IdError>;

    /// `count` new ids with `prefix`, ascending.
    ///
    /// # Errors
    /// [`IdError`].
    async fn work_ids(&self, prefix: &Prefix, count: usize) -> Result<Vec<WorkId>, IdError>;

    /// Looks at what exists and goes on behind the greatest number of `prefix`. For a caller that
    /// found a number taken: another clone's items arrived.
    ///
    /// # Errors
    /// [`IdError`].
    async fn catch_up(&self, prefix: &Prefix) -> Result<(), IdError>;
}
