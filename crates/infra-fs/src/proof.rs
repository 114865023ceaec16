//! How the files of a store are read and written, from bytes to bytes: what the proof gives any
//! bytes to.

use jerry_domain::WorkItem;
use jerry_domain::ports::Malformed;

use crate::codec;
pub use crate::ids::sequences::proof as sequences;
pub use crate::ids::snowflake::proof as slot;
pub use crate::index::cache::proof as index;
pub use crate::lock::holder::proof as owner;

/// The item that a file with `bytes` holds.
///
/// # Errors
/// [`Malformed`] when it holds none.
pub fn item(bytes: &[u8]) -> Result<WorkItem, Malformed> {
    codec::decode("item", bytes)
}

/// What the file says when `item` is written where `old` stood; `None` when it cannot be written.
pub fn item_text(old: &[u8], item: &WorkItem) -> Option<Vec<u8>> {
    Some(codec::respell(old, codec::encode(item).ok()?, &[]))
}
