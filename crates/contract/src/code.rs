//! The kinds of error: one table.

/// What went wrong, as programs tell it: the `code` of an error. Part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Code {
    Internal,
    Usage,
    NotFound,
    UnknownVersion,
    Deleted,
    UnknownCursor,
    NoStore,
    Invalid,
    InvalidTransition,
    Cycle,
    StillNeeded,
    UnfinishedParts,
    CompletedParent,
    WouldReplace,
    NotUndoable,
    Gate,
    TooLarge,
    VersionConflict,
    ChangedOutside,
    Claimed,
    StaleFence,
    RequestReused,
    CommandFailed,
    WrittenSince,
    NoFreeNumber,
    Busy,
    NothingReady,
    Unchanged,
    Storage,
    DiskFull,
    ReadOnly,
    PermissionDenied,
    Malformed,
    NewerFormat,
    Unhealthy,
    Indeterminate,
    Partly,
    Interrupted,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 38] = [
        Self::Internal,
        Self::Usage,
        Self::NotFound,
        Self::UnknownVersion,
        Self::Deleted,
        Self::UnknownCursor,
        Self::NoStore,
        Self::Invalid,
        Self::InvalidTransition,
        Self::Cycle,
        Self::StillNeeded,
        Self::UnfinishedParts,
        Self::CompletedParent,
        Self::WouldReplace,
        Self::NotUndoable,
        Self::Gate,
        Self::TooLarge,
        Self::VersionConflict,
        Self::ChangedOutside,
        Self::Claimed,
        Self::StaleFence,
        Self::RequestReused,
        Self::CommandFailed,
        Self::WrittenSince,
        Self::NoFreeNumber,
        Self::Busy,
        Self::NothingReady,
        Self::Unchanged,
        Self::Storage,
        Self::DiskFull,
        Self::ReadOnly,
        Self::PermissionDenied,
        Self::Malformed,
        Self::NewerFormat,
        Self::Unhealthy,
        Self::Indeterminate,
        Self::Partly,
        Self::Interrupted,
    ];

    /// The table: the name in JSON; after how many milliseconds the same request, made again as it
    /// is, may succeed without anybody putting something right, `None` if it will not; and what to
    /// do about it where the error itself does not say more.
    #[must_use]
    pub fn row(self) -> (&'static str, Option<u64>, &'static str) {
        match self {
            Self::Internal => {
                ("internal", None, "this is a fault of jerry: report it with what was asked for")
            }
            Self::Usage => {
                ("usage", None, "put the arguments right; `jerry help` shows them for each command")
            }
            Self::NotFound => ("not_found", None, "`jerry list --all` shows every item"),
            Self::UnknownVersion => {
                ("unknown_version", None, "`jerry history ID --limit 0` names every version")
            }
            Self::Deleted => (
                "deleted",
                None,
                "its number is not used again: make a new item if it is still needed",
            ),
            Self::UnknownCursor => (
                "unknown_cursor",
                None,
                "changes since then cannot be told: look at all items, and watch from now on",
            ),
            Self::NoStore => (
                "no_store",
                None,
                "make a store with `jerry init`, or name one with --store or JERRY_STORE",
            ),
            Self::Invalid => {
                ("invalid", None, "nothing was changed: put the value right that the message names")
            }
            Self::InvalidTransition => {
                ("invalid_transition", None, "make one of the moves first that are allowed")
            }
            Self::Cycle => ("cycle", None, "take one of the links out of the ring first"),
            Self::StillNeeded => ("still_needed", None, "detach first what needs it"),
            Self::UnfinishedParts => ("unfinished_parts", None, "finish or cancel the parts first"),
            Self::CompletedParent => {
                ("completed_parent", None, "take the parent up again first, or name another")
            }
            Self::WouldReplace => (
                "would_replace",
                None,
                "add to what is there, or look at it and name its version to replace it",
            ),
            Self::NotUndoable => {
                ("not_undoable", None, "change what is to be changed with `jerry update`")
            }
            Self::Gate => ("gate", None, "show first what the item's gates ask for"),
            Self::TooLarge => (
                "too_large",
                None,
                "keep long texts in files of their own and name them in the item",
            ),
            Self::VersionConflict => {
                ("version_conflict", None, "look at the item again, then decide")
            }
            Self::ChangedOutside => {
                ("changed_outside", Some(100), "nothing was overwritten; run the command again")
            }
            Self::Claimed => ("claimed", Some(60_000), "take another item"),
            Self::StaleFence => ("stale_fence", None, "stop working on it, or claim it again"),
            Self::RequestReused => (
                "request_reused",
                None,
                "give each request a name of its own, and repeat it word for word",
            ),
            Self::WrittenSince => (
                "written_since",
                None,
                "look at what was written with `jerry diff ID`, then decide",
            ),
            Self::CommandFailed => {
                ("command_failed", None, "what it said is above; the item is free for the next one")
            }
            Self::NoFreeNumber => (
                "no_free_number",
                Some(100),
                "run `jerry doctor`: the numbers on record may be behind the items",
            ),
            Self::Busy => ("busy", Some(1_000), "run it again, or wait longer"),
            Self::NothingReady => (
                "nothing_ready",
                Some(5_000),
                "`jerry ready --explain` shows what others work on and what waits for what",
            ),
            Self::Unchanged => ("unchanged", Some(0), "go on from the cursor in the context"),
            Self::Storage => ("storage", None, "look at the device and the file system"),
            Self::DiskFull => ("disk_full", None, "free some space and run the command again"),
            Self::ReadOnly => ("read_only", None, "make the file system writable"),
            Self::PermissionDenied => {
                ("permission_denied", None, "give this user the right to it, or work as its owner")
            }
            Self::Malformed => (
                "malformed",
                None,
                "put the file right, or restore it from version control; `jerry doctor` tells more",
            ),
            Self::NewerFormat => ("newer_format", None, "upgrade jerry"),
            Self::Unhealthy => ("unhealthy", None, "`jerry doctor` tells what is wrong"),
            Self::Indeterminate => {
                ("indeterminate", None, "look at what is there before you run it again")
            }
            Self::Partly => {
                ("partly", None, "the answer says of each item whether it was done, and why not")
            }
            Self::Interrupted => {
                ("interrupted", Some(0), "look at what is there, then run it again")
            }
        }
    }

    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// After how many milliseconds the same request, made again as it is, may succeed; `None` if it
    /// will not. Whoever asks much sooner asks in vain, most of the time.
    #[must_use]
    pub fn retry_after_ms(self) -> Option<u64> {
        self.row().1
    }

    /// Whether the same request, made again as it is, may succeed.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        self.retry_after_ms().is_some()
    }

    /// What to do about it, where the error itself does not say more.
    #[must_use]
    pub fn hint(self) -> &'static str {
        self.row().2
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_codes_have_one_name() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
