//! Why a service did not do what was asked.

use std::fmt;

use jerry_domain::ports::{IdError, LockError, RepositoryError};
use jerry_domain::{Cycle, Refusal, WorkId};

/// Why a service did not do what was asked. Unless its kind is [`Kind::Indeterminate`], what the
/// service documents as one step was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The repository did not do it; this covers items that are not there, refused changes and
    /// conflicts.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// No identity or number was to be had.
    #[error(transparent)]
    Ids(#[from] IdError),
    /// A lock was not to be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A new item is not valid. None of its batch was created.
    #[error("the item '{title}' was not created")]
    NotCreated {
        /// Its title.
        title: String,
        /// The rule.
        source: Refusal,
    },
    /// The numbers given out were taken again and again, by items that another program brings in.
    #[error("no free number was found with the prefix {prefix} in {attempts} attempts")]
    NoFreeNumber {
        /// The prefix.
        prefix: String,
        /// How often it was tried.
        attempts: usize,
    },
    /// An item would wait for itself.
    #[error("items would wait for each other in a ring: {0}")]
    DependencyCycle(Cycle),
    /// An item would be a part of itself.
    #[error("items would be parts of each other in a ring: {0}")]
    ParentCycle(Cycle),
    /// Other items need the one to be deleted.
    #[error("{id} is still needed: {}", Needs { dependents, children })]
    StillNeeded {
        /// The item that was to be deleted.
        id: WorkId,
        /// The items that wait for it.
        dependents: Vec<WorkId>,
        /// The items that are parts of it.
        children: Vec<WorkId>,
    },
    /// A search for nothing.
    #[error("the text to search for is empty")]
    EmptySearch,
}

/// What an [`Error`] means to the caller. Exhaustive on purpose: who maps it must map all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The item is not there, or not any more.
    NotFound,
    /// A rule does not allow it.
    Invalid,
    /// Someone else was faster. Look again, then decide.
    Conflict,
    /// Someone else is at it. Trying again later helps.
    Busy,
    /// The storage failed, or what it holds cannot be used.
    Storage,
    /// It is done and visible, but may not survive a power cut.
    Indeterminate,
}

impl Error {
    /// What the error means to the caller.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Repository(error) => repository_kind(error),
            Self::Ids(error) => ids_kind(error),
            Self::Lock(error) => lock_kind(error),
            Self::NoFreeNumber { .. } => Kind::Conflict,
            Self::NotCreated { .. }
            | Self::DependencyCycle(_)
            | Self::ParentCycle(_)
            | Self::StillNeeded { .. }
            | Self::EmptySearch => Kind::Invalid,
        }
    }
}

fn repository_kind(error: &RepositoryError) -> Kind {
    match error {
        RepositoryError::NotFound { .. } | RepositoryError::Deleted { .. } => Kind::NotFound,
        RepositoryError::VersionConflict { .. } | RepositoryError::ChangedOutside { .. } => {
            Kind::Conflict
        }
        RepositoryError::Refused { source: Refusal::NewerSchema { .. }, .. } => Kind::Storage,
        RepositoryError::Refused { .. } | RepositoryError::TooLarge { .. } => Kind::Invalid,
        RepositoryError::Lock(error) => lock_kind(error),
        RepositoryError::Malformed(_)
        | RepositoryError::NewerFormat { .. }
        | RepositoryError::Storage(_) => Kind::Storage,
        RepositoryError::Indeterminate(_) => Kind::Indeterminate,
    }
}

fn ids_kind(error: &IdError) -> Kind {
    match error {
        IdError::NoWorkerSlot { .. } => Kind::Busy,
        IdError::Lock(error) => lock_kind(error),
        // Nothing was given out and nothing was created, so the caller has nothing in doubt.
        IdError::Exhausted { .. }
        | IdError::Malformed(_)
        | IdError::Storage(_)
        | IdError::Indeterminate(_) => Kind::Storage,
    }
}

fn lock_kind(error: &LockError) -> Kind {
    match error {
        LockError::TimedOut { .. } => Kind::Busy,
        LockError::Storage { .. } => Kind::Storage,
    }
}

struct Needs<'a> {
    dependents: &'a [WorkId],
    children: &'a [WorkId],
}

impl fmt::Display for Needs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |ids: &[WorkId]| ids.iter().map(WorkId::to_string).collect::<Vec<_>>();
        if !self.dependents.is_empty() {
            write!(f, "{} waiting for it", names(self.dependents).join(", "))?;
        }
        if !self.dependents.is_empty() && !self.children.is_empty() {
            f.write_str("; ")?;
        }
        if !self.children.is_empty() {
            write!(f, "{} being part of it", names(self.children).join(", "))?;
        }
        Ok(())
    }
}
