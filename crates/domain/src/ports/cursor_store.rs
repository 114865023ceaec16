use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;

use super::{LockError, StorageError};
use crate::{Uid, WorkId};

/// Names what somebody had seen of the items: 1 to 64 lower-case letters, digits and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(String);

impl Cursor {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that no cursor looks like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a cursor")]
pub struct InvalidCursor(String);

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidCursor(text.to_owned()))
        }
    }
}

/// Which item, under which name. A copy made by hand has the uid of another; an id may belong to
/// one item today and to another tomorrow.
pub type ItemKey = (WorkId, Uid);

/// What was seen of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Its version.
    pub version: u64,
    /// The digest of its text; see [`Sighting`](super::Sighting).
    pub digest: u64,
    /// Whether it was one of those that are watched.
    pub is_watched: bool,
}

/// All that somebody has seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Which items are watched, in the watcher's own words.
    pub selection: String,
    /// Every item there was, watched or not.
    pub items: BTreeMap<ItemKey, Mark>,
}

/// What leads from one thing seen to the next: items that are otherwise now, `None` for those that
/// are gone.
pub type Step = BTreeMap<ItemKey, Option<Mark>>;

impl Seen {
    /// Sees what `step` says.
    pub fn advance(&mut self, step: &Step) {
        for (key, mark) in step {
            match mark {
                Some(mark) => drop(self.items.insert(key.clone(), *mark)),
                None => drop(self.items.remove(key)),
            }
        }
    }
}

/// Why a cursor could not be kept or looked up.
#[derive(Debug, thiserror::Error)]
pub enum CursorError {
    /// The lock of the cursors was not to be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Remembers what watchers have seen, under names that they are given to come back with.
///
/// # Contract
/// - What is found under a cursor is exactly what was saved under it, or nothing: also after a
///   crash in the midst of saving, and after others have gone on from the same cursor.
/// - Cursors are not durable and not kept for ever; whoever finds nothing has to begin anew.
#[async_trait]
pub trait CursorStore: Send + Sync {
    /// Remembers `seen`. `since` says from which cursor one came and what led on from it, so that
    /// not all has to be kept once more.
    ///
    /// # Errors
    /// [`CursorError`]; earlier cursors are as they were.
    async fn save(
        &self,
        seen: &Seen,
        since: Option<(&Cursor, &Step)>,
    ) -> Result<Cursor, CursorError>;

    /// What had been seen; `None` when the cursor is not known, or no longer.
    ///
    /// # Errors
    /// [`CursorError::Storage`].
    async fn load(&self, cursor: &Cursor) -> Result<Option<Seen>, CursorError>;
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("9f86d081-1c2-a3b1c2d4", true)]
    #[case("", false)]
    #[case("../x", false)]
    #[case("A", false)]
    fn cursors_are_plain_names(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(text.parse::<Cursor>().is_ok(), valid);
        assert!("a".repeat(65).parse::<Cursor>().is_err());
    }
}
