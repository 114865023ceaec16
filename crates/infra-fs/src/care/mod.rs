//! Looks after the files of a store: what the rules over items do not see.

mod examine;
mod litter;
mod misnamed;
mod repair;

use async_trait::async_trait;
use jerry_domain::Stamp;
use jerry_domain::ports::{Finding, Repairs, RepositoryError, StoreCare};

use crate::format::Format;
use crate::ids::Sequences;
use crate::layout::Layout;
use crate::lock::FsLocks;

/// The care of one store's files.
pub struct FsCare {
    layout: Layout,
    locks: FsLocks,
    format: Format,
    sequences: Sequences,
}

impl FsCare {
    /// The care of the store at `layout`.
    #[must_use]
    pub fn new(layout: Layout, locks: FsLocks, format: Format) -> Self {
        let sequences = Sequences::new(layout.clone(), locks.clone());
        Self { layout, locks, format, sequences }
    }
}

#[async_trait]
impl StoreCare for FsCare {
    async fn examine(&self) -> Result<Vec<Finding>, RepositoryError> {
        examine::all(self)
    }

    async fn repair(
        &self,
        findings: &[Finding],
        stamp: &Stamp,
    ) -> Result<Repairs, RepositoryError> {
        repair::all(self, findings, stamp)
    }
}
