//! Changing an item.

use jerry_domain::ports::{RepositoryError, Update};
use jerry_domain::{Edit, Event, WorkId, WorkItem};

use crate::{Error, Ports, Request, family, references, requests};

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
    /// A request that has been made already is not made again: the answer is its first result.
    ///
    /// # Errors
    /// [`Error::DependencyCycle`] and [`Error::ParentCycle`] when a ring would close;
    /// [`Error::Repository`] when the item is not there, has another version than
    /// [`Request::if_version`], or does not allow an edit; also when it would be completed before its
    /// parts, or opened as a part of what is completed, unless the request insists.
    pub async fn edit(
        &self,
        id: &WorkId,
        edits: Vec<Edit>,
        request: &Request,
    ) -> Result<Update, Error> {
        let event = Event::of(&edits);
        if let Some(first) = requests::first_result(&self.ports, id, &event, request).await? {
            return Ok(Update::Written(first));
        }
        let written = self.write(id, edits, request).await;
        let overtaken = matches!(
            written,
            Ok(Update::Unchanged(_))
                | Err(Error::Repository(RepositoryError::VersionConflict { .. }))
        );
        if overtaken
            && let Some(first) = requests::first_result(&self.ports, id, &event, request).await?
        {
            return Ok(Update::Written(first));
        }
        written
    }

    async fn write(
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
        let family = family::of(&self.ports, id, &edits).await?;
        let rules = move |before: &WorkItem, after: &WorkItem| family.allows(Some(before), after);
        let change = self.ports.change(edits, request, rules);
        Ok(self.ports.items.update(id, request.if_version, change).await?)
    }
}
