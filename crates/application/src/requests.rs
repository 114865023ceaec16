//! Requests with a name: each is made once, however often it is asked for.
//!
//! Nothing is kept beside the items: the history of an item names the requests that wrote it, and
//! is read under the lock under which the next entry is made. Where the request chooses its item, or
//! makes it, an index of such requests says where to look, and a lock of the request keeps two that
//! look at the same time apart. See `docs/adr/0020-requests-are-known-by-the-history.md`.

use jerry_domain::ports::{LockGuard, LockName, RepositoryError};
use jerry_domain::{Event, HistoryEntry, RequestId, WorkId, WorkItem};

use crate::{Error, Ports, Request};

/// The item `id` as `request` left it, durably, if it was written so already; also where it has
/// been deleted since.
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
    settled(ports, left_by_any(&item, &name.end())?).await
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
    for summary in ports.items.summaries().await? {
        let summary = summary.map_err(RepositoryError::from)?;
        if summary.requests.contains(&request.digest())
            && let Some(item) = ports.whole(&summary).await?
        {
            left.extend(as_left_by(&item, request, event)?);
        }
    }
    for stone in ports.items.tombstones().await? {
        let item = stone.map_err(RepositoryError::from)?.item;
        // One that was deleted since it was found above.
        if left.iter().all(|found| found.uid != item.uid) {
            left.extend(as_left_by(&item, request, event)?);
        }
    }
    if !left.is_empty() {
        ports.items.settle().await?;
    }
    left.sort_by_key(|item| item.uid);
    Ok(left)
}

/// `item` as the write of `request` left it, whatever kind of write it was.
pub(crate) fn left_by_any(
    item: &WorkItem,
    request: &RequestId,
) -> Result<Option<WorkItem>, RepositoryError> {
    let own = |entry: &&HistoryEntry| entry.request_id.as_deref() == Some(request.as_str());
    match item.history.iter().rev().find(own) {
        Some(entry) => as_left_by(item, request, &entry.event),
        None => Ok(None),
    }
}

/// Keeps others that make the same request waiting. Comes before every other lock.
pub(crate) async fn lock(ports: &Ports, request: &RequestId) -> Result<Box<dyn LockGuard>, Error> {
    Ok(ports.locks.acquire(&LockName::request(request), None).await?)
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
