use async_trait::async_trait;

use super::{RepositoryError, Unreadable};
use crate::Summary;

/// An item in brief, with what tells it from itself at another time.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// The item.
    pub summary: Summary,
    /// A digest of everything that the item's text says, the same in every process.
    pub digest: u64,
}

/// The items of a store as they were sighted, one after the other in no particular order. What
/// cannot be read is an element of its own and does not end the stream.
pub type Sightings = Box<dyn Iterator<Item = Result<Sighting, Unreadable>> + Send>;

/// Looks at all items, for those who want to know what has changed.
///
/// # Contract
/// - An item is sighted as it was at some moment of the look. One that was there all the time may
///   still be missed by one look, for a folder is not listed at one instant; `get` finds it.
/// - Two sightings that agree in id, uid, version and digest are of one text.
#[async_trait]
pub trait Lookout: Send + Sync {
    /// Every item, as they are now. Takes no lock.
    ///
    /// # Errors
    /// [`RepositoryError::Storage`] when they cannot be listed at all.
    async fn look(&self) -> Result<Sightings, RepositoryError>;
}
