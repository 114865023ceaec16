//! Faults made on purpose, each of which must show in the histories.

use serde::{Deserialize, Serialize};

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Fault {
    /// Each process takes its locks in a folder of its own, so that nobody excludes anybody.
    NoLocks,
    /// An item is read from what was read before.
    StaleReads,
    /// A list is the one that was made before.
    StaleLists,
    /// A write is acknowledged and not made.
    DroppedWrites,
    /// A deletion is acknowledged and not made.
    DroppedDeletes,
    /// The expected version is checked before the item is locked.
    CheckOutsideTheLock,
    /// Whether somebody has claimed the item is looked up before it is locked.
    ClaimOutsideTheLock,
    /// Whoever shows a fence is taken for the holder.
    FenceNotCompared,
}

impl Fault {
    pub(super) const ALL: [Self; 8] = [
        Self::NoLocks,
        Self::StaleReads,
        Self::StaleLists,
        Self::DroppedWrites,
        Self::DroppedDeletes,
        Self::CheckOutsideTheLock,
        Self::ClaimOutsideTheLock,
        Self::FenceNotCompared,
    ];
}
