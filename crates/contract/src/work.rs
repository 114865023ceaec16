//! What came of working on an item.

use jerry_domain::WorkItem;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Answer, Whole};

/// The answer of kind `work`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "work")]
pub struct Worked<'a> {
    /// The item as it is after the work.
    pub item: Whole<'a>,
    /// How the command ended that worked on it.
    pub command: Ended,
}

/// How a command ended: by itself, or by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ended {
    /// Its exit status, if it ended by itself.
    pub status: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

impl<'a> Worked<'a> {
    /// `item` after a command on it `ended`.
    #[must_use]
    pub fn new(item: &'a WorkItem, ended: Ended) -> Self {
        Self { item: Whole(item), command: ended }
    }
}

impl Answer for Worked<'_> {
    const KIND: &'static str = "work";
}
