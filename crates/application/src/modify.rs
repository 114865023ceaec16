//! Changing an item.

use jerry_domain::ports::Update;
use jerry_domain::{Edit, WorkId};

use crate::{Error, Ports, Request, references};

/// Changes items.
#[derive(Clone)]
pub struct Modify {
    ports: Ports,
}

impl Modify {
    /// A service over `ports`.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Makes `edits`, all or none, as one write of the item `id`.
    ///
    /// References in the edits may be bare: they are completed, and what is pointed at must exist.
    ///
    /// # Errors
    /// [`Error::DependencyCycle`] and [`Error::ParentCycle`] when a ring would close;
    /// [`Error::Repository`] when the item is not there, has another version than
    /// [`Request::if_version`], or does not allow an edit.
    pub async fn edit(
        &self,
        id: &WorkId,
        mut edits: Vec<Edit>,
        request: &Request,
    ) -> Result<Update, Error> {
        let over_items = edits.iter().any(references::rules_over_items);
        let _graph = if over_items { Some(self.ports.lock_graph().await?) } else { None };
        references::complete(&self.ports, &mut edits).await?;
        if over_items {
            references::refuse_cycles(&self.ports, id, &edits).await?;
        }
        let change = self.ports.change(edits, request);
        Ok(self.ports.items.update(id, request.if_version, change).await?)
    }
}
