use async_trait::async_trait;
use serde::Serialize;

use super::RepositoryError;
use crate::WorkId;

/// What can be wrong with a store. The names are part of the command line's contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Ailment {
    UnparsableItem,
    MisnamedItem,
    DuplicateUid,
    DanglingDependency,
    DanglingParent,
    Cycle,
    StaleIndex,
    CorruptIndex,
    SequenceBehind,
    CorruptSequences,
    TempLitter,
    OrphanTombstone,
    DeletedItemPresent,
    UnparsableTombstone,
    WrongPermissions,
    NewerFormat,
    CorruptFormat,
    UnsafeFileSystem,
    UidAheadOfClock,
    MissingFolder,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing.
    pub ailment: Ailment,
    /// The file, relative to the store, where there is one.
    pub path: Option<String>,
    /// The item, where there is one.
    pub item: Option<WorkId>,
    /// What it means and what to do.
    pub message: String,
    /// Whether a repair is known that loses nothing.
    pub fixable: bool,
}

/// One thing that was put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repair {
    /// What had been wrong.
    pub finding: Finding,
    /// What was done.
    pub action: String,
}

/// Looks after the files of a store: what the items' own rules do not see.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait StoreCare: Send + Sync {
    /// Looks at every file and changes nothing.
    ///
    /// # Errors
    /// [`RepositoryError::Storage`] when the store cannot be listed.
    async fn examine(&self) -> Result<Vec<Finding>, RepositoryError>;

    /// Repairs those of `findings` that are the files' own, after a copy of whatever it changes
    /// was put aside. Never deletes an item.
    ///
    /// # Errors
    /// [`RepositoryError`] of the first repair that failed; those before it stand.
    async fn repair(&self, findings: &[Finding]) -> Result<Vec<Repair>, RepositoryError>;
}
