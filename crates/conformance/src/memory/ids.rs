use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jerry_domain::ports::{IdError, IdGenerator, LockManager, LockName};
use jerry_domain::{Prefix, Uid, WorkId};

use super::{MemoryLocks, MemoryRepository, held};

/// Gives out identities and numbers with gaps, so that nobody comes to rely on there being none.
///
/// Does not look at the items before [`IdGenerator::catch_up`], so that a caller meets numbers
/// that are taken.
pub struct MemoryIds {
    items: Arc<MemoryRepository>,
    locks: Arc<MemoryLocks>,
    last: Mutex<Last>,
}

struct Last {
    millis: u64,
    numbers: BTreeMap<Prefix, u64>,
    /// Changes from call to call, so that gaps differ.
    step: u64,
}

impl MemoryIds {
    /// Two years after the epoch of uids: the beginning of 2026, in milliseconds.
    const FIRST_MILLIS: u64 = 731 * 24 * 60 * 60 * 1000;

    /// A generator for the numbers of `items`.
    #[must_use]
    pub fn new(items: Arc<MemoryRepository>, locks: Arc<MemoryLocks>) -> Self {
        let last = Last { millis: Self::FIRST_MILLIS, numbers: BTreeMap::new(), step: 0 };
        Self { items, locks, last: Mutex::new(last) }
    }
}

impl Last {
    /// 1, 2 or 3.
    fn gap(&mut self) -> u64 {
        self.step += 1;
        1 + self.step % 3
    }
}

#[async_trait]
impl IdGenerator for MemoryIds {
    async fn uids(&self, count: usize) -> Result<Vec<Uid>, IdError> {
        let mut last = held(&self.last);
        let uids = (0..count).map(|_| {
            last.millis += last.gap();
            Uid::from_parts(last.millis, 7, 0)
        });
        let uids: Option<_> = uids.collect();
        uids.ok_or_else(|| IdError::Exhausted { what: "milliseconds".to_owned() })
    }

    async fn work_ids(&self, prefix: &Prefix, count: usize) -> Result<Vec<WorkId>, IdError> {
        let _sequences = self.locks.acquire(&LockName::sequences(), None).await?;
        let mut last = held(&self.last);
        let ids = (0..count).map(|_| {
            let gap = last.gap();
            let number = last.numbers.entry(prefix.clone()).or_default();
            *number += gap;
            WorkId::new(prefix.clone(), *number)
        });
        let ids: Result<_, _> = ids.collect();
        ids.map_err(|_| IdError::Exhausted { what: format!("numbers of {prefix}") })
    }

    async fn catch_up(&self, prefix: &Prefix) -> Result<(), IdError> {
        let _sequences = self.locks.acquire(&LockName::sequences(), None).await?;
        let greatest = self.items.greatest_number(prefix);
        let mut last = held(&self.last);
        let number = last.numbers.entry(prefix.clone()).or_default();
        *number = greatest.max(*number);
        Ok(())
    }
}
