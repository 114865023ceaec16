//! Who works on an item now.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Actor, Extra};

/// One actor's hold on an item. While it stands the item is not ready for anyone else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// Who holds the item.
    pub holder: Actor,
    /// Which of the holder's sessions, where one actor runs several.
    #[serde(default)]
    pub session: Option<String>,
    /// Grows with each claim of the item.
    pub fence: u64,
    /// When the item was claimed.
    pub since: Timestamp,
    /// When the claim lapses unless it is renewed.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}
