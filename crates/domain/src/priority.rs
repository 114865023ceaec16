//! How urgent an item is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A priority that does not exist. It is an error, never a default.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown priority '{0}': use critical, high, medium or low")]
pub struct UnknownPriority(String);

/// How urgent an item is. The most urgent sorts first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "&'static str")]
#[allow(missing_docs)]
pub enum Priority {
    Critical,
    High,
    #[default]
    Medium,
    Low,
}

impl Priority {
    /// Every priority, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// Its name in files and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

impl FromStr for Priority {
    type Err = UnknownPriority;

    /// In any case.
    fn from_str(text: &str) -> Result<Self, UnknownPriority> {
        Self::ALL
            .into_iter()
            .find(|priority| priority.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownPriority(crate::text::excerpt(text)))
    }
}

impl TryFrom<String> for Priority {
    type Error = UnknownPriority;

    fn try_from(text: String) -> Result<Self, UnknownPriority> {
        text.parse()
    }
}

impl From<Priority> for &'static str {
    fn from(priority: Priority) -> &'static str {
        priority.as_str()
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_priority_is_an_error() {
        assert!("urgent".parse::<Priority>().is_err());
        assert!(serde_json::from_str::<Priority>("\"\"").is_err());
        assert!(serde_json::from_str::<Priority>("null").is_err());
    }

    #[test]
    fn the_most_urgent_sorts_first() {
        let mut all = Priority::ALL;
        all.reverse();
        all.sort();
        assert_eq!(all, Priority::ALL);
    }

    #[test]
    fn the_case_does_not_matter() {
        assert_eq!("CRITICAL".parse(), Ok(Priority::Critical));
    }
}
