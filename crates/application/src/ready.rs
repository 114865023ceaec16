//! What can be begun.

use std::cell::OnceCell;
use std::collections::HashMap;

use jerry_domain::ports::Unreadable;
use jerry_domain::{ProgressCount, ReadyList, Summary, WorkId};

use crate::references::Names;
use crate::{Error, Ports};

/// The items that can be begun.
#[derive(Debug)]
pub struct ReadyItems {
    /// As many as the limit allows, the most urgent first, then the oldest.
    pub items: Vec<Summary>,
    /// How many there are without the limit.
    pub total: usize,
    /// How far the items that have parts are.
    pub progress: ProgressCount,
    /// What could not be read; whoever waits for one of these is not ready.
    pub unreadable: Vec<Unreadable>,
}

/// Tells what can be begun. Takes no lock.
#[derive(Clone)]
pub struct Ready {
    ports: Ports,
}

impl Ready {
    /// A service over `ports`.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// The items that are pending and unclaimed, or whose claim has lapsed, and of which every
    /// dependency is completed or cancelled: at most `limit` of them, 0 for all.
    ///
    /// # Errors
    /// [`Error::Repository`] when the store cannot be listed.
    pub async fn ready(&self, limit: usize) -> Result<ReadyItems, Error> {
        self.of(ReadyList::new(self.ports.clock.now()), |_| true, limit).await
    }

    /// What `list` holds of the items that are `wanted`.
    pub(crate) async fn of(
        &self,
        mut list: ReadyList,
        wanted: impl Fn(&Summary) -> bool,
        limit: usize,
    ) -> Result<ReadyItems, Error> {
        let mut known = Vec::new();
        let (mut progress, mut unreadable) = (ProgressCount::default(), Vec::new());
        for summary in self.ports.items.summaries().await? {
            match summary {
                Ok(summary) => {
                    known.push((summary.uid, summary.id.clone()));
                    progress.add(&summary);
                    let is_wanted = wanted(&summary);
                    list.add(summary, is_wanted);
                }
                Err(error) => unreadable.push(error),
            }
        }
        let by_name = OnceCell::new();
        let uid_of = |id: &WorkId| {
            let by_name: &HashMap<_, _> =
                by_name.get_or_init(|| known.iter().map(|(uid, id)| (id, *uid)).collect());
            by_name.get(id).copied()
        };
        let (total, mut items) = list.into_ready(limit, uid_of);
        drop(by_name);
        Names::used_by(&items, known).refresh(&mut items);
        Ok(ReadyItems { items, total, progress, unreadable })
    }
}
