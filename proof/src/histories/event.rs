//! What happened to one item, as those who took part saw it.

use std::fmt;

use jerry_domain::{Status, WorkItem};
use serde::{Deserialize, Serialize};

/// One operation on one item, from the moment before it was called to the moment after it returned,
/// on the clock that all processes of a machine share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) called: u64,
    pub(super) returned: u64,
    pub(super) seen: Seen,
}

/// What an operation did to the item, or learnt of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Seen {
    /// It made the item.
    Made(Content),
    /// It made this version; if it expected one, of that.
    Wrote(Content, Option<u64>),
    /// It deleted the item, which had this version.
    Removed(u64),
    /// This is the whole item.
    Read(Content),
    /// A list shows it so.
    Listed { version: u64, status: Status },
    /// A list of all items does not show it.
    NotListed,
    /// A list of what can be begun does not show it.
    NotReady,
    /// It is not there and never was.
    Unknown,
    /// It was deleted.
    Gone,
    /// It has this version, not the one expected.
    Conflict { found: u64, expected: u64 },
    /// A move is not allowed from this status.
    Forbidden(Status),
}

/// One version of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) version: u64,
    pub(super) status: Status,
    /// Tells apart what else two versions say.
    pub(super) digest: u32,
}

impl Content {
    pub(super) fn of(item: &WorkItem) -> serde_json::Result<Self> {
        let digest = crc32fast::hash(&serde_json::to_vec(item)?);
        Ok(Self { version: item.version, status: item.status, digest })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { called, returned, seen } = self;
        write!(f, "{seen:?} from {called} to {returned} ns")
    }
}
