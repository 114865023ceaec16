//! What kind of work an item is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A type that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown type '{0}': use epic, story, feature, task, subtask, bug, spike, research or chore"
)]
pub struct UnknownItemType(String);

/// What kind of work an item is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "&'static str")]
#[allow(missing_docs)]
pub enum ItemType {
    Epic,
    Story,
    Feature,
    #[default]
    Task,
    Subtask,
    Bug,
    Spike,
    Research,
    Chore,
}

impl ItemType {
    /// Every type.
    pub const ALL: [Self; 9] = [
        Self::Epic,
        Self::Story,
        Self::Feature,
        Self::Task,
        Self::Subtask,
        Self::Bug,
        Self::Spike,
        Self::Research,
        Self::Chore,
    ];

    /// Its name in files and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Epic => "epic",
            Self::Story => "story",
            Self::Feature => "feature",
            Self::Task => "task",
            Self::Subtask => "subtask",
            Self::Bug => "bug",
            Self::Spike => "spike",
            Self::Research => "research",
            Self::Chore => "chore",
        }
    }
}

impl FromStr for ItemType {
    type Err = UnknownItemType;

    /// In any case.
    fn from_str(text: &str) -> Result<Self, UnknownItemType> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownItemType(crate::text::excerpt(text)))
    }
}

impl TryFrom<String> for ItemType {
    type Error = UnknownItemType;

    fn try_from(text: String) -> Result<Self, UnknownItemType> {
        text.parse()
    }
}

impl From<ItemType> for &'static str {
    fn from(kind: ItemType) -> &'static str {
        kind.as_str()
    }
}

impl fmt::Display for ItemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
