//! Loose relations of an item: to other items, to artifacts and to sources.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Extra, ItemRef};

/// What a link says. Links inform; only `parent` and `depends_on` rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// The two have to do with each other.
    Related,
    /// This item came up while the other was worked on.
    DiscoveredFrom,
    /// This item says what the other says.
    Duplicates,
    /// The other item waits for this one.
    Blocks,
    /// This item needs the other, which was not there when the dependency was imported. It holds
    /// nothing back; when the other item is imported it becomes a dependency.
    DependsOn,
}

impl LinkKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Related, Self::DiscoveredFrom, Self::Duplicates, Self::Blocks, Self::DependsOn];

    /// Its name in files and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Related => "related",
            Self::DiscoveredFrom => "discovered_from",
            Self::Duplicates => "duplicates",
            Self::Blocks => "blocks",
            Self::DependsOn => "depends_on",
        }
    }
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A kind of link that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown link kind '{0}': use related, discovered_from, duplicates or blocks")]
pub struct UnknownLinkKind(String);

impl FromStr for LinkKind {
    type Err = UnknownLinkKind;

    /// In any case, with `-` for `_`.
    fn from_str(text: &str) -> Result<Self, UnknownLinkKind> {
        let name = text.to_ascii_lowercase().replace('-', "_");
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| UnknownLinkKind(crate::text::excerpt(text)))
    }
}

/// What a link points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LinkTarget {
    /// An item of this store, or at least a name that an item could have.
    Item(ItemRef),
    /// Something that is known only by its name elsewhere.
    External(String),
}

impl fmt::Display for LinkTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item(item) => item.fmt(f),
            Self::External(name) => f.write_str(name),
        }
    }
}

/// A relation to another item that has no consequences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// What it says.
    pub kind: LinkKind,
    /// What it points at.
    pub target: LinkTarget,
    /// Why, in words.
    #[serde(default)]
    pub note: Option<String>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Something the work on an item produced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// What kind of thing it is, for example `Research Artifact`.
    #[serde(default)]
    pub kind: Option<String>,
    /// What it is called.
    pub title: String,
    /// Where it is: a path or an address.
    #[serde(default)]
    pub url: Option<String>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Something the work on an item draws on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// What it is called.
    pub title: String,
    /// Where it is.
    #[serde(default)]
    pub url: Option<String>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}
