//! Changing an item.

use jerry_domain::ports::{RepositoryError, Update};
use jerry_domain::{Edit, Family, Gates, Refusal, Status, WorkId, WorkItem, asks_the_same};

use crate::{Error, Ports, Request, family, references, requests, rings};

/// What commands have shown.
pub(crate) struct Shown {
    /// The commands, each of which succeeded.
    pub(crate) commands: Vec<String>,
    /// The item for which they were run, as it was then.
    pub(crate) item: WorkItem,
}

/// What is asked of every write of an item, beside what the item itself allows.
pub(crate) fn rules(
    ports: &Ports,
    family: Family,
    shown: Option<Shown>,
) -> impl FnOnce(&WorkItem, &WorkItem) -> Result<(), Refusal> + Send + 'static {
    let gates = ports.gates.clone();
    move |before, after| {
        family.allows(Some(before), after)?;
        let completes = after.status == Status::Completed && before.status != after.status;
        if completes { may_be_completed(&gates, before, after, shown) } else { Ok(()) }
    }
}

fn may_be_completed(
    gates: &Gates,
    before: &WorkItem,
    after: &WorkItem,
    shown: Option<Shown>,
) -> Result<(), Refusal> {
    let succeeded = match shown {
        Some(Shown { item, .. }) if !asks_the_same(&item, before) => {
            return Err(Refusal::MovedOn { seen: item.version, found: before.version });
        }
        Some(Shown { commands, .. }) => commands,
        None => Vec::new(),
    };
    match gates.unmet(before, after, &succeeded) {
        unmet if unmet.is_empty() => Ok(()),
        unmet => Err(Refusal::Gate { unmet }),
    }
}

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
    /// [`Error::DependencyCycle`], [`Error::ParentCycle`] and [`Error::MixedCycle`] when a ring would
    /// close;
    /// [`Error::Repository`] when the item is not there, has another version than
    /// [`Request::if_version`], or does not allow an edit; also when it would be completed before its
    /// parts, before its gates are met, or opened as a part of what is completed, unless the request
    /// insists. Commands are run by [`Complete`](crate::Complete) only: here what asks for them is
    /// refused.
    pub async fn edit(
        &self,
        id: &WorkId,
        edits: Vec<Edit>,
        request: &Request,
    ) -> Result<Update, Error> {
        self.edit_after(id, edits, request, None).await
    }

    /// As [`Modify::edit`], after commands have `shown` that the item is done.
    pub(crate) async fn edit_after(
        &self,
        id: &WorkId,
        edits: Vec<Edit>,
        request: &Request,
        shown: Option<Shown>,
    ) -> Result<Update, Error> {
        if let Some(first) = requests::first_edit(&self.ports, id, &edits, request).await? {
            return Ok(Update::Written(first));
        }
        let written = self.write(id, edits.clone(), request, shown).await;
        let overtaken = matches!(
            written,
            Ok(Update::Unchanged(_))
                | Err(Error::Repository(RepositoryError::VersionConflict { .. }))
        );
        if overtaken
            && let Some(first) = requests::first_edit(&self.ports, id, &edits, request).await?
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
        shown: Option<Shown>,
    ) -> Result<Update, Error> {
        let over_items = edits.iter().any(references::rules_over_items);
        let _graph = if over_items { Some(self.ports.lock_graph().await?) } else { None };
        references::complete(&self.ports, &mut edits).await?;
        if over_items {
            rings::refuse(&self.ports, id, &edits).await?;
        }
        let family = family::of(&self.ports, id, &edits).await?;
        let change = self.ports.change(edits, request, rules(&self.ports, family, shown));
        Ok(self.ports.items.update(id, request.if_version, change).await?)
    }
}
