//! Removing an item.

use jerry_domain::ports::Tombstone;
use jerry_domain::{Graph, Summary, WorkId};

use crate::{Error, Ports, Request};

/// Removes items.
#[derive(Clone)]
pub struct Delete {
    ports: Ports,
}

impl Delete {
    /// A service over `ports`.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Removes the item `id` and returns what it leaves.
    ///
    /// If the request insists, also an item that others wait for or are parts of; their references
    /// then lead nowhere, and whoever waits for it waits until the dependency is removed.
    ///
    /// A request that has been made already is not made again: the answer is its first result.
    ///
    /// # Errors
    /// [`Error::StillNeeded`] names those others; [`Error::Repository`] when the item is not there
    /// or has another version than [`Request::if_version`].
    pub async fn delete(&self, id: &WorkId, request: &Request) -> Result<Tombstone, Error> {
        let _graph = self.ports.lock_graph().await?;
        if let Some(earlier) = self.earlier(id, request).await? {
            return Ok(earlier);
        }
        if !request.credentials.force {
            self.refuse_if_needed(id).await?;
        }
        let stamp = match self.ports.items.get(id).await? {
            Some(item) => self.ports.stamp(&item, request),
            None => return Err(self.ports.absent(id).await?.into()),
        };
        Ok(self.ports.items.delete(id, request.if_version, &stamp).await?)
    }

    /// What the item left, durably, if `request` has deleted it already.
    ///
    /// # Errors
    /// [`Error::Repository`] when the store cannot be read.
    pub async fn earlier(
        &self,
        id: &WorkId,
        request: &Request,
    ) -> Result<Option<Tombstone>, Error> {
        let Some(name) = &request.request_id else { return Ok(None) };
        if self.ports.items.get(id).await?.is_some() {
            return Ok(None);
        }
        let stone = self.ports.items.tombstone(id).await?;
        let stone = stone.filter(|stone| stone.request_id.as_deref() == Some(name.as_str()));
        if stone.is_some() {
            self.ports.items.settle().await?;
        }
        Ok(stone)
    }

    async fn refuse_if_needed(&self, id: &WorkId) -> Result<(), Error> {
        let items = self.ports.readable().await?;
        let graph = Graph::new(&items);
        let mut dependents: Vec<_> = graph.dependents(id).map(name).collect();
        let mut children: Vec<_> = graph.children(id).map(name).collect();
        if dependents.is_empty() && children.is_empty() {
            return Ok(());
        }
        dependents.sort();
        children.sort();
        Err(Error::StillNeeded { id: id.clone(), dependents, children })
    }
}

fn name(item: &Summary) -> WorkId {
    item.id.clone()
}
