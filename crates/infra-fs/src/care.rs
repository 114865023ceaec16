//! Looks after the files of a store: what the rules over items do not see.

use async_trait::async_trait;
use jerry_domain::Stamp;
use jerry_domain::ports::{Finding, Repair, RepositoryError, StoreCare};

use crate::format::Format;
use crate::layout::Layout;
use crate::lock::FsLocks;

/// The care of one store's files.
pub struct FsCare {
    layout: Layout,
    locks: FsLocks,
    format: Format,
}

impl FsCare {
    /// The care of the store at `layout`.
    #[must_use]
    pub fn new(layout: Layout, locks: FsLocks, format: Format) -> Self {
        Self { layout, locks, format }
    }
}

#[async_trait]
impl StoreCare for FsCare {
    async fn examine(&self) -> Result<Vec<Finding>, RepositoryError> {
        let _ = (&self.layout, &self.locks, &self.format);
        Ok(Vec::new())
    }

    async fn repair(&self, _: &[Finding], _: &Stamp) -> Result<Vec<Repair>, RepositoryError> {
        Ok(Vec::new())
    }
}
