//! Why a service did not do what was asked.

use std::fmt;

use crate::{InvalidPlan, Ring};
use jerry_domain::ports::{Cursor, CursorError, IdError, LockError, RepositoryError};
use jerry_domain::{Actor, Refusal, Timestamp, UnknownVersion, WorkId};

/// Why a service did not do what was asked. Unless it is [`Error::Partly`] or
/// [`RepositoryError::Indeterminate`], everything is as it was.
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
    DependencyCycle(Ring),
    /// An item would be a part of itself.
    #[error("items would be parts of each other in a ring: {0}")]
    ParentCycle(Ring),
    /// An item would wait for itself, by what it needs and what it is a part of.
    #[error(
        "items would wait for each other in a ring, an item for what it needs and a parent for its \
         parts: {0}"
    )]
    MixedCycle(Ring),
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
    /// A text is no plan.
    #[error("the plan was not carried out")]
    Plan(#[from] InvalidPlan),
    /// There is nothing that could be claimed.
    #[error("nothing is ready that could be claimed")]
    NothingReady,
    /// What had been seen at the cursor is not known: it was made in another store, or too long ago,
    /// or is none.
    #[error("the cursor {cursor} is not known, or no longer")]
    UnknownCursor {
        /// The cursor.
        cursor: Cursor,
    },
    /// The cursor is of somebody who watched other items.
    #[error("the cursor {cursor} was given to a watcher with another filter")]
    OtherFilter {
        /// The cursor.
        cursor: Cursor,
    },
    /// An item cannot be shown as it was in a version.
    #[error("{id} cannot be looked back at")]
    UnknownVersion {
        /// The item.
        id: WorkId,
        /// Why not.
        source: UnknownVersion,
    },
    /// An item was not there at that time, as far as it is known.
    #[error("{id} was not there at {time}; its history begins at {since}")]
    NotThen {
        /// The item.
        id: WorkId,
        /// What was asked for.
        time: Timestamp,
        /// The first that is known of it.
        since: Timestamp,
    },
    /// There is no write that could be taken back.
    #[error("{actor} has made no write, or none in this session")]
    NothingWritten {
        /// Who asked.
        actor: Actor,
    },
    /// A search for nothing.
    #[error("the text to search for is empty")]
    EmptySearch,
    /// Some of what was asked for is done, item by item, and stands.
    #[error("only a part of it was done")]
    Partly(#[source] Box<Error>),
}

impl From<CursorError> for Error {
    fn from(error: CursorError) -> Self {
        match error {
            CursorError::Lock(error) => error.into(),
            CursorError::Storage(error) => RepositoryError::from(error).into(),
        }
    }
}

impl Error {
    /// The same error, of a service that had done something before.
    pub(crate) fn partly(self) -> Self {
        match self {
            Self::Partly(_) => self,
            error => Self::Partly(Box::new(error)),
        }
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
