//! What can be begun.

use jerry_domain::ports::Unreadable;
use jerry_domain::{Graph, Summary};

use crate::{Error, Ports};

/// The items that can be begun.
#[derive(Debug)]
pub struct ReadyItems {
    /// As many as the limit allows, the most urgent first, then the oldest.
    pub items: Vec<Summary>,
    /// How many there are without the limit.
    pub total: usize,
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

    /// The items that are pending and unclaimed, and of which every dependency is completed or
    /// cancelled: at most `limit` of them, 0 for all.
    ///
    /// # Errors
    /// [`Error::Repository`] when the store cannot be listed.
    pub async fn ready(&self, limit: usize) -> Result<ReadyItems, Error> {
        let mut all = Vec::new();
        let mut unreadable = Vec::new();
        for summary in self.ports.items.summaries().await? {
            match summary {
                Ok(summary) => all.push(summary),
                Err(error) => unreadable.push(error),
            }
        }
        let graph = Graph::new(&all);
        let ready = graph.ready();
        let total = ready.len();
        let limit = if limit == 0 { total } else { limit };
        let items = ready.into_iter().take(limit).cloned().collect();
        Ok(ReadyItems { items, total, unreadable })
    }
}
