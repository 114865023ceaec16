use async_trait::async_trait;
use serde::Serialize;

use super::RepositoryError;
use crate::{Stamp, WorkId};

/// What can be wrong with a store. The names are part of the command line's contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Ailment {
    UnparsableItem,
    MisnamedItem,
    DuplicateUid,
    SharedNumber,
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
    UnsafeFileSystem,
    UidAheadOfClock,
    InvalidSetting,
    UnknownSetting,
}

/// How much an ailment matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something cannot be read or trusted until it is put right.
    Broken,
    /// It costs time or space, or needs a person's decision; every command works.
    Notice,
}

impl Ailment {
    /// How much it matters.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::StaleIndex
            | Self::CorruptIndex
            | Self::SequenceBehind
            | Self::CorruptSequences
            | Self::TempLitter
            | Self::UnsafeFileSystem
            | Self::UidAheadOfClock
            | Self::UnknownSetting => Severity::Notice,
            Self::UnparsableItem
            | Self::MisnamedItem
            | Self::DuplicateUid
            | Self::SharedNumber
            | Self::DanglingDependency
            | Self::DanglingParent
            | Self::Cycle
            | Self::OrphanTombstone
            | Self::DeletedItemPresent
            | Self::UnparsableTombstone
            | Self::WrongPermissions
            | Self::NewerFormat
            | Self::InvalidSetting => Severity::Broken,
        }
    }
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

/// What repairs came to.
#[derive(Debug, Default)]
pub struct Repairs {
    /// What was put right. It stands, whatever failed beside it.
    pub done: Vec<Repair>,
    /// The first error; what it was about is as it was, unless it is
    /// [`RepositoryError::Indeterminate`].
    pub failed: Option<RepositoryError>,
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
    /// was put aside. Never deletes an item. `stamp` signs what has to be written into items.
    ///
    /// One that fails keeps no other from being tried.
    ///
    /// # Errors
    /// [`RepositoryError::NewerFormat`] when nothing may be changed.
    async fn repair(&self, findings: &[Finding], stamp: &Stamp)
    -> Result<Repairs, RepositoryError>;
}
