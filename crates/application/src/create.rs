//! Making new items.

use jerry_domain::{Edit, Prefix, Title, WorkItem};

use crate::{Error, Ports, Request, family, numbering, references};

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

    /// Makes items, with the durability of one batch, and returns them in the order given.
    ///
    /// # Errors
    /// [`Error::NotCreated`] when one of them is not valid, or would be a part of something that is
    /// completed and the request does not insist; and a not-found error when a reference
    /// names nothing: then none was made. [`Error::Partly`] when some were made.
    pub async fn create(
        &self,
        mut new: Vec<NewItem>,
        request: &Request,
    ) -> Result<Vec<WorkItem>, Error> {
        // What a new item points at must not be deleted before it is there.
        let points = new.iter().flat_map(|item| &item.edits).any(references::rules_over_items);
        let _graph = if points { Some(self.ports.lock_graph().await?) } else { None };
        for item in &mut new {
            references::complete(&self.ports, &mut item.edits).await?;
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
            match families[index].allows(None, &item) {
                Ok(()) => Ok(item),
                Err(_) if stamp.credentials.force => Ok(item.forced()),
                Err(refusal) => Err(refused(refusal)),
            }
        })
        .await
    }
}
