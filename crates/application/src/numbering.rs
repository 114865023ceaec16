//! Putting new items under free numbers.

use jerry_domain::ports::Insertion;
use jerry_domain::{Prefix, WorkId, WorkItem};

use crate::{Error, Ports};

/// How often numbers that turn out to be taken are replaced by later ones.
const ATTEMPTS: usize = 20;

/// Inserts `count` items under new numbers of `prefix`, with the durability of one batch, and
/// returns them in order. `build` makes the item with the given index for the given id; it is
/// called again where the number turns out to be taken, as those of another clone's items are.
pub(crate) async fn insert(
    ports: &Ports,
    prefix: &Prefix,
    count: usize,
    build: impl Fn(usize, WorkId) -> Result<WorkItem, Error>,
) -> Result<Vec<WorkItem>, Error> {
    let mut made: Vec<Option<WorkItem>> = vec![None; count];
    let mut missing: Vec<usize> = (0..count).collect();
    for attempt in 0..ATTEMPTS {
        let tried = try_all(ports, prefix, attempt, &missing, &build).await;
        let insertions =
            tried.map_err(|error| if missing.len() < count { error.partly() } else { error })?;
        for (index, insertion) in missing.iter().zip(insertions) {
            if let Insertion::Inserted(item) = insertion {
                made[*index] = Some(*item);
            }
        }
        missing.retain(|index| made[*index].is_none());
        if missing.is_empty() {
            return Ok(made.into_iter().flatten().collect());
        }
    }
    let error = Error::NoFreeNumber { prefix: prefix.to_string(), attempts: ATTEMPTS };
    Err(if missing.len() < count { error.partly() } else { error })
}

/// Inserts the items with the indices `missing` under new numbers; behind all that exist, once a
/// number turned out to be taken.
async fn try_all(
    ports: &Ports,
    prefix: &Prefix,
    attempt: usize,
    missing: &[usize],
    build: &impl Fn(usize, WorkId) -> Result<WorkItem, Error>,
) -> Result<Vec<Insertion>, Error> {
    if attempt > 0 {
        ports.ids.catch_up(prefix).await?;
    }
    let ids = ports.ids.work_ids(prefix, missing.len()).await?;
    let items = missing.iter().zip(ids).map(|(index, id)| build(*index, id));
    insert_all(ports, items.collect::<Result<Vec<_>, _>>()?).await
}

async fn insert_all(ports: &Ports, mut items: Vec<WorkItem>) -> Result<Vec<Insertion>, Error> {
    match items.pop() {
        Some(only) if items.is_empty() => Ok(vec![ports.items.insert(only).await?]),
        last => {
            items.extend(last);
            Ok(ports.items.insert_many(items).await?)
        }
    }
}
