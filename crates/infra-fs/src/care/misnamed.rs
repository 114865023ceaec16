//! Files whose name is not that of the item in them: copies that a merge or an editor left, and
//! items whose number another item has too.
//!
//! Crash points: a copy is put aside; then the item is created under its right name, durably; only
//! then does the file of the wrong name go. A crash in between leaves the same uid in two files, of
//! which the wrongly named one is then recognised as a copy, under whatever number the other stands;
//! whoever made that one may have been killed before it was durable.

use std::path::Path;

use jerry_domain::ports::{LockName, RepositoryError, Unreadable};
use jerry_domain::{Stamp, WorkId, WorkItem};

use super::{FsCare, repair};
use crate::fault::storage_error;
use crate::naming::{self, Naming};
use crate::publish::{self, Staged};
use crate::{backup, displaced, index, read, steps};

/// Puts the item in the file at `path` under its right name; says what was done, or nothing where
/// the file is no longer there.
pub(super) fn rename(
    care: &FsCare,
    path: &Path,
    stamp: &Stamp,
) -> Result<Option<String>, RepositoryError> {
    let shown = care.layout.relative(path);
    let read = || read::json::<WorkItem>(path, &shown).map_err(RepositoryError::from);
    let Some((item, _)) = read()? else { return Ok(None) };
    let _guard = care.locks.acquire(&LockName::item(&item.id), None)?;
    // Only now can the item of that number not change any more.
    let locked = item.id.clone();
    let Some((item, content)) = read()?.filter(|(item, _)| item.id == locked) else {
        return Ok(None);
    };
    let target = care.layout.item(&item.id);
    let occupant = index::read_item(&target, &care.layout.relative(&target), &item.id);
    let occupant = match occupant {
        // What stands there has to be repaired by a person first.
        Err(Unreadable::Malformed(_)) => return Ok(None),
        occupant => occupant?,
    };
    let renamed = || format!("renamed to {}", care.layout.relative(&target));
    if occupant.is_some() && is_other_case(path, &target, &index::names(&care.layout.items())?) {
        steps::rename_over(path, &target).map_err(|error| storage_error("rename", path, error))?;
        publish::sync_parent(&target)?;
        return Ok(Some(renamed()));
    }
    backup::keep(&care.layout, path)?;
    let action = match occupant {
        Some(occupant) if occupant.uid == item.uid => {
            publish::sync_entry_of_another(&target)?;
            publish::remove(path)?;
            let version = occupant.version;
            return Ok(Some(format!("put aside: {} itself has version {version}", item.id)));
        }
        None if create(care, &item.id, &content.bytes)? == Naming::Named => renamed(),
        _ => match found_as(care, &item)? {
            Some(id) => {
                publish::sync_entry_of_another(&care.layout.item(&id))?;
                format!("put aside: the item is there as {id}")
            }
            None => {
                let id = displaced::renumber(&care.layout, &care.locks, &item, stamp)?;
                format!("renumbered to {id}: {} is another item", item.id)
            }
        },
    };
    publish::remove(path).map_err(repair::halfway)?;
    Ok(Some(action))
}

/// Whether both are one file on a file system that takes `work-001` for `WORK-001`: the folder
/// would list the target's name too if it were another.
fn is_other_case(path: &Path, target: &Path, listed: &[String]) -> bool {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (name, target) = (name(path), name(target));
    name.eq_ignore_ascii_case(&target) && !listed.contains(&target)
}

/// The number under which the same item stands already: a doctor who was killed after he had
/// renumbered it left the wrongly named file.
fn found_as(care: &FsCare, item: &WorkItem) -> Result<Option<WorkId>, RepositoryError> {
    let mut items = index::summaries(&care.layout, &care.locks)?.filter_map(Result::ok);
    Ok(items.find(|other| other.uid == item.uid).map(|other| other.id))
}

/// Creates the file of the item `id`, whose lock is held, durably.
fn create(care: &FsCare, id: &WorkId, text: &[u8]) -> Result<Naming, RepositoryError> {
    let path = care.layout.item(id);
    let staged = Staged::write(&path, text, None)?;
    let naming = naming::give(&care.layout, &care.locks, id, staged)?;
    publish::sync_parent(&path)?;
    Ok(naming)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_another_case_is_the_same_file_where_the_folder_lists_one() {
        let (small, great) = (Path::new("i/work-001.json"), Path::new("i/WORK-001.json"));
        let listed =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(is_other_case(small, great, &listed(&["work-001.json"])));
        assert!(!is_other_case(small, great, &listed(&["WORK-001.json", "work-001.json"])));
        assert!(!is_other_case(Path::new("i/copy.json"), great, &listed(&["copy.json"])));
    }
}
