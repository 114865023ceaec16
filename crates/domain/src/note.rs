//! What was said about an item, in order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Actor, Extra};

/// One remark. Notes are only ever appended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub actor: Actor,
    /// What was said.
    pub text: String,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}
