//! Looking up what an item's parts and its parent say about a write of it. The lock `graph` must be
//! held from here until the write is made: every write that opens a part, gives an item a parent or
//! completes one is made under it.

use jerry_domain::ports::RepositoryError;
use jerry_domain::{Edit, Family, ItemRef, Status, WorkId, WorkItem};

use crate::ports::left_out;
use crate::references::find;
use crate::{Error, Ports};

/// What concerns `edits` of the item `id`. Looks at every item of the store where they complete it.
pub(crate) async fn of(ports: &Ports, id: &WorkId, edits: &[Edit]) -> Result<Family, Error> {
    let mut family = of_new(ports, edits).await?;
    let is_moved = edits.iter().any(|edit| matches!(edit, Edit::Parent(_)));
    let completes = edits.iter().any(Edit::completes);
    let reopens = edits.iter().any(Edit::reopens) && !is_moved;
    if !completes && !reopens {
        return Ok(family);
    }
    // That it is not there is said when it is written.
    let Some(item) = ports.items.get(id).await? else { return Ok(family) };
    if completes {
        family.unfinished = unfinished_parts(ports, &item).await?;
    }
    if reopens {
        family.completed_parent = completed(ports, item.parent.clone()).await?;
    }
    Ok(family)
}

async fn unfinished_parts(ports: &Ports, item: &WorkItem) -> Result<Vec<WorkId>, Error> {
    let mut parts = Vec::new();
    for other in ports.items.summaries().await? {
        match other {
            Ok(other) if other.is_unfinished_part_of(&item.id, item.uid) => parts.push(other.id),
            Ok(_) => {}
            Err(unreadable) => drop(left_out(unreadable)?),
        }
    }
    parts.sort_unstable();
    Ok(parts)
}

/// What concerns a new item that `edits` make.
pub(crate) async fn of_new(ports: &Ports, edits: &[Edit]) -> Result<Family, Error> {
    let parent = edits.iter().rev().find_map(|edit| match edit {
        Edit::Parent(parent) => Some(parent.clone()),
        _ => None,
    });
    let completed_parent = completed(ports, parent.flatten()).await?;
    Ok(Family { completed_parent, ..Family::default() })
}

/// The name of `parent` today, if it is completed. One that is gone or cannot be read holds nobody
/// up: nothing says that it is completed.
async fn completed(ports: &Ports, parent: Option<ItemRef>) -> Result<Option<WorkId>, Error> {
    let Some(mut parent) = parent else { return Ok(None) };
    let item = match find(ports, &mut parent).await {
        Ok(true) => ports.items.get(&parent.id).await,
        Ok(false) => Ok(None),
        Err(error) => Err(error),
    };
    match item {
        Ok(item) => Ok(item.filter(|item| item.status == Status::Completed).map(|_| parent.id)),
        Err(RepositoryError::Malformed(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
