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
    /// It made this version, under these conditions.
    Wrote(Content, Condition),
    /// It deleted the item, which had this version.
    Removed(u64, Shown),
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
    /// Somebody holds it under this fence.
    Held(u64),
    /// The claim that was shown has ended; this one stands, or none.
    Stale { shown: u64, found: Option<u64> },
}

/// What must be the case for a write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Condition {
    /// The version that the item must have.
    pub(super) expected: Option<u64>,
    pub(super) shown: Shown,
}

/// How somebody shows that a claimed item is its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Shown {
    #[default]
    Nothing,
    Fence(u64),
    /// It insists.
    Force,
}

impl Shown {
    /// Whether an item may be written that is claimed under `fence`, or not at all. No claim lapses
    /// while histories are made.
    pub(super) fn may_write(self, fence: Option<u64>) -> bool {
        match self {
            Self::Nothing => fence.is_none(),
            Self::Fence(own) => fence == Some(own),
            Self::Force => true,
        }
    }
}

impl Condition {
    /// Whether `next` can be what a write under this condition made of `now`.
    pub(super) fn allows(self, now: &Content, next: &Content) -> bool {
        // A claim stays, ends, or is a new one, whose fence is the version that it makes.
        let fences = [None, now.fence, Some(next.version)];
        next.version == now.version + 1
            && self.expected.is_none_or(|expected| expected == now.version)
            && self.shown.may_write(now.fence)
            && fences.contains(&next.fence)
    }
}

/// One version of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) version: u64,
    pub(super) status: Status,
    /// Of the claim that stands.
    pub(super) fence: Option<u64>,
    /// Tells apart what else two versions say.
    pub(super) digest: u32,
}

impl Content {
    pub(super) fn of(item: &WorkItem) -> serde_json::Result<Self> {
        let digest = crc32fast::hash(&serde_json::to_vec(item)?);
        let fence = item.claim.as_ref().map(|claim| claim.fence);
        Ok(Self { version: item.version, status: item.status, fence, digest })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { called, returned, seen } = self;
        write!(f, "{seen:?} from {called} to {returned} ns")
    }
}
