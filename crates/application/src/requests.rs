//! Requests with a name: each is made once, however often it is asked for.
//!
//! Nothing is kept beside the items: the history of an item names the requests that wrote it, and
//! is read under the lock under which the next entry is made. Where the request chooses its item, or
//! makes it, an index of such requests says where to look, and a lock of the request keeps two that
//! look at the same time apart. See `docs/adr/0020-requests-are-known-by-the-history.md`.

use jerry_domain::ports::{LockGuard, LockName, RepositoryError};
use jerry_domain::{Edit, Event, Refusal, RequestId, WorkId, WorkItem};

use crate::{Error, Ports, Request, references};

/// The item `id` as `request` left it, durably, if it has made `edits` of it already; also where it
/// has been deleted since.
///
/// # Errors
/// [`Refusal::RequestReused`] when it made something else of it.
pub(crate) async fn first_edit(
    ports: &Ports,
    id: &WorkId,
    edits: &[Edit],
    request: &Request,
) -> Result<Option<WorkItem>, Error> {
    let event = Event::of(edits);
    let left = first_result(ports, id, &event, request).await?;
    let (Some(item), Some(name)) = (&left, &request.request_id) else { return Ok(left) };
    let last = item.history.last().and_then(|entry| entry.request_id.as_deref());
    // Where the history is broken the item of today stands in for what cannot be rebuilt.
    if last != Some(name.as_str()) || item.is_result_of(edits) {
        return Ok(left);
    }
    // What an item is called may have changed; what is gone is compared by its name.
    let mut completed = edits.to_vec();
    let is_known = references::complete(ports, &mut completed).await.is_ok();
    if is_known && item.is_result_of(&completed) {
        return Ok(left);
    }
    Err(Left { item: item.clone(), event }.refused(name))
}

/// As [`first_edit`], for a write of this kind, whatever it made of the item.
pub(crate) async fn first_result(
    ports: &Ports,
    id: &WorkId,
    event: &Event,
    request: &Request,
) -> Result<Option<WorkItem>, Error> {
    let Some(name) = &request.request_id else { return Ok(None) };
    let Some(item) = kept(ports, id).await? else { return Ok(None) };
    settled(ports, as_left_by(&item, name, event)?).await
}

/// The item `id` as the work that `request` began left it, durably, if that has ended; also where it
/// has been deleted since.
pub(crate) async fn end_of_work(
    ports: &Ports,
    id: &WorkId,
    request: &Request,
) -> Result<Option<WorkItem>, Error> {
    let Some(name) = &request.request_id else { return Ok(None) };
    let Some(item) = kept(ports, id).await? else { return Ok(None) };
    settled(ports, left_by(&item, &name.end())?.map(|left| left.item)).await
}

/// Every item as `request` left it, durably, among those that it made or chose, deleted ones
/// included; in the order of their uids. Nobody decides over an item that cannot be read.
///
/// To be called under [`lock`].
pub(crate) async fn first_results(
    ports: &Ports,
    event: &Event,
    request: &RequestId,
) -> Result<Vec<WorkItem>, Error> {
    let mut left = Vec::new();
    for written in written(ports, request).await? {
        if written.event != *event {
            return Err(written.refused(request));
        }
        left.push(written.item);
    }
    if !left.is_empty() {
        ports.items.settle().await?;
    }
    left.sort_by_key(|item| item.uid);
    Ok(left)
}

/// What a request made of an item.
pub(crate) struct Left {
    /// The item as the request left it.
    pub(crate) item: WorkItem,
    /// What kind of write it was.
    pub(crate) event: Event,
}

impl Left {
    /// That the request of this `name` was another one.
    pub(crate) fn refused(&self, name: &RequestId) -> Error {
        let (version, event) = (self.item.version, self.event.clone());
        let source = Refusal::RequestReused { request: name.clone(), version, event };
        RepositoryError::Refused { id: self.item.id.clone(), source }.into()
    }
}

/// What `request` has made of the items that it made or chose, and of all that are deleted.
///
/// To be called under [`lock`].
pub(crate) async fn written(ports: &Ports, request: &RequestId) -> Result<Vec<Left>, Error> {
    let mut written: Vec<Left> = Vec::new();
    for summary in ports.items.summaries().await? {
        let summary = summary.map_err(RepositoryError::from)?;
        if summary.requests.contains(&request.digest())
            && let Some(item) = ports.whole(&summary).await?
        {
            written.extend(left_by(&item, request)?);
        }
    }
    for stone in ports.items.tombstones().await? {
        let item = stone.map_err(RepositoryError::from)?.item;
        // One that was deleted since it was found above.
        if written.iter().all(|found| found.item.uid != item.uid) {
            written.extend(left_by(&item, request)?);
        }
    }
    Ok(written)
}

/// What `request` has made of `item`, whatever kind of write it was.
pub(crate) fn left_by(
    item: &WorkItem,
    request: &RequestId,
) -> Result<Option<Left>, RepositoryError> {
    let Some((_, event)) = item.written_by(request) else { return Ok(None) };
    let left = as_left_by(item, request, event)?;
    Ok(left.map(|item| Left { item, event: event.clone() }))
}

/// Keeps others that make the same request waiting. Comes before every other lock.
pub(crate) async fn lock(ports: &Ports, request: &RequestId) -> Result<Box<dyn LockGuard>, Error> {
    Ok(ports.locks.acquire(&LockName::request(request), None).await?)
}

/// As [`lock`], where the request has a name.
pub(crate) async fn lock_named(
    ports: &Ports,
    request: &Request,
) -> Result<Option<Box<dyn LockGuard>>, Error> {
    match &request.request_id {
        Some(name) => lock(ports, name).await.map(Some),
        None => Ok(None),
    }
}

async fn kept(ports: &Ports, id: &WorkId) -> Result<Option<WorkItem>, Error> {
    Ok(match ports.items.get(id).await? {
        None => ports.items.tombstone(id).await?.map(|stone| stone.item),
        item => item,
    })
}

async fn settled(ports: &Ports, left: Option<WorkItem>) -> Result<Option<WorkItem>, Error> {
    if left.is_some() {
        ports.items.settle().await?;
    }
    Ok(left)
}

fn as_left_by(
    item: &WorkItem,
    request: &RequestId,
    event: &Event,
) -> Result<Option<WorkItem>, RepositoryError> {
    item.as_left_by(request, event)
        .map_err(|source| RepositoryError::Refused { id: item.id.clone(), source })
}
