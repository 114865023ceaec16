//! Times as people read them.

use jiff::Timestamp;

/// `at` without the fraction of its second. For showing it: files and JSON keep the whole.
#[must_use]
pub fn to_the_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
