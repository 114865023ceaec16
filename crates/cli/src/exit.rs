//! What the program exits with. What it says is the contract's matter.

use std::process::ExitCode;

pub use jerry_contract::{Code, Failure};

/// The exit status for each code.
#[must_use]
pub fn status(code: Code) -> u8 {
    match code {
        Code::Internal => 1,
        Code::Usage => 2,
        Code::NotFound
        | Code::UnknownVersion
        | Code::Deleted
        | Code::UnknownCursor
        | Code::NoStore => 3,
        Code::Invalid
        | Code::InvalidTransition
        | Code::Cycle
        | Code::StillNeeded
        | Code::UnfinishedParts
        | Code::CompletedParent
        | Code::Gate
        | Code::RequestReused
        | Code::CommandFailed
        | Code::WouldReplace
        | Code::NotUndoable
        | Code::TooLarge => 4,
        Code::VersionConflict
        | Code::ChangedOutside
        | Code::Claimed
        | Code::StaleFence
        | Code::WrittenSince
        | Code::NoFreeNumber => 5,
        Code::Busy => 6,
        Code::NothingReady | Code::Unchanged => 7,
        Code::Storage
        | Code::DiskFull
        | Code::ReadOnly
        | Code::PermissionDenied
        | Code::Malformed
        | Code::NewerFormat
        | Code::Unhealthy => 8,
        Code::Indeterminate => 9,
        Code::Partly => 10,
        Code::Interrupted => 130,
    }
}

pub(crate) fn exit(code: Code) -> ExitCode {
    ExitCode::from(status(code))
}
