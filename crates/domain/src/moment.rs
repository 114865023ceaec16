//! Times as people read and write them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `at` without the fraction of its second. For showing it: files and JSON keep the whole.
#[must_use]
pub fn to_the_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// A text that is neither a day nor an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a day like 2026-01-31 or a time like 2026-01-31T12:00:00Z")]
pub struct InvalidMoment(String);

/// A day, which means its first instant in UTC, or an instant.
///
/// # Errors
/// [`InvalidMoment`] when `text` is neither.
pub fn day_or_instant(text: &str) -> Result<Timestamp, InvalidMoment> {
    let day = text.len() == "2026-01-31".len();
    let whole = if day { format!("{text}T00:00:00Z") } else { text.to_owned() };
    whole.parse().map_err(|_| InvalidMoment(crate::text::excerpt(text)))
}

/// An instant that programs may write as a day too: see [`day_or_instant`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Day(pub Timestamp);

impl TryFrom<String> for Day {
    type Error = InvalidMoment;

    fn try_from(text: String) -> Result<Self, InvalidMoment> {
        day_or_instant(&text).map(Self)
    }
}
