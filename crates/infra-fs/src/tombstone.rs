//! What a deletion leaves: the whole last item, when and by whom it was deleted.
//!
//! The tombstone is durable before the item's file goes. An item beside a tombstone of its own uid
//! is therefore deleted; only the removal of its file was interrupted.

use std::collections::HashMap;

use jerry_domain::ports::{StorageError, Tombstone, Unreadable};
use jerry_domain::{Uid, WorkId};

use crate::fault::{if_present, storage_error};
use crate::index;
use crate::layout::{Layout, id_of_file};
use crate::read;

/// Reads the tombstone of `id`; `None` when there is none.
pub(crate) fn read(layout: &Layout, id: &WorkId) -> Result<Option<Tombstone>, Unreadable> {
    let path = layout.tombstone(id);
    Ok(read::json(&path, &layout.relative(&path))?.map(|(tombstone, _)| tombstone))
}

/// Whether anything stands where the tombstone of `id` would.
pub(crate) fn is_present(layout: &Layout, id: &WorkId) -> Result<bool, StorageError> {
    let path = layout.tombstone(id);
    if_present(std::fs::symlink_metadata(&path))
        .map(|found| found.is_some())
        .map_err(|error| storage_error("look at", &path, error))
}

/// The tombstones beside which a file of the same name is still, or again, among the items. One
/// that cannot be read hides nothing, and is reported beside.
pub(crate) fn of_present_items(
    layout: &Layout,
) -> Result<(HashMap<WorkId, Uid>, Vec<Unreadable>), StorageError> {
    let (mut found, mut unreadable) = (HashMap::new(), Vec::new());
    for name in index::names(&layout.tombstones())? {
        let path = layout.items().join(&name);
        let beside = if_present(std::fs::symlink_metadata(&path))
            .map_err(|error| storage_error("look at", &path, error))?;
        let (Some(_), Some(id)) = (beside, id_of_file(&name)) else { continue };
        match read(layout, &id) {
            Ok(None) => {}
            Ok(Some(tombstone)) => drop(found.insert(id, tombstone.item.uid)),
            Err(error) => unreadable.push(error),
        }
    }
    Ok((found, unreadable))
}

/// Every tombstone.
pub(crate) fn all(
    layout: &Layout,
) -> Result<impl Iterator<Item = (String, Result<Tombstone, Unreadable>)> + use<>, StorageError> {
    let names = index::names(&layout.tombstones())?;
    let layout = layout.clone();
    Ok(names.into_iter().filter_map(move |name| {
        let path = layout.tombstones().join(&name);
        let tombstone = read::json(&path, &layout.relative(&path)).transpose()?;
        Some((name, tombstone.map(|(tombstone, _)| tombstone)))
    }))
}
