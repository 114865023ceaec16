//! Making new items.

use jerry_domain::ports::RepositoryError;
use jerry_domain::{Edit, Event, Graph, Prefix, Refusal, RequestId, Title, WorkItem};

use crate::ports::insisted;
use crate::{Error, Ports, Request, family, numbering, references, requests, rings};

/// An item to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewItem {
    /// What it is about.
    pub title: Title,
    /// Everything else, as edits of an empty item. References may be bare: they are completed,
    /// and what they name must exist.
    pub edits: Vec<Edit>,
}

/// Makes new items.
#[derive(Clone)]
pub struct Create {
    ports: Ports,
    prefix: Prefix,
}

impl Create {
    /// A service that numbers its items with `prefix`.
    #[must_use]
    pub fn new(ports: Ports, prefix: Prefix) -> Self {
        Self { ports, prefix }
    }

    /// Makes items, with the durability of one batch, and returns them in the order given. A request
    /// that has been made already is not made again: the answer is what it made, and what it did not
    /// come to make is made now.
    ///
    /// # Errors
    /// [`Error::NotCreated`] when one of them is not valid, or would be a part of something that is
    /// completed and the request does not insist; [`Error::MixedCycle`] when one would wait for its
    /// own parent; and a not-found error when a reference names nothing: then none was made. [`Error::Partly`] when some were made.
    /// [`Refusal::RequestReused`] when an earlier request of this name made other items.
    pub async fn create(
        &self,
        new: Vec<NewItem>,
        request: &Request,
    ) -> Result<Vec<WorkItem>, Error> {
        let Some(name) = &request.request_id else {
            return self.make(new, request).await;
        };
        let _same = requests::lock(&self.ports, name).await?;
        let made = requests::first_results(&self.ports, &Event::CREATED, name).await?;
        let mut made = allot(&new, made, name)?;
        let missing = new.into_iter().zip(&made).filter(|(_, made)| made.is_none());
        let missing: Vec<_> = missing.map(|(new, _)| new).collect();
        if !missing.is_empty() {
            let some_are_there = missing.len() < made.len();
            let later = self.make(missing, request).await;
            let later =
                later.map_err(|error| if some_are_there { error.partly() } else { error })?;
            let gaps = made.iter_mut().filter(|made| made.is_none());
            gaps.zip(later).for_each(|(gap, item)| *gap = Some(item));
        }
        Ok(made.into_iter().flatten().collect())
    }

    async fn make(&self, mut new: Vec<NewItem>, request: &Request) -> Result<Vec<WorkItem>, Error> {
        // What a new item points at must not be deleted before it is there.
        let points = new.iter().flat_map(|item| &item.edits).any(references::rules_over_items);
        let _graph = if points { Some(self.ports.lock_graph().await?) } else { None };
        for item in &mut new {
            references::complete(&self.ports, &mut item.edits).await?;
        }
        if new.iter().any(|item| rings::may_close(&item.edits)) {
            let items = self.ports.readable().await?;
            let graph = Graph::new(&items);
            for item in &new {
                rings::refuse_part(&graph, item.title.as_str(), &item.edits)?;
            }
        }
        let mut families = Vec::with_capacity(new.len());
        for item in &new {
            families.push(family::of_new(&self.ports, &item.edits).await?);
        }
        let stamp = request.stamp(self.ports.clock.now());
        let uids = self.ports.ids.uids(new.len()).await?;
        let new: Vec<_> = new.into_iter().zip(uids).collect();
        numbering::insert(&self.ports, &self.prefix, new.len(), |index, id| {
            let (NewItem { title, edits }, uid) = &new[index];
            let refused = |source| Error::NotCreated { title: title.to_string(), source };
            let item = WorkItem::create(id, *uid, title.clone(), edits, &stamp).map_err(refused)?;
            let allowed = families[index].allows(None, &item);
            insisted(allowed, item, stamp.credentials.force).map_err(refused)
        })
        .await
    }
}

/// Which of the items that a request has `made` is which of the `new` ones that it asks for.
fn allot(
    new: &[NewItem],
    mut made: Vec<WorkItem>,
    request: &RequestId,
) -> Result<Vec<Option<WorkItem>>, Error> {
    let take = |new: &NewItem| {
        let place = made.iter().position(|item| item.is_made_with(&new.title, &new.edits))?;
        Some(made.remove(place))
    };
    let allotted = new.iter().map(take).collect();
    match made.into_iter().next() {
        None => Ok(allotted),
        Some(other) => Err(RepositoryError::Refused {
            id: other.id.clone(),
            source: Refusal::RequestReused {
                request: request.clone(),
                version: other.version,
                event: Event::CREATED,
            },
        }
        .into()),
    }
}
