//! What an item must fulfil (acceptance criteria, with evidence) and what it consists of
//! (sub-tasks).

use serde::{Deserialize, Serialize};

use crate::{CheckId, Extra};

/// One condition under which an item counts as done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Criterion {
    /// Its name within the item, for example `AC-042.1`.
    pub id: CheckId,
    /// What must hold.
    pub text: String,
    /// Whether it holds.
    #[serde(default)]
    pub done: bool,
    /// What shows that it holds.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Something that shows that a criterion holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was found.
    pub text: String,
    /// Where: a document and its section, a commit, an address.
    #[serde(default)]
    pub source: Option<String>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One step of an item, too small to be an item of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subtask {
    /// Its name within the item, for example `ST-042.1`.
    pub id: CheckId,
    /// What is to be done.
    pub text: String,
    /// Whether it is done.
    #[serde(default)]
    pub done: bool,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}
