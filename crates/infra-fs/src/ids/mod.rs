//! Gives out identities (uids) and numbers without a coordinator.

pub(crate) mod sequences;
pub(crate) mod snowflake;

use std::sync::Arc;

use async_trait::async_trait;
use jerry_domain::ports::{Clock, IdError, IdGenerator};
use jerry_domain::{Prefix, Uid, WorkId};

pub(crate) use sequences::{Behind, Sequences};
pub use snowflake::Snowflake;

use crate::layout::Layout;
use crate::lock::FsLocks;
use crate::publish::PublishError;

/// The ids of one store.
pub struct FsIds {
    snowflake: Snowflake,
    sequences: Sequences,
}

impl FsIds {
    /// Ids for the store at `layout`. Touches nothing until the first id is asked for.
    #[must_use]
    pub fn new(layout: Layout, locks: FsLocks, clock: Arc<dyn Clock>) -> Self {
        Self {
            snowflake: Snowflake::new(layout.clone(), locks.clone(), clock),
            sequences: Sequences::new(layout, locks),
        }
    }
}

#[async_trait]
impl IdGenerator for FsIds {
    async fn uids(&self, count: usize) -> Result<Vec<Uid>, IdError> {
        self.snowflake.take(count)
    }

    async fn work_ids(&self, prefix: &Prefix, count: usize) -> Result<Vec<WorkId>, IdError> {
        self.sequences.take(prefix, count)
    }

    async fn catch_up(&self, prefix: &Prefix) -> Result<(), IdError> {
        self.sequences.catch_up(prefix)
    }
}

fn not_reserved(error: PublishError) -> IdError {
    match error {
        PublishError::Failed(error) => IdError::Storage(error),
        PublishError::Indeterminate(error) => IdError::Indeterminate(error),
    }
}
