//! Plans as trees and as chains.

use jerry_domain::ports::Unreadable;
use jerry_domain::{Plan, Ways, WorkId};

use crate::why::{Standing, WayPoint, standing, way};
use crate::{Error, Ports, view};

/// The longest chain of unfinished items of which each must be finished before the next.
#[derive(Debug)]
pub struct LongestChain {
    /// The chain, what comes first first. Every item counts as one.
    pub path: Vec<Standing>,
    /// The unfinished items that are in a ring, or behind one: they never come to an end.
    pub endless: Vec<WorkId>,
    /// What could not be read, and so may be missing.
    pub unreadable: Vec<Unreadable>,
}

/// Shows plans. Takes no lock.
#[derive(Clone)]
pub struct Plans {
    ports: Ports,
}

impl Plans {
    /// A service over `ports`.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// What `ways` lead to from the item `id`, each followed once by what is behind it; and what could
    /// not be read.
    ///
    /// # Errors
    /// [`Error::Repository`] when the item is not there or the store cannot be listed.
    pub async fn tree(
        &self,
        id: &WorkId,
        ways: Ways,
    ) -> Result<(Vec<WayPoint>, Vec<Unreadable>), Error> {
        let (items, unreadable) = view::around(&self.ports, id).await?;
        let plan = Plan::new(&items, self.ports.clock.now());
        Ok((way(&plan, &plan.walk(id, ways)), unreadable))
    }

    /// The longest way through all that is unfinished; with `whole`, through that item, its parts, and
    /// theirs.
    ///
    /// # Errors
    /// [`Error::Repository`] when `whole` is not there or the store cannot be listed.
    pub async fn critical_path(&self, whole: Option<&WorkId>) -> Result<LongestChain, Error> {
        let (items, unreadable) = match whole {
            Some(id) => view::around(&self.ports, id).await?,
            None => view::of(&self.ports).await?,
        };
        let plan = Plan::new(&items, self.ports.clock.now());
        let found = plan.critical_path(whole);
        let path = found.path.into_iter().map(|item| standing(&plan, item)).collect();
        let endless = found.endless.into_iter().map(|item| item.id.clone()).collect();
        Ok(LongestChain { path, endless, unreadable })
    }
}
