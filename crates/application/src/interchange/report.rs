//! What an import did and did not do.

use jerry_domain::WorkId;
use serde::Serialize;

/// Something worth knowing about one place in the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// The file, as the caller named it; `null` where the store itself is meant.
    pub file: Option<String>,
    /// The line, from 1; `null` where the whole file is meant.
    pub line: Option<usize>,
    /// What there is to know.
    pub message: String,
}

/// Something that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// Why not.
    pub reason: String,
}

/// An item whose own id was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Renumbered {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The id that it had.
    pub from: WorkId,
    /// The id that it has now; `null` for a dry run.
    pub to: Option<WorkId>,
}

/// What an import did, or, as a dry run, would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Items that came in.
    pub imported: usize,
    /// Items that were there already, and were left as they are.
    pub skipped_existing: usize,
    /// Items that were deleted, there or here, and stay so.
    pub skipped_tombstones: usize,
    /// Dependencies of the items that came in.
    pub dependencies: usize,
    /// Parents of the items that came in.
    pub parents: usize,
    /// Links of the items that came in.
    pub links: usize,
    /// Notes of the items that came in.
    pub notes: usize,
    /// Dependencies of older items that had waited for an item that came in now.
    pub resolved: usize,
    /// The ids of the items that came in, in the order of the input. Empty for a dry run.
    pub ids: Vec<WorkId>,
    /// Items whose own id was taken.
    pub renumbered: Vec<Renumbered>,
    /// What came in otherwise than it stood there, and why.
    pub warnings: Vec<Remark>,
    /// What did not come in, and why.
    pub rejected: Vec<Rejection>,
}

impl ImportReport {
    /// Whether the store is as it was before.
    #[must_use]
    pub fn changed_nothing(&self) -> bool {
        self.dry_run || (self.imported == 0 && self.resolved == 0)
    }
}
