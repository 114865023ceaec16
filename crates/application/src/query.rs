//! Looking at items.

use std::cmp::Ordering;

use jerry_domain::ports::{RepositoryError, Unreadable};
use jerry_domain::{ItemRef, ItemType, Progress, ProgressCount, Summary, WorkId, WorkItem};

use crate::references::Names;
use crate::text_search::{Excerpt, Needle};
use crate::{Error, Filter, Ports, references};

/// The items that a filter lets through.
#[derive(Debug)]
pub struct Page {
    /// As many as the limit allows, in order. Their references carry the names of today.
    pub items: Vec<Summary>,
    /// How many there are without the limit.
    pub total: usize,
    /// How far the items that have parts are.
    pub progress: ProgressCount,
    /// What could not be read, and so may be missing.
    pub unreadable: Vec<Unreadable>,
}

/// What a search found.
#[derive(Debug)]
pub struct SearchResult {
    /// As many as the limit allows, in order.
    pub hits: Vec<Hit>,
    /// How many there are without the limit.
    pub total: usize,
    /// How far the items that have parts are.
    pub progress: ProgressCount,
    /// What could not be read, and so may be missing.
    pub unreadable: Vec<Unreadable>,
}

/// An item in which a text was found.
#[derive(Debug)]
pub struct Hit {
    /// The item.
    pub item: Summary,
    /// Where the text was found. `None` when the item has changed since, or cannot be read again.
    pub excerpt: Option<Excerpt>,
}

/// Looks at items. Takes no lock.
#[derive(Clone)]
pub struct Query {
    ports: Ports,
}

impl Query {
    /// A service over `ports`.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// The item `id`, its references under the names of today.
    ///
    /// # Errors
    /// [`Error::Repository`] when it is not there, was deleted, or cannot be read.
    pub async fn show(&self, id: &WorkId) -> Result<WorkItem, Error> {
        match self.ports.items.get(id).await? {
            Some(item) => references::under_current_names(&self.ports, item).await,
            None => Err(self.ports.absent(id).await?.into()),
        }
    }

    /// How far the parts of `item` are; `None` when it has none, or is no epic.
    ///
    /// The parts know their parent, not the other way round: only an epic, which is made to have
    /// parts, is worth a look at every item of the store.
    ///
    /// # Errors
    /// [`Error::Repository`] when the store cannot be listed.
    pub async fn progress(&self, item: &WorkItem) -> Result<Option<Progress>, Error> {
        if item.item_type != ItemType::Epic {
            return Ok(None);
        }
        let mut progress = ProgressCount::default();
        self.ports.items.summaries().await?.flatten().for_each(|item| progress.add(&item));
        Ok(progress.of(&item.id, item.uid))
    }

    /// The items that `filter` lets through.
    ///
    /// # Errors
    /// [`Error::Repository`] when the store cannot be listed, or the filter's parent is not there;
    /// [`Error::EmptySearch`] when the filter's text is blank.
    pub async fn list(&self, filter: &Filter) -> Result<Page, Error> {
        let parent = parent(&self.ports, filter).await?;
        let needle = filter.text.as_deref().map(|text| Needle::new(text).ok_or(Error::EmptySearch));
        let needle = needle.transpose()?;
        let mut known = Vec::new();
        let (items, progress, unreadable) = Default::default();
        let mut page = Page { items, total: 0, progress, unreadable };
        let order = |one: &Summary, other: &Summary| filter.compare(one, other);

        for summary in self.ports.items.summaries().await? {
            let summary = match summary {
                Ok(summary) => summary,
                Err(unreadable) => {
                    page.unreadable.push(unreadable);
                    continue;
                }
            };
            known.push((summary.uid, summary.id.clone()));
            page.progress.add(&summary);
            if !filter.admits(&summary, parent.as_ref()) {
                continue;
            }
            if let Some(needle) = &needle {
                match self.says(&summary, needle).await {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(error) => {
                        page.unreadable.push(as_unreadable(error)?);
                        continue;
                    }
                }
            }
            page.total += 1;
            page.items.push(summary);
            // Cut now and then, so that a short page of a large store stays small in memory.
            if filter.limit > 0 && page.items.len() >= filter.limit.saturating_mul(2).max(1024) {
                first_of(&mut page.items, filter.limit, order);
            }
        }
        first_of(&mut page.items, filter.limit, order);
        Names::used_by(&page.items, known).refresh(&mut page.items);
        Ok(page)
    }

    /// The items that say `text`, of those that `filter` lets through, each with where it says it.
    ///
    /// # Errors
    /// As [`Query::list`].
    pub async fn search(&self, text: &str, filter: &Filter) -> Result<SearchResult, Error> {
        let needle = Needle::new(text).ok_or(Error::EmptySearch)?;
        let filter = Filter { text: Some(text.to_owned()), ..filter.clone() };
        let Page { items, total, progress, unreadable } = self.list(&filter).await?;
        let mut hits = Vec::with_capacity(items.len());
        for item in items {
            let whole = self.ports.whole(&item).await.ok().flatten();
            hits.push(Hit { excerpt: whole.and_then(|whole| needle.find_in(&whole)), item });
        }
        Ok(SearchResult { hits, total, progress, unreadable })
    }

    /// Whether the item says it. One that went away since it was listed does not.
    async fn says(&self, item: &Summary, needle: &Needle) -> Result<bool, RepositoryError> {
        let item = self.ports.whole(item).await?;
        Ok(item.is_some_and(|item| needle.find_in(&item).is_some()))
    }
}

/// The item of whose parts `filter` speaks, if it speaks of one.
pub(crate) async fn parent(ports: &Ports, filter: &Filter) -> Result<Option<ItemRef>, Error> {
    let Some(id) = &filter.parent else { return Ok(None) };
    match ports.items.get(id).await? {
        Some(item) => Ok(Some(item.reference())),
        None => Err(ports.absent(id).await?.into()),
    }
}

/// What is wrong with this one item; an error that is not of the item stays one.
pub(crate) fn as_unreadable(error: RepositoryError) -> Result<Unreadable, RepositoryError> {
    match error {
        RepositoryError::Malformed(error) => Ok(error.into()),
        RepositoryError::Storage(error) => Ok(error.into()),
        error => Err(error),
    }
}

/// Leaves of `items` the first `limit` in this order, 0 for all; they are in order then.
pub(crate) fn first_of<T>(
    items: &mut Vec<T>,
    limit: usize,
    mut order: impl FnMut(&T, &T) -> Ordering,
) {
    if (1..items.len()).contains(&limit) {
        items.select_nth_unstable_by(limit, &mut order);
        items.truncate(limit);
    }
    items.sort_unstable_by(order);
}
