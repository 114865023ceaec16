//! Making new items.

use jerry_domain::ports::Insertion;
use jerry_domain::{Edit, Prefix, Stamp, Title, Uid, WorkId, WorkItem};

use crate::{Error, Ports, Request, references};

/// How often a number that turns out to be taken is replaced by a later one.
const ATTEMPTS: usize = 20;

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
    /// [`Error::NotCreated`] when one of them is not valid, and a not-found error when a reference
    /// names nothing: then none was made. An error of the storage may come after some were made.
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
        let stamp = request.stamp(self.ports.clock.now());
        let uids = self.ports.ids.uids(new.len()).await?;
        let new: Vec<_> = new.iter().zip(uids).collect();
        self.insert(&new, &stamp).await
    }

    /// Inserts under fresh numbers; whose number is taken gets a later one.
    async fn insert(&self, new: &[(&NewItem, Uid)], stamp: &Stamp) -> Result<Vec<WorkItem>, Error> {
        let mut made: Vec<Option<WorkItem>> = vec![None; new.len()];
        for attempt in 0..ATTEMPTS {
            let missing: Vec<_> = (0..made.len()).filter(|index| made[*index].is_none()).collect();
            if missing.is_empty() {
                return Ok(made.into_iter().flatten().collect());
            }
            if attempt > 0 {
                self.ports.ids.catch_up(&self.prefix).await?;
            }
            let ids = self.ports.ids.work_ids(&self.prefix, missing.len()).await?;
            let items = missing.iter().zip(ids).map(|(index, id)| build(new[*index], id, stamp));
            let items = items.collect::<Result<Vec<_>, _>>()?;
            for (index, insertion) in missing.into_iter().zip(self.insert_all(items).await?) {
                if let Insertion::Inserted(item) = insertion {
                    made[index] = Some(*item);
                }
            }
        }
        let prefix = self.prefix.to_string();
        Err(Error::NoFreeNumber { prefix, attempts: ATTEMPTS })
    }

    async fn insert_all(&self, mut items: Vec<WorkItem>) -> Result<Vec<Insertion>, Error> {
        match items.pop() {
            Some(only) if items.is_empty() => Ok(vec![self.ports.items.insert(only).await?]),
            last => {
                items.extend(last);
                Ok(self.ports.items.insert_many(items).await?)
            }
        }
    }
}

fn build((new, uid): (&NewItem, Uid), id: WorkId, stamp: &Stamp) -> Result<WorkItem, Error> {
    WorkItem::create(id, uid, new.title.clone(), &new.edits, stamp)
        .map_err(|source| Error::NotCreated { title: new.title.to_string(), source })
}
