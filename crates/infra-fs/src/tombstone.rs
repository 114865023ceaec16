//! What a deletion leaves: the whole last item, when and by whom it was deleted.
//!
//! The tombstone is durable before the item's file goes. An item beside a tombstone of its own uid
//! is therefore deleted; only the removal of its file was interrupted.

use std::collections::HashSet;

use jerry_domain::ports::{StorageError, Tombstone, Unreadable};
use jerry_domain::{Uid, WorkId};

use crate::fault::{if_present, storage_error};
use crate::index;
use crate::layout::{Layout, id_of_file};
use crate::read;

/// Items that were deleted.
pub(crate) type Deleted = HashSet<(WorkId, Uid)>;

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

/// The deleted ones among items whose files were listed under `names`. It does not matter whether
/// their files have gone since: who was told that an item is deleted must not be shown it by a list
/// that looked at the files before. A tombstone that cannot be read hides nothing, and is reported
/// beside.
pub(crate) fn among<'a>(
    layout: &Layout,
    names: impl Iterator<Item = &'a str>,
) -> Result<(Deleted, Vec<Unreadable>), StorageError> {
    let (mut found, mut unreadable) = (HashSet::new(), Vec::new());
    let stones: HashSet<_> = index::names(&layout.tombstones())?.into_iter().collect();
    if stones.is_empty() {
        return Ok((found, unreadable));
    }
    for id in names.filter(|name| stones.contains(*name)).filter_map(id_of_file) {
        match read(layout, &id) {
            Ok(None) => {}
            Ok(Some(tombstone)) => found.extend(tombstone.uids().map(|uid| (id.clone(), uid))),
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

#[cfg(test)]
mod tests {
    use jerry_domain::{Actor, Prefix, Stamp, Timestamp, Title, WorkItem};
    use pollster::block_on;

    use super::*;
    use crate::Store;
    use crate::lock::{LockBackend, LockSettings};

    /// Between the look at the folder and the look for tombstones the file goes.
    #[test]
    fn an_item_that_was_listed_before_it_was_deleted_is_deleted() {
        let folder = tempfile::tempdir().expect("a folder");
        Store::init(folder.path(), LockBackend::Os, "").expect("a store");
        let store = Store::open(folder.path(), LockSettings::default()).expect("opens");
        let (layout, items) = (store.layout(), store.items());
        let stamp = Stamp::new(Timestamp::UNIX_EPOCH, Actor::new("a").expect("valid"));
        let [one, other] = [1_u64, 2].map(|number| {
            let id = WorkId::new(Prefix::new("WORK").expect("valid"), number).expect("valid");
            let (uid, title) = (Uid::try_from(number), Title::new("listed").expect("valid"));
            let item = WorkItem::create(id, uid.expect("valid"), title, &[], &stamp);
            item.expect("valid")
        });
        block_on(items.insert_many(vec![one.clone(), other])).expect("inserts");

        let listed = index::names(&layout.items()).expect("lists");
        assert_eq!(listed.len(), 2);
        block_on(items.delete(&one.id, None, &stamp)).expect("deletes");
        let (deleted, unreadable) =
            among(layout, listed.iter().map(String::as_str)).expect("looks");
        assert_eq!(deleted, HashSet::from([(one.id.clone(), one.uid)]));
        assert!(unreadable.is_empty());
    }
}
